//! Every product, on every instruction set of this CPU: compared with a plain triple loop, and checked for what must
//! hold to the bit.

use chainrule_kernels::product::{self, Start};
use chainrule_kernels::{
    Buffer, Identity, Machine, Map, Map2, Matrix, MatrixMut, Real, Source, Update, Vector, elementwise, padded, stride,
};

/// A matrix that owns its memory: small whole numbers or fractions, and zeros in the padding.
struct Owned<T> {
    data: Buffer<T>,
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<T: Real> Owned<T> {
    fn zeros(rows: usize, columns: usize) -> Self {
        let stride = stride::<T>(columns);
        Owned { data: Buffer::zeroed(rows * stride).unwrap(), rows, columns, stride }
    }

    fn random(rows: usize, columns: usize, seed: u64) -> Self {
        let mut m = Self::zeros(rows, columns);
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        for i in 0..rows {
            for x in m.as_mut().row_mut(i) {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *x = T::from_f64((state >> 33) as f64 / (1u64 << 30) as f64 - 1.0);
            }
        }
        m
    }

    fn as_ref(&self) -> Matrix<'_, T> {
        Matrix::new(&self.data, self.rows, self.columns, self.stride)
    }

    fn as_mut(&mut self) -> MatrixMut<'_, T> {
        MatrixMut::new(&mut self.data, self.rows, self.columns, self.stride)
    }

    /// Rows from..to as a matrix of their own.
    fn part(&self, from: usize, to: usize) -> Matrix<'_, T> {
        Matrix::new(&self.data[from * self.stride..], to - from, self.columns, self.stride)
    }

    fn values(&self) -> Vec<f64> {
        (0..self.rows).flat_map(|i| self.as_ref().row(i)).map(|x| x.to_f64()).collect()
    }

    fn padding_is_zero(&self) -> bool {
        let line = padded::<T>(self.columns);
        (0..self.rows).all(|i| {
            self.data[i * self.stride + self.columns..i * self.stride + line].iter().all(|x| x.to_f64() == 0.0)
        })
    }
}

/// f(x) = 2x + 1 if x > 0, otherwise 0;  f(x, y) = x · y + x. Applied in registers, or strip by strip.
#[derive(Clone, Copy)]
struct Odd<const FUSED: bool>;

impl<const FUSED: bool> Map for Odd<FUSED> {
    const FUSED: bool = FUSED;
    #[inline(always)]
    fn map<V: Vector>(self, x: V) -> V {
        V::select(x.gt(x.like(0.0)), x + x + x.like(1.0), x.like(0.0))
    }
}

impl<const FUSED: bool> Map2 for Odd<FUSED> {
    const FUSED: bool = FUSED;
    #[inline(always)]
    fn map<V: Vector>(self, x: V, y: V) -> V {
        x * y + x
    }
}

/// All sums of a product in f64, row by row.
fn triple(
    m: usize,
    n: usize,
    k: usize,
    start: impl Fn(usize, usize) -> f64,
    a: impl Fn(usize, usize) -> f64,
    b: impl Fn(usize, usize) -> f64,
) -> Vec<f64> {
    let mut c = Vec::with_capacity(m * n);
    for i in 0..m {
        for j in 0..n {
            c.push((0..k).fold(start(i, j), |sum, s| sum + a(i, s) * b(s, j)));
        }
    }
    c
}

#[track_caller]
fn close<T: Real>(got: &[f64], want: &[f64], k: usize, what: &str) {
    assert_eq!(got.len(), want.len());
    // Each of k steps rounds once. A partial sum has at most k terms, each below 1.
    let epsilon = if T::LINE == 16 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    let bound = epsilon * (k + 4) as f64 * (k as f64).sqrt().max(4.0);
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= bound, "{what}: element {i} is {g}, not {w}");
    }
}

/// Sizes that need tiles of every height, every remainder of columns, and both sides of the driver's thresholds.
fn sizes() -> impl Iterator<Item = (usize, usize, usize)> {
    let small = (1..=70).map(|i| (i, (i * 29) % 71, (i * 13) % 67));
    let other = (1..=70).map(|i| ((i * 17) % 71, i, (i * 31) % 69));
    let edges = [
        (0, 5, 5),
        (5, 0, 5),
        (5, 5, 0),
        (1, 1, 1),
        (130, 40, 390),
        (7, 300, 385),
        (64, 64, 64),
        (200, 100, 64),
        (50, 530, 33),
        (35, 257, 800),
        (3, 1000, 20),
        (2, 70, 900),
        (700, 17, 40),
    ];
    small.chain(other).chain(edges)
}

