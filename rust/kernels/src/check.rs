//! Checks of many numbers at once: is each of them within a bound, and what is the sum of their squares?

use crate::isa::Kernel;
use crate::pool::{self, Cut, FLOPS_A_NUMBER};
use crate::region::whole;
use crate::vector::Raw;
use crate::{Machine, Real};
use std::ops::Range;

/// Whether |x| ≤ limit for every number of `x`: false if one is NaN.
///
/// # Panics
/// Unless the length of `x` is a multiple of [`Real::LINE`].
pub fn within<T: Real>(machine: Machine, x: &[T], limit: T) -> bool {
    whole(x);
    // SAFETY: whole vectors, checked above.
    unsafe { pool::run(machine, x.len() * FLOPS_A_NUMBER / 2, || Within { x, limit }) }
}

#[derive(Clone, Copy)]
struct Within<'a, T> {
    x: &'a [T],
    limit: T,
}

// SAFETY: nothing is written.
unsafe impl<T: Real> Cut for Within<'_, T> {
    type Out = bool;

    fn units(&self) -> usize {
        self.x.len() / T::LINE
    }

    fn part(self, units: Range<usize>) -> Self {
        Within { x: &self.x[units.start * T::LINE..units.end * T::LINE], ..self }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) -> bool {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }

    fn join(one: bool, other: bool) -> bool {
        one & other
    }
}

impl<T: Real> Kernel<T> for Within<'_, T> {
    type Out = bool;
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) -> bool {
        // A lane becomes 1 when it meets a number out of bounds. There are four vectors, so that none waits for the one
        // before.
        let mut out = [T::ZERO; 64];
        // SAFETY: i + LANES ≤ x.len(), whole vectors (`within`); `out` holds four vectors of any width.
        unsafe {
            let (zero, one, limit) = (V::splat(T::ZERO), V::splat(T::ONE), V::splat(self.limit));
            let mut seen = [zero; 4];
            let mut i = 0;
            while i < self.x.len() {
                for seen in &mut seen {
                    if i < self.x.len() {
                        let x = V::load(self.x.as_ptr().add(i));
                        *seen = V::select(limit.ge(x.abs()), *seen, one);
                        i += V::LANES;
                    }
                }
            }
            for (k, seen) in seen.into_iter().enumerate() {
                seen.store(out.as_mut_ptr().add(k * V::LANES));
            }
        }
        out == [T::ZERO; 64]
    }
}

/// Σ x², summed in any order: ∞ or NaN if x holds ∞ or NaN, ∞ if the sum overflows.
///
/// # Panics
/// Unless the length of `x` is a multiple of [`Real::LINE`].
pub fn squares<T: Real>(machine: Machine, x: &[T]) -> T {
    whole(x);
    // SAFETY: whole vectors, checked above.
    unsafe { pool::run(machine, x.len() * FLOPS_A_NUMBER / 2, || Squares { x }) }
}

#[derive(Clone, Copy)]
struct Squares<'a, T> {
    x: &'a [T],
}

// SAFETY: nothing is written.
unsafe impl<T: Real> Cut for Squares<'_, T> {
    type Out = T;

    fn units(&self) -> usize {
        self.x.len() / T::LINE
    }

    fn part(self, units: Range<usize>) -> Self {
        Squares { x: &self.x[units.start * T::LINE..units.end * T::LINE] }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) -> T {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }

    fn join(one: T, other: T) -> T {
        one + other
    }
}

impl<T: Real> Kernel<T> for Squares<'_, T> {
    type Out = T;
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) -> T {
        let (x, len) = (self.x.as_ptr(), self.x.len());
        // SAFETY: i + LANES ≤ x.len(), whole vectors (`squares`).
        unsafe {
            let mut sums = [V::splat(T::ZERO); 4];
            let mut i = 0;
            while i + 4 * V::LANES <= len {
                for (k, sum) in sums.iter_mut().enumerate() {
                    let x = V::load(x.add(i + k * V::LANES));
                    *sum = x.fma(x, *sum);
                }
                i += 4 * V::LANES;
            }
            while i < len {
                let x = V::load(x.add(i));
                sums[0] = x.fma(x, sums[0]);
                i += V::LANES;
            }
            ((sums[0] + sums[1]) + (sums[2] + sums[3])).sum()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_number_decides<T: Real>() {
        for machine in Machine::available() {
            for lines in [0, 1, 3, 4, 9] {
                let mut x = vec![T::from_f64(-2.0); lines * T::LINE];
                assert!(within(machine, &x, T::from_f64(2.0)));
                for i in 0..x.len() {
                    for wrong in [2.5, -2.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
                        x[i] = T::from_f64(wrong);
                        assert!(!within(machine, &x, T::from_f64(2.0)), "{} at {i} on {machine:?}", x[i]);
                    }
                    x[i] = T::from_f64(2.0);
                }
            }
        }
    }

    #[test]
    fn one_number_decides_f32() {
        one_number_decides::<f32>();
    }

    #[test]
    fn one_number_decides_f64() {
        one_number_decides::<f64>();
    }

    fn squares_add_up<T: Real>() {
        for machine in Machine::available() {
            for lines in [0, 1, 3, 4, 9] {
                let x: Vec<T> = (0..lines * T::LINE).map(|i| T::from_f64(i as f64 - 5.0)).collect();
                let want: f64 = x.iter().map(|x| x.to_f64() * x.to_f64()).sum();
                assert_eq!(squares(machine, &x).to_f64(), want, "{machine:?}");
                for i in 0..x.len() {
                    let mut x = x.clone();
                    for wrong in [f64::INFINITY, f64::NAN, T::MAX.to_f64()] {
                        x[i] = T::from_f64(wrong);
                        assert!(!squares(machine, &x).is_finite(), "{wrong} at {i} on {machine:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn squares_add_up_and_tell_what_is_too_large() {
        squares_add_up::<f32>();
        squares_add_up::<f64>();
    }

    #[test]
    #[should_panic(expected = "a length of 15")]
    fn ragged_length_panics() {
        within(Machine::best().unwrap(), &[0.0f32; 15], 1.0);
    }
}
