//! Losses in columns: compared with plain loops, and checked for what must hold to the bit.

use chainrule_kernels::{Buffer, Machine, Matrix, MatrixMut, Real, Term, Vector, columns, padded, stride};

/// l = (a − y)³, dl/da = 3 (a − y)².
#[derive(Clone, Copy)]
struct Cube;

impl Term for Cube {
    #[inline(always)]
    fn term<V: Vector>(self, a: V, y: V) -> (V, V) {
        let square = (a - y) * (a - y);
        (square * (a - y), square * a.like(3.0))
    }
}

struct Run<T> {
    /// (k, n), row by row without padding.
    d: Vec<T>,
    /// A number for each column.
    loss: Vec<T>,
}

/// Runs `kernel(a, y, scale, d, loss)` on (k, n) numbers made by `a` and `y`; scale is 1 / (1 + column).
fn run<T: Real>(
    (k, n): (usize, usize),
    a: impl Fn(usize, usize) -> f64,
    y: impl Fn(usize, usize) -> f64,
    kernel: impl Fn(Matrix<T>, Matrix<T>, &[T], MatrixMut<T>, &mut [T]),
) -> Run<T> {
    let stride = stride::<T>(n);
    let table = |value: &dyn Fn(usize, usize) -> f64| {
        let mut table = Buffer::<T>::zeroed(k * stride).unwrap();
        for j in 0..k {
            (0..n).for_each(|i| table[j * stride + i] = T::from_f64(value(j, i)));
        }
        table
    };
    let (a, y) = (table(&a), table(&y));
    let mut d = Buffer::zeroed(k * stride).unwrap();
    let mut scale = Buffer::zeroed(padded::<T>(n)).unwrap();
    (0..n).for_each(|i| scale[i] = T::from_f64(1.0 / (1 + i) as f64));
    let mut loss = Buffer::zeroed(padded::<T>(n)).unwrap();
    let of = |table| Matrix::new(table, k, n, stride);
    kernel(of(&a), of(&y), &scale, MatrixMut::new(&mut d, k, n, stride), &mut loss);
    Run { d: (0..k).flat_map(|j| of(&d).row(j).to_vec()).collect(), loss: loss[..n].to_vec() }
}

fn logit(j: usize, i: usize) -> f64 {
    ((j * 7919 + i * 104_729 + 13) % 1000) as f64 / 25.0 - 20.0
}

fn label(k: usize, i: usize) -> usize {
    (3 * i + 1) % k
}

fn cross_entropy<T: Real>(machine: Machine, k: usize, n: usize, z: impl Fn(usize, usize) -> f64) -> Run<T> {
    let labels: Vec<u32> = (0..n).map(|i| label(k, i) as u32).collect();
    run((k, n), z, |_, _| 0.0, |z, _, scale, d, loss| columns::cross_entropy(machine, z, &labels, scale, d, loss))
}

fn terms<T: Real>(machine: Machine, k: usize, n: usize) -> Run<T> {
    run((k, n), logit, |j, i| logit(i, j), |a, y, scale, d, loss| columns::terms(machine, a, y, scale, d, loss, Cube))
}

fn match_plain_loops<T: Real>(tolerance: f64) {
    for machine in Machine::available() {
        for k in 1..20 {
            for n in [1, 2, 7, 8, 9, 15, 16, 17, 40, 100] {
                let got = cross_entropy::<T>(machine, k, n, logit);
                for i in 0..n {
                    let z: Vec<f64> = (0..k).map(|j| logit(j, i)).collect();
                    let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let sum: f64 = z.iter().map(|z| (z - top).exp()).sum();
                    let error = (got.loss[i].to_f64() - (top + sum.ln() - z[label(k, i)])).abs();
                    // One rounding when it is stored, at most 64 in size, and one when it is added.
                    assert!(error <= 80.0 * tolerance, "{machine:?} {k} {n}: the loss is off by {error}");
                    for (j, z) in z.iter().enumerate() {
                        let (p, own) = ((z - top).exp() / sum, f64::from(j == label(k, i)));
                        let (want, size) = ((p - own) / (1 + i) as f64, (p + own) / (1 + i) as f64);
                        let error = (got.d[j * n + i].to_f64() - want).abs();
                        assert!(
                            error <= 40.0 * tolerance * size + 1e-30,
                            "{machine:?} {k} {n}: {want} is off by {error}"
                        );
                    }
                }
                let got = terms::<T>(machine, k, n);
                for i in 0..n {
                    let of = |j: usize| T::from_f64(logit(j, i)) - T::from_f64(logit(i, j));
                    let want: f64 = (0..k).map(|j| of(j).to_f64().powi(3)).sum();
                    let size: f64 = (0..k).map(|j| of(j).to_f64().abs().powi(3)).sum();
                    assert!((got.loss[i].to_f64() - want).abs() <= 8.0 * tolerance * size * k as f64);
                    for j in 0..k {
                        let want = 3.0 * of(j).to_f64().powi(2) / (1 + i) as f64;
                        assert!((got.d[j * n + i].to_f64() - want).abs() <= 8.0 * tolerance * want);
                    }
                }
            }
        }
    }
}

#[test]
fn columns_match_plain_loops() {
    match_plain_loops::<f32>(f64::from(f32::EPSILON));
    match_plain_loops::<f64>(f64::EPSILON);
}

