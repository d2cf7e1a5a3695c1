//! Elementwise passes, softmax and column sums: compared with plain loops, and checked for what must hold to the bit.

use chainrule_kernels::{
    Buffer, Identity, Machine, Map, Map2, Matrix, MatrixMut, Real, Update, Vector, elementwise, padded, rows, stride,
};
use std::ops::Range;

#[derive(Clone, Copy)]
struct Formula;

impl Map for Formula {
    #[inline(always)]
    fn map<V: Vector>(self, x: V) -> V {
        V::select(x.ge(x.like(0.5)), x.sqrt(), x.abs().min(x.like(0.25)).max(-x)).copysign(x) / x.like(3.0)
    }
}

impl Map2 for Formula {
    #[inline(always)]
    fn map<V: Vector>(self, x: V, y: V) -> V {
        V::select(x.eq(y), x - y, x.round() * y)
    }
}

/// w ← w − (m + v + t + g), m ← g, v ← m, t ← t + 1.
#[derive(Clone, Copy)]
struct Shift<const N: usize>;

impl<const N: usize> Update for Shift<N> {
    const STATES: usize = N;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [m, v, t]: [V; 3], g: V) -> (V, [V; 3]) {
        (w - (m + v + t + g), [g, m, t + t.like(1.0)])
    }
}

fn ramp<T: Real>(len: usize) -> Buffer<T> {
    let mut x = Buffer::zeroed(len).unwrap();
    for (i, x) in x.iter_mut().enumerate() {
        *x = T::from_f64((i as f64 * 0.37).sin() * 3.0);
    }
    x
}

fn maps<T: Real>() {
    for machine in Machine::available() {
        for lines in 0..7 {
            let len = lines * T::LINE;
            let (x, mut y) = (ramp::<T>(len), ramp::<T>(len));
            elementwise::map(machine, &mut y, Formula);
            for (x, y) in x.iter().zip(y.iter()) {
                let x = x.to_f64();
                let size = if x >= 0.5 { x.sqrt() } else { x.abs().min(0.25).max(-x) };
                assert!((size.copysign(x) / 3.0 - y.to_f64()).abs() < 1e-7, "{x} {y}");
            }
            let mut z = ramp::<T>(len);
            elementwise::map_to(machine, &x, &mut z, Formula);
            assert_eq!(*z, *y);
            let mut z = x.try_clone().unwrap();
            elementwise::map2(machine, &mut z, &y, Formula);
            for ((x, y), z) in x.iter().zip(y.iter()).zip(z.iter()) {
                let want = if x == y { *x - *y } else { T::from_f64(x.to_f64().round_ties_even()) * *y };
                assert_eq!(*z, want);
            }
            elementwise::map_to(machine, &y, &mut z, Identity);
            assert_eq!(*z, *y);
            elementwise::map(machine, &mut z, Identity);
            elementwise::map2(machine, &mut z, &y, Identity);
        }
    }
}

#[test]
fn maps_match_plain_loops() {
    maps::<f32>();
    maps::<f64>();
}

#[test]
fn round_is_to_even_and_keeps_large_numbers_and_signs() {
    #[derive(Clone, Copy)]
    struct Round;
    impl Map for Round {
        #[inline(always)]
        fn map<V: Vector>(self, x: V) -> V {
            x.round()
        }
    }
    let x = [
        0.5,
        1.5,
        2.5,
        -0.5,
        -0.2,
        1e9,
        -3.4e7,
        8388607.5,
        4194304.5,
        0.49999997,
        f32::INFINITY,
        -0.0,
        1e-40,
        7.0,
        f32::MAX,
        -2.5,
    ];
    for machine in Machine::available() {
        let mut y = x;
        elementwise::map(machine, &mut y, Round);
        assert_eq!(y.map(f32::to_bits), x.map(|x| x.round_ties_even().to_bits()), "{}", machine.name());
    }
}