fn doors_match_triple_loops<T: Real>() {
    for machine in Machine::available() {
        for (n, n_out, n_in) in sizes() {
            let what = format!("{} {} n {n} n_out {n_out} n_in {n_in}", machine.name(), T::NAME);
            let x = Owned::<T>::random(n, n_in, 1);
            let w = Owned::<T>::random(n_in, n_out, 2);
            let delta = Owned::<T>::random(n, n_out, 3);
            let mut bias = Buffer::zeroed(padded::<T>(n_out)).unwrap();
            bias[..n_out].copy_from_slice(&Owned::<T>::random(1, n_out.max(1), 4).data[..n_out]);
            let at = |m: &Owned<T>, i: usize, j: usize| m.data[i * m.stride + j].to_f64();

            let mut y = Owned::<T>::random(n, n_out, 5);
            product::forward(machine, x.as_ref(), w.as_ref(), Some(&bias), Odd::<false>, y.as_mut());
            let mut fused = Owned::<T>::random(n, n_out, 5);
            product::forward(machine, x.as_ref(), w.as_ref(), Some(&bias), Odd::<true>, fused.as_mut());
            assert_eq!(y.values(), fused.values(), "forward in registers {what}");
            let mut want = triple(n, n_out, n_in, |_, j| bias[j].to_f64(), |i, k| at(&x, i, k), |k, j| at(&w, k, j));
            for z in &mut want {
                *z = if *z > 0.0 { 2.0 * *z + 1.0 } else { 0.0 };
            }
            // f jumps at 0: skip sums that rounding may have put on the other side.
            let got: Vec<f64> = y
                .values()
                .iter()
                .zip(&want)
                .map(|(&g, &w)| if (g - w).abs() > 0.99 && g.max(w) < 1.01 { w } else { g })
                .collect();
            close::<T>(&got, &want, 2 * n_in, &format!("forward {what}"));
            product::forward(machine, x.as_ref(), w.as_ref(), None, Identity, y.as_mut());
            let want = triple(n, n_out, n_in, |_, _| 0.0, |i, k| at(&x, i, k), |k, j| at(&w, k, j));
            close::<T>(&y.values(), &want, n_in, &format!("forward without bias {what}"));
            assert!(y.padding_is_zero(), "{what}");

            let mut w_t = Owned::<T>::random(n_out, n_in, 6);
            product::transpose(machine, w.as_ref(), w_t.as_mut());
            for i in 0..n_in {
                for j in 0..n_out {
                    assert!(at(&w, i, j) == at(&w_t, j, i), "transpose {what}");
                }
            }
            assert!(w_t.padding_is_zero(), "transpose {what}");

            let mut d_x = Owned::<T>::random(n, n_in, 7);
            product::backward_input(machine, delta.as_ref(), w_t.as_ref(), Odd::<false>, x.as_ref(), d_x.as_mut());
            let mut fused = Owned::<T>::random(n, n_in, 7);
            product::backward_input(machine, delta.as_ref(), w_t.as_ref(), Odd::<true>, x.as_ref(), fused.as_mut());
            assert_eq!(d_x.values(), fused.values(), "backward_input in registers {what}");
            let mut want = triple(n, n_in, n_out, |_, _| 0.0, |i, j| at(&delta, i, j), |j, k| at(&w, k, j));
            for (d, a) in want.iter_mut().zip(x.values()) {
                *d += *d * a;
            }
            close::<T>(&d_x.values(), &want, 2 * n_out, &format!("backward_input {what}"));
            assert!(d_x.padding_is_zero(), "{what}");

            let mut d_w = Owned::<T>::random(n_in, n_out, 8);
            product::backward_weight(machine, x.as_ref(), delta.as_ref(), d_w.as_mut());
            let want = triple(n_in, n_out, n, |_, _| 0.0, |k, i| at(&x, i, k), |i, j| at(&delta, i, j));
            close::<T>(&d_w.values(), &want, n, &format!("backward_weight {what}"));
            assert!(d_w.padding_is_zero(), "{what}");
        }
    }
}

#[test]
fn doors_match_triple_loops_f32() {
    doors_match_triple_loops::<f32>();
}

#[test]
fn doors_match_triple_loops_f64() {
    doors_match_triple_loops::<f64>();
}