#[test]
fn isas_with_fma_agree_to_the_bit() {
    let fused: Vec<Machine> = Machine::available().into_iter().filter(|t| t.name() != "portable").collect();
    for pair in fused.windows(2) {
        for (k, n) in [(1, 5), (3, 17), (10, 200), (16, 33)] {
            let [one, other] = [0, 1].map(|t| cross_entropy::<f32>(pair[t], k, n, logit));
            assert_eq!((one.d, one.loss), (other.d, other.loss));
            let [one, other] = [0, 1].map(|t| cross_entropy::<f64>(pair[t], k, n, logit));
            assert_eq!((one.d, one.loss), (other.d, other.loss));
            let [one, other] = [0, 1].map(|t| terms::<f32>(pair[t], k, n));
            assert_eq!((one.d, one.loss), (other.d, other.loss));
        }
    }
}

#[test]
fn column_does_not_depend_on_its_neighbors() {
    for machine in Machine::available() {
        let together = cross_entropy::<f32>(machine, 5, 40, logit);
        for i in (0..40).step_by(5) {
            let alone = cross_entropy::<f32>(machine, 5, 1, |j, _| logit(j, i));
            assert_eq!(alone.loss[0], together.loss[i]);
        }
    }
}

#[test]
fn cross_entropy_survives_huge_columns_and_keeps_what_is_not_a_number_to_one() {
    for machine in Machine::available() {
        for (wrong, is_finite) in [(3e38, true), (-3e38, true), (f64::INFINITY, false), (f64::NAN, false)] {
            let z = |j: usize, i: usize| if (j, i) == (1, 2) { wrong } else { logit(j, i) };
            let got = cross_entropy::<f32>(machine, 3, 20, z);
            for i in 0..20 {
                let finite = got.loss[i].is_finite() && (0..3).all(|j| got.d[j * 20 + i].is_finite());
                assert_eq!(finite, i != 2 || is_finite, "{wrong} in column 2: column {i} on {machine:?}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "z and d differ in shape")]
fn cross_entropy_refuses_another_shape() {
    let (z, mut d) = ([0.0f32; 32], [0.0f32; 16]);
    let (z, d) = (Matrix::new(&z, 2, 3, 16), MatrixMut::new(&mut d, 1, 3, 16));
    columns::cross_entropy(Machine::best().unwrap(), z, &[0; 3], &[1.0; 16], d, &mut [0.0; 16]);
}

#[test]
#[should_panic(expected = "not a label a column")]
fn cross_entropy_refuses_too_few_labels() {
    let (z, mut d) = ([0.0f32; 32], [0.0f32; 32]);
    let (z, d) = (Matrix::new(&z, 2, 3, 16), MatrixMut::new(&mut d, 2, 3, 16));
    columns::cross_entropy(Machine::best().unwrap(), z, &[0; 2], &[1.0; 16], d, &mut [0.0; 16]);
}

#[test]
#[should_panic(expected = "a scale or losses shorter than 16")]
fn terms_refuse_a_short_scale() {
    let (a, mut d) = ([0.0f32; 16], [0.0f32; 16]);
    let (a, d) = (Matrix::new(&a, 1, 3, 16), MatrixMut::new(&mut d, 1, 3, 16));
    columns::terms(Machine::best().unwrap(), a, a, &[1.0; 3], d, &mut [0.0; 16], Cube);
}

fn softmax<T: Real>(machine: Machine, k: usize, n: usize, z: impl Fn(usize, usize) -> f64) -> Vec<T> {
    let kernel = |z: Matrix<T>, _: Matrix<T>, _: &[T], mut p: MatrixMut<T>, _: &mut [T]| {
        p.data_mut().copy_from_slice(z.data());
        columns::softmax(machine, p);
    };
    run((k, n), z, |_, _| 0.0, kernel).d
}

#[test]
fn softmax_matches_plain_loops_to_the_bit_with_fma() {
    fn check<T: Real>(ulp: f64) {
        for (k, n) in [(1, 1), (2, 16), (3, 33), (10, 200), (16, 7)] {
            let mut bits: Option<Vec<u64>> = None;
            for machine in Machine::available() {
                let p = softmax::<T>(machine, k, n, logit);
                for i in 0..n {
                    let terms: Vec<f64> = (0..k).map(|j| T::from_f64(logit(j, i)).to_f64()).collect();
                    let top = terms.iter().copied().fold(f64::MIN, f64::max);
                    let sum: f64 = terms.iter().map(|z| (z - top).exp()).sum();
                    for (j, z) in terms.iter().enumerate() {
                        let want = (z - top).exp() / sum;
                        // z − c rounded, exp below 1.5 units, a sum of k, a division and a product.
                        let (error, units) = ((p[j * n + i].to_f64() - want).abs() / want, 4.0 + k as f64 + top - z);
                        assert!(error <= units * ulp, "{k} x {n} at {j}, {i} on {}: {error}", machine.name());
                    }
                }
                let own: Vec<u64> = p.iter().map(|p| p.to_f64().to_bits()).collect();
                if machine.name() != "portable" {
                    assert_eq!(bits.get_or_insert_with(|| own.clone()), &own, "{}", machine.name());
                }
            }
        }
    }
    check::<f32>(f64::from(f32::EPSILON));
    check::<f64>(f64::EPSILON);
}

#[test]
fn softmax_survives_huge_and_tells_nan_and_infinite_columns() {
    for machine in Machine::available() {
        let huge = softmax::<f32>(machine, 3, 2, |j, i| if i == 0 { [3e38, -3e38, 0.0][j] } else { 1.0 });
        assert_eq!((huge[0], huge[2], huge[4]), (1.0, 0.0, 0.0));
        for bad in [f64::NAN, f64::INFINITY] {
            let p = softmax::<f64>(machine, 3, 2, |j, i| if (j, i) == (1, 1) { bad } else { 1.0 });
            assert!(p[1].is_nan() && p[3].is_nan() && !p[0].is_nan(), "{p:?}");
        }
    }
}
