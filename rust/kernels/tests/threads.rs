//! Any thread count gives the same bits: every product and every pass, on every instruction set of this CPU.

use chainrule_kernels::{
    Buffer, Machine, Map, Map2, Matrix, MatrixMut, Picks, Real, Source, Term, Update, Vector, columns, dropout,
    elementwise, gather, mask, normalize, normalize_back, pool, product, rows, squares, stride, within,
};

/// f(x) = 3x + 1 and f(x, y) = x y + x. Products apply `Odd<true>` in registers, `Odd<false>` strip by strip.
#[derive(Clone, Copy)]
struct Odd<const FUSED: bool>;

impl<const FUSED: bool> Map for Odd<FUSED> {
    const FUSED: bool = FUSED;
    #[inline(always)]
    fn map<V: Vector>(self, x: V) -> V {
        x.fma(x.like(3.0), x.like(1.0))
    }
}

impl<const FUSED: bool> Map2 for Odd<FUSED> {
    const FUSED: bool = FUSED;
    #[inline(always)]
    fn map<V: Vector>(self, x: V, y: V) -> V {
        x.fma(y, x)
    }
}

/// Momentum: v ← v/2 + g, w ← w − v/4.
#[derive(Clone, Copy)]
struct Momentum;

impl Update for Momentum {
    const STATES: usize = 1;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [v, a, b]: [V; 3], g: V) -> (V, [V; 3]) {
        let v = v.fma(v.like(0.5), g);
        (v.fma(v.like(-0.25), w), [v, a, b])
    }
}

/// l = a y, dl/da = y.
#[derive(Clone, Copy)]
struct Product;

impl Term for Product {
    #[inline(always)]
    fn term<V: Vector>(self, a: V, y: V) -> (V, V) {
        (a * y, y)
    }
}

fn waves<T: Real>(len: usize) -> Buffer<T> {
    let mut buffer = Buffer::zeroed(len).unwrap();
    let wave = |i: usize| T::from_f64((i.wrapping_mul(2_654_435_761) >> 9) as f64 % 1000.0 / 500.0 - 1.0);
    buffer.iter_mut().enumerate().for_each(|(i, x)| *x = wave(i));
    buffer
}