/// The bits of all three products for one shape.
fn bits<T: Real>(machine: Machine, n: usize, n_out: usize, n_in: usize) -> Vec<u64> {
    let x = Owned::<T>::random(n, n_in, 11);
    let w = Owned::<T>::random(n_in, n_out, 12);
    let w_t = Owned::<T>::random(n_out, n_in, 13);
    let delta = Owned::<T>::random(n, n_out, 14);
    let (mut y, mut d_x, mut d_w) =
        (Owned::<T>::zeros(n, n_out), Owned::<T>::zeros(n, n_in), Owned::<T>::zeros(n_in, n_out));
    product::forward(machine, x.as_ref(), w.as_ref(), None, Odd::<true>, y.as_mut());
    product::backward_input(machine, delta.as_ref(), w_t.as_ref(), Odd::<true>, x.as_ref(), d_x.as_mut());
    product::backward_weight(machine, x.as_ref(), delta.as_ref(), d_w.as_mut());
    [y, d_x, d_w].iter().flat_map(|m| m.values()).map(f64::to_bits).collect()
}

#[test]
fn isas_with_fma_agree_to_the_bit() {
    let fused: Vec<Machine> = Machine::available().into_iter().filter(|t| t.name() != "portable").collect();
    for pair in fused.windows(2) {
        for (n, n_out, n_in) in sizes() {
            assert_eq!(bits::<f32>(pair[0], n, n_out, n_in), bits::<f32>(pair[1], n, n_out, n_in));
            assert_eq!(bits::<f64>(pair[0], n, n_out, n_in), bits::<f64>(pair[1], n, n_out, n_in));
        }
    }
}

/// With fused multiply-add an element is exactly the chain that the docs promise.
fn forward_is_the_chain<T: Real>() {
    for machine in Machine::available() {
        for (n, n_out, n_in) in [(13, 21, 40), (5, 100, 700), (9, 3, 1)] {
            let (x, w) = (Owned::<T>::random(n, n_in, 1), Owned::<T>::random(n_in, n_out, 2));
            let mut y = Owned::<T>::zeros(n, n_out);
            product::forward(machine, x.as_ref(), w.as_ref(), None, Identity, y.as_mut());
            for i in 0..n {
                for j in 0..n_out {
                    let mut sum = T::ZERO;
                    for k in 0..n_in {
                        let (a, b) = (x.as_ref().row(i)[k], w.as_ref().row(k)[j]);
                        sum = if machine.name() == "portable" { a * b + sum } else { a.mul_add(b, sum) };
                    }
                    assert_eq!(y.as_ref().row(i)[j], sum, "{}", machine.name());
                }
            }
        }
    }
}

#[test]
fn forward_is_the_chain_that_the_docs_promise() {
    forward_is_the_chain::<f32>();
    forward_is_the_chain::<f64>();
}

fn rows_do_not_depend_on_the_batch<T: Real>() {
    for machine in Machine::available() {
        for (n, n_out, n_in) in [(70, 33, 20), (61, 530, 40), (300, 20, 450), (37, 4, 3)] {
            let x = Owned::<T>::random(n, n_in, 1);
            let w = Owned::<T>::random(n_in, n_out, 2);
            let mut whole = Owned::<T>::zeros(n, n_out);
            product::forward(machine, x.as_ref(), w.as_ref(), None, Odd::<true>, whole.as_mut());
            for (from, to) in [(0, 1), (0, 2), (3, 6), (1, 8), (10, 27), (5, n)] {
                let mut part = Owned::<T>::zeros(to - from, n_out);
                product::forward(machine, x.part(from, to), w.as_ref(), None, Odd::<true>, part.as_mut());
                assert_eq!(part.values(), whole.values()[from * n_out..to * n_out], "{} {from}..{to}", machine.name());
            }
        }
    }
}

#[test]
fn rows_do_not_depend_on_the_batch_to_the_bit() {
    rows_do_not_depend_on_the_batch::<f32>();
    rows_do_not_depend_on_the_batch::<f64>();
}

/// The transpose of a matrix, in memory of its own.
fn transposed<T: Real>(machine: Machine, m: &Owned<T>) -> Owned<T> {
    let mut m_t = Owned::zeros(m.columns, m.rows);
    product::transpose(machine, m.as_ref(), m_t.as_mut());
    m_t
}

