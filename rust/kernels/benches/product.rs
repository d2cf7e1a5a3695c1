//! The three products at the sizes of real layers: GFLOP/s, and the fraction of the peak of the multiply-add units.
//!
//! `cargo bench -p chainrule-kernels --bench product [-- filter [seconds]]`. One thread. Results are checked first. The
//! time is the best of the rounds that fit into the seconds; a busy machine needs many. `CHAINRULE_TARGET` chooses the
//! instruction set. The peaks of one thread and of all threads are printed first; the filter `peak` stops after them.

mod units;

use chainrule_kernels::{Buffer, Identity, Machine, Map, Map2, Matrix, MatrixMut, Real, Vector, product, stride};
use std::time::Instant;

/// Batch × n_out × n_in.
const SHAPES: &[(usize, usize, usize)] = &[
    (128, 512, 784),
    (128, 512, 512),
    (256, 2048, 1024),
    (256, 2048, 2048),
    (128, 128, 784),
    (64, 64, 64),
    (200, 100, 64),
    (16, 16, 4),
    (64, 4, 64),
    (1, 64, 64),
    (1, 128, 784),
];

#[derive(Clone, Copy)]
struct Relu;

impl Map for Relu {
    const FUSED: bool = true;
    #[inline(always)]
    fn map<V: Vector>(self, z: V) -> V {
        z.max(z.like(0.0))
    }
}

impl Map2 for Relu {
    const FUSED: bool = true;
    #[inline(always)]
    fn map<V: Vector>(self, d_a: V, a: V) -> V {
        V::select(a.gt(a.like(0.0)), d_a, a.like(0.0))
    }
}

/// Seconds that `f` takes: by the clock or, if that is so long that other processes get a turn, by this thread's time
/// on the processor, which is coarse.
fn seconds(f: impl FnOnce()) -> f64 {
    let thread = || {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the call writes one timespec.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    };
    let (start, clock) = (thread(), Instant::now());
    f();
    let clock = clock.elapsed().as_secs_f64();
    if clock < 1e-3 { clock } else { thread() - start }
}

/// The rates of `f`, at `flop` a call, and of the multiply-add units: the best of alternating rounds, because the clock
/// and the neighbors of a shared machine change from second to second.
fn rates(limit: f64, flop: f64, mut f: impl FnMut()) -> (f64, f64) {
    let mut time = |calls: usize| {
        let all = seconds(|| (0..calls).for_each(|_| f()));
        all / calls as f64
    };
    time(2);
    let calls = (5e-5 / time(2)).clamp(1.0, 1e6) as usize;
    let (mut best, mut units) = (f64::INFINITY, f64::NAN);
    let rounds = (limit / (5e-5 + time(1))) as usize;
    for _ in 0..rounds.max(20) {
        let mut flop = None;
        let spent = seconds(|| flop = units::spin());
        units = units.max(flop.map_or(f64::NAN, |flop| flop / spent));
        best = best.min(time(calls));
    }
    (flop / best, units)
}

struct Layer<T> {
    n: usize,
    n_out: usize,
    n_in: usize,
    buffers: [Buffer<T>; 6],
}

impl<T: Real> Layer<T> {
    fn new(n: usize, n_out: usize, n_in: usize) -> Self {
        let (inner, outer) = (stride::<T>(n_in), stride::<T>(n_out));
        let make = |rows: usize, columns: usize, stride: usize, seed: usize| {
            let mut buffer = Buffer::<T>::zeroed(rows * stride).expect("memory");
            for i in 0..rows {
                for j in 0..columns {
                    buffer[i * stride + j] = T::from_f64(((i * 31 + j * 17 + seed) % 23) as f64 / 11.0 - 1.0);
                }
            }
            buffer
        };
        let x = make(n, n_in, inner, 1);
        let w = make(n_in, n_out, outer, 2);
        let w_t = make(n_out, n_in, inner, 3);
        let delta = make(n, n_out, outer, 4);
        Layer {
            n,
            n_out,
            n_in,
            buffers: [x, w, w_t, delta, make(n, n_out.max(n_in), inner.max(outer), 5), make(n_in, n_out, outer, 6)],
        }
    }