/// The results of all kernels for a batch of n rows and a layer of (k, m), a buffer each.
fn all<T: Real>(machine: Machine, n: usize, k: usize, m: usize) -> Vec<Buffer<T>> {
    let size = |rows: usize, columns: usize| rows * stride::<T>(columns);
    let matrix = |data, rows, columns| Matrix::new(data, rows, columns, stride::<T>(columns));
    fn into<T: Real>(data: &mut [T], rows: usize, columns: usize) -> MatrixMut<'_, T> {
        MatrixMut::new(data, rows, columns, stride::<T>(columns))
    }
    let (x, w, bias) = (waves(size(n, k)), waves(size(k, m)), waves::<T>(stride::<T>(m)));
    let (x, w) = (matrix(&x, n, k), matrix(&w, k, m));
    let mut out: Vec<Buffer<T>> = Vec::new();
    let mut make = |len: usize, fill: &mut dyn FnMut(&mut Buffer<T>)| {
        let mut buffer = waves(len);
        fill(&mut buffer);
        out.push(buffer);
    };
    let (mut a, mut w_t, mut x_t) = (waves(size(n, m)), waves(size(m, k)), waves(size(k, n)));
    product::forward(machine, x, w, Some(&bias), Odd::<true>, into(&mut a, n, m));
    product::transpose(machine, w, into(&mut w_t, m, k));
    product::transpose(machine, x, into(&mut x_t, k, n));
    let (delta, w_t, x_t) = (matrix(&a, n, m), matrix(&w_t, m, k), matrix(&x_t, k, n));
    make(size(n, m), &mut |y| product::forward(machine, x, w, None, Odd::<false>, into(y, n, m)));
    make(size(m, n), &mut |y| product::forward_transposed(machine, w_t, x_t, Some(&bias), into(y, m, n)));
    make(size(n, k), &mut |d| product::backward_input(machine, delta, w_t, Odd::<true>, x, into(d, n, k)));
    make(size(n, k), &mut |d| product::backward_input(machine, delta, w_t, Odd::<false>, x, into(d, n, k)));
    make(size(k, m), &mut |d| product::backward_weight(machine, x, delta, into(d, k, m)));
    for accumulate in [false, true] {
        make(size(1, m), &mut |sums| {
            rows::column_sums(machine, delta, accumulate, sums);
        });
    }
    let mut states = [waves::<T>(size(k, m))];
    make(size(k, m), &mut |p| {
        product::update_weight(machine, x, delta, p, &mut states, 0..size(k, m), stride::<T>(m), Momentum);
        // Padding that is not zero, as here, is updated if it shares a vector with weights.
        for buffer in [p, &mut states[0]] {
            buffer.chunks_exact_mut(stride::<T>(m)).for_each(|row| row[m..].fill(T::ZERO));
        }
    });
    make(size(k, m), &mut |p| elementwise::update(machine, p, &mut states, w.data(), Momentum));
    make(size(n, m), &mut |x| elementwise::map(machine, x, Odd::<false>));
    make(size(n, m), &mut |y| elementwise::map_to(machine, delta.data(), y, Odd::<false>));
    make(size(n, m), &mut |x| elementwise::map2(machine, x, delta.data(), Odd::<false>));
    let mut kept = waves(size(n, m));
    make(size(n, m), &mut |to| mask(machine, 7, 2, 1 << 30, T::ONE, into(to, n, m)));
    make(size(n, m), &mut |a| dropout(machine, 9, 0, 1 << 31, T::ONE, delta, into(&mut kept, n, m), into(a, n, m)));
    let mut sums = waves(stride::<T>(n));
    let gain = waves(stride::<T>(m));
    make(size(n, m), &mut |a| {
        normalize(machine, delta, (&gain, &gain), 1e-5, into(&mut kept, n, m), &mut sums, into(a, n, m));
    });
    let x_hat = Matrix::new(&kept, n, m, stride::<T>(m));
    make(size(n, m), &mut |d_x| normalize_back(machine, delta, &gain, x_hat, &sums, into(d_x, n, m)));
    make(size(n, m), &mut |p| rows::softmax(machine, delta, into(p, n, m), &mut sums));
    // Few outputs in columns: x_t is (k, n).
    let (labels, scale): (Vec<u32>, _) = ((0..n).map(|i| (i % k) as u32).collect(), waves(stride::<T>(n)));
    make(size(k, n), &mut |d| columns::cross_entropy(machine, x_t, &labels, &scale, into(d, k, n), &mut sums));
    make(size(k, n), &mut |d| columns::terms(machine, x_t, x_t, &scale, into(d, k, n), &mut sums, Product));
    let picks: Vec<u32> = (0..n as u32).rev().collect();
    make(size(n, k), &mut |to| {
        let table: Vec<T> = (0..n).flat_map(|i| x.row(i).to_vec()).collect();
        let source = Source::new(&table, n, k);
        assert!(gather(machine, &source, Picks::Index(&picks), into(to, n, k), T::ONE));
        assert!(!gather(machine, &source, Picks::Range { start: 0, len: n }, into(to, n, k), T::ZERO));
    });
    assert!(within(machine, x.data(), T::ONE) && !within(machine, x.data(), T::ZERO));
    let (sum, expected) =
        (squares(machine, x.data()).to_f64(), x.data().iter().map(|x| x.to_f64().powi(2)).sum::<f64>());
    assert!((sum - expected).abs() < 1e-5 * expected);
    let [moments] = states;
    out.extend([a, moments, sums, kept]);
    out
}

fn bits_do_not_depend_on_threads<T: Real>() {
    for machine in Machine::available() {
        for (n, k, m) in [(1, 1, 1), (5, 3, 17), (33, 70, 10), (64, 64, 64), (7, 300, 40), (100, 20, 513)] {
            let expected = all::<T>(machine, n, k, m);
            for threads in [2, 3, 8] {
                let got = all::<T>(machine.with_threads(threads), n, k, m);
                for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
                    assert!(**got == **expected, "{i} of {n} x {k} x {m} on {threads} threads, {machine:?}");
                }
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads_and_several_worked() {
    let before = pool::force(true);
    bits_do_not_depend_on_threads::<f32>();
    let between = pool::force(true);
    bits_do_not_depend_on_threads::<f64>();
    assert!(before < between && between < pool::force(false));
}