/// The chains are the same if operands are transposed.
fn orientation_changes_no_bit<T: Real>() {
    for machine in Machine::available() {
        for (n, n_out, n_in) in sizes() {
            let what = format!("{} {} n {n} n_out {n_out} n_in {n_in}", machine.name(), T::NAME);
            let (x, w) = (Owned::<T>::random(n, n_in, 1), Owned::<T>::random(n_in, n_out, 2));
            let delta = Owned::<T>::random(n, n_out, 3);
            let mut bias = Buffer::zeroed(padded::<T>(n_out)).unwrap();
            bias[..n_out].copy_from_slice(&Owned::<T>::random(1, n_out.max(1), 4).data[..n_out]);
            for bias in [None, Some(&bias[..])] {
                let (mut y, mut y_t) = (Owned::<T>::zeros(n, n_out), Owned::<T>::random(n_out, n, 5));
                product::forward(machine, x.as_ref(), w.as_ref(), bias, Identity, y.as_mut());
                let (w_t, x_t) = (transposed(machine, &w), transposed(machine, &x));
                product::forward_transposed(machine, w_t.as_ref(), x_t.as_ref(), bias, y_t.as_mut());
                assert_eq!(y.values(), transposed(machine, &y_t).values(), "forward {what}");
            }
            let (mut d_w, mut d_w_t) = (Owned::<T>::zeros(n_in, n_out), Owned::<T>::zeros(n_out, n_in));
            product::backward_weight(machine, x.as_ref(), delta.as_ref(), d_w.as_mut());
            let x_t = transposed(machine, &x);
            let mut again = Owned::<T>::zeros(n_in, n_out);
            product::backward_weight(machine, x_t.as_ref().transposed(), delta.as_ref(), again.as_mut());
            assert_eq!(d_w.values(), again.values(), "backward_weight, x the other way round {what}");
            product::backward_weight(machine, delta.as_ref(), x.as_ref(), d_w_t.as_mut());
            assert_eq!(d_w.values(), transposed(machine, &d_w_t).values(), "backward_weight {what}");
        }
    }
}

#[test]
fn orientation_changes_no_bit_f32() {
    orientation_changes_no_bit::<f32>();
}

#[test]
fn orientation_changes_no_bit_f64() {
    orientation_changes_no_bit::<f64>();
}

/// w ← w + g · (1 + m); m ← g / 2; each further state ← the one before it.
#[derive(Clone, Copy)]
struct Shift<const STATES: usize>;

impl<const STATES: usize> Update for Shift<STATES> {
    const STATES: usize = STATES;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [a, b, _]: [V; 3], g: V) -> (V, [V; 3]) {
        ((a + g.like(1.0)).fma(g, w), [g * g.like(0.5), a, b])
    }
}

fn update_is_gradient_then_update<T: Real, const STATES: usize>(machine: Machine, n: usize, n_out: usize, n_in: usize) {
    let what = format!("{} {} {STATES} states n {n} n_out {n_out} n_in {n_in}", machine.name(), T::NAME);
    let (x, delta) = (Owned::<T>::random(n, n_in, 1), Owned::<T>::random(n, n_out, 2));
    // The weights are part of larger buffers.
    let (stride, before) = (stride::<T>(n_out), T::LINE);
    let len = n_in * stride;
    let buffer = |seed| {
        let mut all = Buffer::<T>::zeroed(len + 2 * T::LINE).unwrap();
        all[before..before + len].copy_from_slice(&Owned::<T>::random(n_in, n_out, seed).data);
        all
    };
    let (mut fused, mut plain) = (buffer(3), buffer(3));
    let mut fused_states: Vec<_> = (0..STATES as u64).map(|s| buffer(4 + s)).collect();
    let mut plain_states: Vec<_> = (0..STATES as u64).map(|s| buffer(4 + s)).collect();
    let place = before..before + len;
    let rule = Shift::<STATES>;
    product::update_weight(machine, x.as_ref(), delta.as_ref(), &mut fused, &mut fused_states, place, stride, rule);
    let mut d_w = Buffer::<T>::zeroed(len + 2 * T::LINE).unwrap();
    let into = MatrixMut::new(&mut d_w[before..before + len], n_in, n_out, stride);
    product::backward_weight(machine, x.as_ref(), delta.as_ref(), into);
    elementwise::update(machine, &mut plain, &mut plain_states, &d_w, rule);
    assert_eq!(fused[..], plain[..], "{what}");
    for (fused, plain) in fused_states.iter().zip(&plain_states) {
        assert_eq!(fused[..], plain[..], "{what}");
    }
}