#[test]
fn max_and_min_keep_a_nan_in_the_first_argument() {
    #[derive(Clone, Copy)]
    struct Relu;
    impl Map for Relu {
        #[inline(always)]
        fn map<V: Vector>(self, x: V) -> V {
            x.max(x.like(0.0)).min(x.like(1.0))
        }
    }
    for machine in Machine::available() {
        let mut x = [f64::NAN, -1.0, 0.5, 2.0, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY];
        elementwise::map(machine, &mut x, Relu);
        assert!(x[0].is_nan());
        assert_eq!(x[1..], [0.0, 0.5, 1.0, 0.0, 0.0, 1.0, 0.0]);
    }
}

fn updates<T: Real, const N: usize>() {
    for machine in Machine::available() {
        let len = 5 * T::LINE;
        let (mut w, g) = (ramp::<T>(len), ramp::<T>(len));
        let before = w.try_clone().unwrap();
        let mut states: Vec<Buffer<T>> = (0..N).map(|_| Buffer::zeroed(len).unwrap()).collect();
        elementwise::update(machine, &mut w, &mut states, &g, Shift::<N>);
        elementwise::update(machine, &mut w, &mut states, &g, Shift::<N>);
        for i in 0..len {
            let g = g[i].to_f64();
            let second = g + if N > 0 { g } else { 0.0 } + if N > 2 { 1.0 } else { 0.0 };
            assert!((before[i].to_f64() - g - second - w[i].to_f64()).abs() < 1e-5);
            assert!(N < 2 || states[1][i].to_f64() == g);
            assert!(N < 3 || states[2][i].to_f64() == 2.0);
        }
    }
}

#[test]
fn update_reads_and_writes_as_many_states_as_it_says() {
    updates::<f32, 0>();
    updates::<f32, 1>();
    updates::<f64, 2>();
    updates::<f32, 3>();
}

/// p and log Σ exp of rows × columns numbers in rows `stride` apart, with rubbish in the padding.
fn softmax<T: Real>(machine: Machine, z: &[f64], columns: usize) -> (Vec<T>, Vec<T>) {
    let (n, stride) = (z.len() / columns, padded::<T>(columns));
    let mut data = Buffer::<T>::zeroed(n * stride).unwrap();
    data.fill(T::from_f64(1e30));
    for (i, row) in z.chunks(columns).enumerate() {
        for (j, &x) in row.iter().enumerate() {
            data[i * stride + j] = T::from_f64(x);
        }
    }
    let (mut p, mut sums) = (Buffer::<T>::zeroed(n * stride).unwrap(), vec![T::ZERO; n]);
    p.fill(T::from_f64(9.0));
    rows::softmax(
        machine,
        Matrix::new(&data, n, columns, stride),
        MatrixMut::new(&mut p, n, columns, stride),
        &mut sums,
    );
    for row in p.chunks(stride) {
        assert!(row[columns..].iter().all(|&x| x == T::ZERO));
    }
    (p.chunks(stride).flat_map(|row| row[..columns].to_vec()).collect(), sums)
}

fn softmax_matches<T: Real>(tolerance: f64) {
    for machine in Machine::available() {
        for columns in 1..=70 {
            let scale = [1.0, 30.0, 700.0][columns % 3];
            let z: Vec<f64> = (0..columns * 5).map(|i| T::from_f64((i as f64 * 1.7).sin() * scale).to_f64()).collect();
            let (p, sums) = softmax::<T>(machine, &z, columns);
            for (i, row) in z.chunks(columns).enumerate() {
                let c = row.iter().fold(f64::NEG_INFINITY, |c, &x| c.max(x));
                let sum: f64 = row.iter().map(|x| (x - c).exp()).sum();
                assert!((sums[i].to_f64() - c - sum.ln()).abs() <= tolerance * c.abs().max(1.0));
                for (j, x) in row.iter().enumerate() {
                    let want = (x - c).exp() / sum;
                    let error = (p[i * columns + j].to_f64() - want).abs();
                    assert!(error <= tolerance * want.max(1e-30), "{columns} columns: {error} off {want}");
                }
            }
        }
    }
}

