//! The peak of the multiply-add units: loops of f32 multiply-adds that touch no memory, on one thread or several.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Runs the loop once with the CPU's widest vectors. Returns its operations, or None if there is no loop for this CPU.
#[cfg(target_arch = "x86_64")]
pub(crate) fn spin() -> Option<f64> {
    use chainrule_kernels::Machine;
    use std::arch::x86_64::*;
    use std::hint::black_box;
    const CHAINS: usize = 12; // independent of one another, and more than latency × units
    const STEPS: usize = 20_000; // some 60 microseconds
    let flop = |lanes: usize| (STEPS * CHAINS * lanes * 2) as f64;
    #[target_feature(enable = "avx512f")]
    fn wide() -> f32 {
        let b = _mm512_set1_ps(black_box(0.5));
        let mut c = [_mm512_set1_ps(black_box(1.0)); CHAINS];
        for _ in 0..black_box(STEPS) {
            for c in &mut c {
                *c = _mm512_fmadd_ps(*c, b, b);
            }
        }
        c.iter().map(|&c| _mm512_cvtss_f32(c)).sum()
    }
    #[target_feature(enable = "avx2,fma")]
    fn narrow() -> f32 {
        let b = _mm256_set1_ps(black_box(0.5));
        let mut c = [_mm256_set1_ps(black_box(1.0)); CHAINS];
        for _ in 0..black_box(STEPS) {
            for c in &mut c {
                *c = _mm256_fmadd_ps(*c, b, b);
            }
        }
        c.iter().map(|&c| _mm256_cvtss_f32(c)).sum()
    }
    if Machine::named("avx512").is_some() {
        // SAFETY: an instruction set has a Machine only if the CPU has it.
        black_box(unsafe { wide() });
        return Some(flop(16));
    }
    Machine::named("avx2").map(|_| {
        // SAFETY: as above.
        black_box(unsafe { narrow() });
        flop(8)
    })
}

/// There is no loop for this processor.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn spin() -> Option<f64> {
    None
}

/// Operations a second on `threads` threads at once: the best of a second of rounds, so short that some are undisturbed
/// even on a busy machine.
pub(crate) fn peak(threads: usize) -> Option<f64> {
    let end = Instant::now() + Duration::from_secs(1);
    std::iter::from_fn(|| (Instant::now() < end).then(|| round(threads)).flatten()).reduce(f64::max)
}

/// The sum of the rates of threads that start together.
fn round(threads: usize) -> Option<f64> {
    let arrived = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let one = || {
            arrived.fetch_add(1, Ordering::SeqCst);
            while arrived.load(Ordering::SeqCst) < threads {
                std::hint::spin_loop(); // a barrier of std wakes its threads at too different times
            }
            let clock = Instant::now();
            let flop = (0..10).map(|_| spin()).sum::<Option<f64>>()?;
            Some(flop / clock.elapsed().as_secs_f64())
        };
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|thread| thread.join().expect("a loop that cannot fail")).sum()
    })
}