#[test]
fn update_weight_is_the_gradient_and_then_the_update_to_the_bit() {
    for machine in Machine::available() {
        // The last shapes are so large that a long formula goes row by row.
        for (n, n_out, n_in) in sizes().chain([(5, 260, 131), (3, 1031, 37)]) {
            update_is_gradient_then_update::<f32, 0>(machine, n, n_out, n_in);
            update_is_gradient_then_update::<f64, 1>(machine, n, n_out, n_in);
            update_is_gradient_then_update::<f32, 2>(machine, n, n_out, n_in);
            update_is_gradient_then_update::<f64, 3>(machine, n, n_out, n_in);
        }
    }
}

#[test]
fn products_write_nothing_beyond_their_rows() {
    for machine in Machine::available() {
        let (x, w) = (Owned::<f32>::random(7, 9, 1), Owned::<f32>::random(9, 20, 2));
        // 20 columns are 32 padded ones; rows are 48 apart, and there is one more than the matrix has.
        let mut memory = vec![7.5f32; 8 * 48];
        product::forward(machine, x.as_ref(), w.as_ref(), None, Identity, MatrixMut::new(&mut memory, 7, 20, 48));
        for (i, x) in memory.iter().enumerate() {
            assert_eq!(*x == 7.5, i % 48 >= 32 || i / 48 == 7, "{i}");
        }
    }
}

mod panics {
    use super::*;

    fn forward(rows: usize, bias: usize, columns: usize) {
        let (x, w) = (Owned::<f32>::zeros(4, 5), Owned::<f32>::zeros(5, columns));
        let bias = vec![0.0; bias];
        product::forward(
            Machine::best().unwrap(),
            x.as_ref(),
            w.as_ref(),
            Some(&bias),
            Identity,
            Owned::zeros(rows, 17).as_mut(),
        );
    }

    #[test]
    fn forward_takes_fitting_shapes() {
        forward(4, 32, 17);
    }

    #[test]
    #[should_panic(expected = "a bias shorter than 32")]
    fn forward_refuses_a_short_bias() {
        forward(4, 17, 17);
    }

    #[test]
    #[should_panic(expected = "y has not the shape")]
    fn forward_refuses_a_short_y() {
        forward(3, 32, 17);
    }

    #[test]
    #[should_panic(expected = "y has not the shape")]
    fn forward_refuses_a_wide_w() {
        forward(4, 32, 18);
    }

    #[test]
    #[should_panic(expected = "x and w do not fit")]
    fn forward_refuses_a_short_w() {
        let (x, w) = (Owned::<f64>::zeros(4, 5), Owned::<f64>::zeros(4, 3));
        product::forward(Machine::best().unwrap(), x.as_ref(), w.as_ref(), None, Identity, Owned::zeros(4, 3).as_mut());
    }

    fn backward_input(inner: usize, a_rows: usize, columns: usize) {
        let (delta, w_t) = (Owned::<f64>::zeros(4, 5), Owned::<f64>::zeros(inner, columns));
        let a = Owned::zeros(a_rows, 3);
        product::backward_input(
            Machine::best().unwrap(),
            delta.as_ref(),
            w_t.as_ref(),
            Identity,
            a.as_ref(),
            Owned::zeros(4, 3).as_mut(),
        );
    }

    #[test]
    #[should_panic(expected = "delta and w_t do not fit")]
    fn backward_input_refuses_a_short_w_t() {
        backward_input(4, 4, 3);
    }

    #[test]
    #[should_panic(expected = "a and d_x differ")]
    fn backward_input_refuses_a_short_a() {
        backward_input(5, 3, 3);
    }

    #[test]
    #[should_panic(expected = "d_x has not the shape")]
    fn backward_input_refuses_a_wide_w_t() {
        backward_input(5, 4, 4);
    }

    fn forward_transposed(inner: usize, bias: usize, y_rows: usize) {
        let (w_t, x_t) = (Owned::<f32>::zeros(3, 5), Owned::<f32>::zeros(inner, 7));
        let bias = vec![0.0; bias];
        product::forward_transposed(
            Machine::best().unwrap(),
            w_t.as_ref(),
            x_t.as_ref(),
            Some(&bias),
            Owned::zeros(y_rows, 7).as_mut(),
        );
    }

    #[test]
    #[should_panic(expected = "w_t and x_t do not fit")]
    fn forward_transposed_refuses_a_short_x_t() {
        forward_transposed(4, 3, 3);
    }