#[test]
fn softmax_matches_plain_loops() {
    softmax_matches::<f32>(4e-6);
    softmax_matches::<f64>(2e-14);
}

#[test]
fn softmax_survives_huge_infinite_and_nan_rows() {
    for machine in Machine::available() {
        let (p, sums) = softmax::<f32>(machine, &[3e38, -3e38, 0.0, f64::NEG_INFINITY, 1.0, 1.0], 3);
        assert_eq!(p, [1.0, 0.0, 0.0, 0.0, 0.5, 0.5]);
        assert!(sums[0] == 3e38 && (sums[1] - 1.693_147_2).abs() < 1e-6);
        for bad in [f64::NAN, f64::INFINITY] {
            let (p, sums) = softmax::<f64>(machine, &[1.0, bad, 2.0], 3);
            assert!(p.iter().any(|x| x.is_nan()) && sums[0].is_nan());
        }
        let (p, _) = softmax::<f64>(machine, &[f64::NEG_INFINITY; 5], 5);
        assert!(p.iter().all(|x| x.is_nan()));
        let mut sums = [5.0; 2];
        rows::softmax(machine, Matrix::<f64>::new(&[], 2, 0, 0), MatrixMut::new(&mut [], 2, 0, 0), &mut sums);
        assert_eq!(sums, [f64::NEG_INFINITY; 2]);
    }
}

fn sums<T: Real>() {
    for machine in Machine::available() {
        for columns in 1..=70 {
            let (n, stride) = (columns % 13, padded::<T>(columns));
            let data = ramp::<T>(n * stride);
            let mut whole = vec![T::from_f64(5.0); stride + 1];
            rows::column_sums(machine, Matrix::new(&data, n, columns, stride), false, &mut whole);
            assert_eq!(whole[stride].to_f64(), 5.0);
            let chain = |j: usize, rows: Range<usize>| rows.fold(T::ZERO, |sum, i| sum + data[i * stride + j]);
            assert!((0..columns).all(|j| whole[j] == chain(j, 0..n)));
            // The same in two parts, the second added to the first.
            let (mut parts, cut) = (vec![T::ZERO; stride], n / 2);
            rows::column_sums(machine, Matrix::new(&data, cut, columns, stride), false, &mut parts);
            rows::column_sums(machine, Matrix::new(&data[cut * stride..], n - cut, columns, stride), true, &mut parts);
            assert!((0..columns).all(|j| parts[j] == chain(j, 0..cut) + chain(j, cut..n)));
        }
    }
}

#[test]
fn row_sums_are_column_sums_of_the_transpose() {
    for machine in Machine::available() {
        for (rows, columns) in [(1, 1), (3, 16), (4, 17), (5, 200), (12, 7), (13, 33), (16, 256), (17, 40), (33, 9)] {
            let (wide, tall) = (stride::<f32>(columns), stride::<f32>(rows));
            let (mut m, mut m_t) = (vec![0.0f32; rows * wide], vec![0.0f32; columns * tall]);
            for i in 0..rows {
                for j in 0..columns {
                    let x = ((i * 7919 + j * 104_729 + 13) % 1000) as f32 / 999.0 - 0.5;
                    (m[i * wide + j], m_t[j * tall + i]) = (x, x);
                }
            }
            let (m, m_t) = (Matrix::new(&m, rows, columns, wide), Matrix::new(&m_t, columns, rows, tall));
            let (mut sums, mut expected) = (vec![1.0f32; tall], vec![1.0f32; tall]);
            for accumulate in [true, false] {
                let squares = rows::row_sums(machine, m, accumulate, &mut sums);
                let expected_squares = rows::column_sums(machine, m_t, accumulate, &mut expected);
                assert_eq!(sums[..rows], expected[..rows], "{rows} x {columns} on {machine:?}");
                assert!((squares - expected_squares).abs() <= 1e-5 * expected_squares);
            }
        }
    }
}