    /// Runs one of forward, forward with ReLU, backward_input, backward_input with ReLU, backward_weight and transpose.
    fn run(&mut self, machine: Machine, form: usize) {
        let (n, n_out, n_in) = (self.n, self.n_out, self.n_in);
        let (inner, outer) = (stride::<T>(n_in), stride::<T>(n_out));
        let [x, w, w_t, delta, y, d_w] = &mut self.buffers;
        if form == 5 {
            let w = Matrix::new(w, n_in, n_out, outer);
            return product::transpose(machine, w, MatrixMut::new(w_t, n_out, n_in, inner));
        }
        let (x, w) = (Matrix::new(x, n, n_in, inner), Matrix::new(w, n_in, n_out, outer));
        let (w_t, delta) = (Matrix::new(w_t, n_out, n_in, inner), Matrix::new(delta, n, n_out, outer));
        match form {
            0 => product::forward(machine, x, w, None, Identity, MatrixMut::new(y, n, n_out, outer)),
            1 => product::forward(machine, x, w, Some(&w.data()[..outer]), Relu, MatrixMut::new(y, n, n_out, outer)),
            2 => product::backward_input(machine, delta, w_t, Identity, x, MatrixMut::new(y, n, n_in, inner)),
            3 => product::backward_input(machine, delta, w_t, Relu, x, MatrixMut::new(y, n, n_in, inner)),
            _ => product::backward_weight(machine, x, delta, MatrixMut::new(d_w, n_in, n_out, outer)),
        }
    }

    /// Compares a few elements of the last result with sums in f64.
    fn check(&self, form: usize) {
        let (inner, outer) = (stride::<T>(self.n_in), stride::<T>(self.n_out));
        let [x, w, w_t, delta, y, d_w] = &self.buffers;
        let at = |b: &Buffer<T>, i: usize| b[i].to_f64();
        for s in 0..50 {
            let (r, i, o) = (s * 7 % self.n, s * 13 % self.n_in, s * 11 % self.n_out);
            let (got, want): (f64, f64) = match form {
                0 => (at(y, r * outer + o), (0..self.n_in).map(|k| at(x, r * inner + k) * at(w, k * outer + o)).sum()),
                2 => (
                    at(y, r * inner + i),
                    (0..self.n_out).map(|k| at(delta, r * outer + k) * at(w_t, k * inner + i)).sum(),
                ),
                4 => {
                    (at(d_w, i * outer + o), (0..self.n).map(|k| at(x, k * inner + i) * at(delta, k * outer + o)).sum())
                }
                _ => return,
            };
            assert!((got - want).abs() < 1e-3, "form {form}: {got} for {want}");
        }
    }
}

fn table<T: Real>(machine: Machine, filter: &str, limit: f64) {
    println!("\n{} {}: GFLOP/s, fraction of the peak", T::NAME, machine.name());
    println!(
        "{:>18} {:>10} {:>12} {:>10} {:>12} {:>12} {:>16}",
        "n × n_out × n_in", "forward", "fwd + relu", "back_in", "back + relu'", "back_weight", "transpose ns/w"
    );
    for &(n, n_out, n_in) in SHAPES {
        let name = format!("{n} {n_out} {n_in}");
        if !format!(" {name} ").contains(filter) {
            continue;
        }
        let mut layer = Layer::<T>::new(n, n_out, n_in);
        print!("{name:>18}");
        for form in 0..5 {
            layer.run(machine, form);
            layer.check(form);
            let (rate, units) = rates(limit, 2.0 * (n * n_out * n_in) as f64, || layer.run(machine, form));
            let peak = units * 4.0 / size_of::<T>() as f64;
            print!("  {:5.1} {:4.2}", rate / 1e9, rate / peak);
        }
        let (rate, _) = rates(limit, (n_in * n_out) as f64, || layer.run(machine, 5));
        println!("  {:9.3}", 1e9 / rate);
    }
}

fn main() {
    let mut words = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    let filter = words.next().unwrap_or_default();
    let limit = words.next().map_or(0.4, |seconds| seconds.parse().expect("seconds"));
    let machine = Machine::best().expect("CHAINRULE_TARGET");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in (1..=cores).filter(|threads| threads.is_power_of_two() || *threads == cores) {
        match units::peak(threads) {
            Some(rate) => println!("peak of {threads} threads: {:.1} GFLOP/s", rate / 1e9),
            None => println!("peak of {threads} threads: not known"),
        }
    }
    if filter == "peak" {
        return;
    }
    table::<f32>(machine, &filter, limit);
    table::<f64>(machine, &filter, limit);
}