    #[test]
    #[should_panic(expected = "a bias shorter than 3")]
    fn forward_transposed_refuses_a_short_bias() {
        forward_transposed(5, 2, 3);
    }

    #[test]
    #[should_panic(expected = "y_t has not the shape")]
    fn forward_transposed_refuses_a_short_y_t() {
        forward_transposed(5, 3, 2);
    }

    fn update_weight(rows: usize, states: usize, place: std::ops::Range<usize>) {
        let (x, delta) = (Owned::<f32>::zeros(4, 5), Owned::<f32>::zeros(rows, 3));
        let mut parameters = vec![0.0; 5 * 16];
        let mut states: Vec<_> = (0..states).map(|_| Buffer::zeroed(5 * 16).unwrap()).collect();
        product::update_weight(
            Machine::best().unwrap(),
            x.as_ref(),
            delta.as_ref(),
            &mut parameters,
            &mut states,
            place,
            16,
            Shift::<1>,
        );
    }

    #[test]
    #[should_panic(expected = "x and delta differ in rows")]
    fn update_weight_refuses_a_short_delta() {
        update_weight(3, 1, 0..80);
    }

    #[test]
    #[should_panic(expected = "2 states, not 1")]
    fn update_weight_refuses_another_number_of_states() {
        update_weight(4, 2, 0..80);
    }

    #[test]
    #[should_panic(expected = "64 numbers for 5 rows")]
    fn update_weight_refuses_a_short_place() {
        update_weight(4, 1, 0..64);
    }

    fn backward_weight(rows: usize, d_w_rows: usize) {
        let (x, delta) = (Owned::<f64>::zeros(4, 5), Owned::<f64>::zeros(rows, 3));
        product::backward_weight(
            Machine::best().unwrap(),
            x.as_ref(),
            delta.as_ref(),
            Owned::zeros(d_w_rows, 3).as_mut(),
        );
    }

    #[test]
    #[should_panic(expected = "x and delta differ in rows")]
    fn backward_weight_refuses_a_short_delta() {
        backward_weight(3, 5);
    }

    #[test]
    #[should_panic(expected = "d_w has not the shape")]
    fn backward_weight_refuses_a_short_d_w() {
        backward_weight(4, 4);
    }

    #[test]
    #[should_panic(expected = "not the shape of the transpose")]
    fn transpose_refuses_another_shape() {
        product::transpose(Machine::best().unwrap(), Owned::<f32>::zeros(4, 5).as_ref(), Owned::zeros(4, 5).as_mut());
    }
}

fn part_in_place_and_rest_have_the_bits_of_the_whole<T: Real>() {
    for machine in Machine::available() {
        for (n, n_out, n_in) in [(1, 1, 1), (1, 1, 40), (3, 5, 9), (2, 16, 3), (9, 33, 300), (1, 64, 17), (4, 100, 2)] {
            let (x, w) = (Owned::<T>::random(n, n_in, 1), Owned::<T>::random(n_in, n_out, 2));
            let bias = vec![T::from_f64(0.5); padded::<T>(n_out)];
            let mut whole = Owned::<T>::random(n, n_out, 3);
            product::forward(machine, x.as_ref(), w.as_ref(), Some(&bias), Odd::<true>, whole.as_mut());
            let mut y = Owned::<T>::random(n, n_out, 4);
            let table: Vec<T> = w.values().into_iter().map(T::from_f64).collect();
            let source = Source::new(&table, n_in, n_out);
            let k = product::forward_in_place(machine, x.as_ref(), &source, Start::Bias(&bias), y.as_mut());
            assert!(k < n_in && (n_out < 16 || n_in == 1 || k > 0), "{k} of {n_in}");
            let start = if k == 0 { Start::Bias(&bias[..]) } else { Start::Sums };
            let mut rest = Owned::<T>::zeros(n, n_in - k);
            (0..n).for_each(|i| rest.as_mut().row_mut(i).copy_from_slice(&x.as_ref().row(i)[k..]));
            product::forward_from(machine, rest.as_ref(), w.part(k, n_in), start, Odd::<true>, y.as_mut());
            assert_eq!(y.values(), whole.values(), "{} n {n} n_out {n_out} n_in {n_in}", machine.name());
        }
    }
}

#[test]
fn products_in_place_are_parts_of_products() {
    part_in_place_and_rest_have_the_bits_of_the_whole::<f32>();
    part_in_place_and_rest_have_the_bits_of_the_whole::<f64>();
}