#[test]
fn column_sums_match_plain_loops_to_the_bit() {
    sums::<f32>();
    sums::<f64>();
}

#[test]
fn isas_with_fma_agree_to_the_bit() {
    let fused: Vec<Machine> = Machine::available().into_iter().filter(|t| t.name() != "portable").collect();
    for pair in fused.windows(2) {
        for columns in 1..=70 {
            let z: Vec<f64> = (0..columns * 9).map(|i| (i as f64 * 1.7).sin() * 8.0).collect();
            assert_eq!(softmax::<f32>(pair[0], &z, columns), softmax::<f32>(pair[1], &z, columns));
            assert_eq!(softmax::<f64>(pair[0], &z, columns), softmax::<f64>(pair[1], &z, columns));
        }
    }
}

#[test]
fn isas_are_named() {
    let available = Machine::available();
    assert_eq!(available.last().unwrap().name(), "portable");
    for machine in available {
        assert!(Machine::all_names().contains(&machine.name()));
        assert_eq!(Machine::named(machine.name()), Some(machine));
    }
    assert_eq!(Machine::named("sse9"), None);
}

mod panics {
    use super::*;

    fn machine() -> Machine {
        Machine::best().unwrap()
    }

    #[test]
    #[should_panic(expected = "not whole lines")]
    fn map_refuses_a_part_of_a_line() {
        elementwise::map(machine(), &mut [0.0f32; 17], Formula);
    }

    #[test]
    #[should_panic(expected = "x and y differ in length")]
    fn map_to_refuses_a_short_y() {
        elementwise::map_to(machine(), &[0.0f32; 32], &mut [0.0; 16], Formula);
    }

    #[test]
    #[should_panic(expected = "differ in length")]
    fn map2_refuses_a_short_y() {
        elementwise::map2(machine(), &mut [0.0f32; 32], &[0.0; 16], Formula);
    }

    #[test]
    #[should_panic(expected = "w and g differ")]
    fn update_refuses_a_short_gradient() {
        elementwise::update(machine(), &mut [0.0f32; 32], &mut [], &[0.0; 16], Shift::<0>);
    }

    #[test]
    #[should_panic(expected = "1 states, not 2")]
    fn update_refuses_too_few_states() {
        elementwise::update(machine(), &mut [0.0f32; 16], &mut [ramp(16)], &[0.0; 16], Shift::<2>);
    }

    #[test]
    #[should_panic(expected = "w and a state differ")]
    fn update_refuses_a_short_state() {
        elementwise::update(machine(), &mut [0.0f32; 32], &mut [ramp(16)], &[0.0; 32], Shift::<1>);
    }

    #[test]
    #[should_panic(expected = "1 sums for 2 rows")]
    fn softmax_refuses_too_few_sums() {
        let z = [0.0f64; 16];
        rows::softmax(machine(), Matrix::new(&z, 2, 3, 8), MatrixMut::new(&mut [0.0; 16], 2, 3, 8), &mut [0.0]);
    }

    #[test]
    #[should_panic(expected = "z and p differ in shape")]
    fn softmax_refuses_another_shape() {
        let z = [0.0f64; 16];
        rows::softmax(machine(), Matrix::new(&z, 2, 3, 8), MatrixMut::new(&mut [0.0; 16], 2, 4, 8), &mut [0.0; 2]);
    }

    #[test]
    #[should_panic(expected = "3 sums for 8 padded columns")]
    fn column_sums_refuses_a_short_result() {
        rows::column_sums(machine(), Matrix::new(&[0.0f64; 16], 2, 3, 8), false, &mut [0.0; 3]);
    }
}
