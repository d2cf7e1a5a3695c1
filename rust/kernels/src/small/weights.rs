//! The gradients of a small network, and what becomes of them: an update, or a gradient in memory.

use super::{Offsets, Small};
use crate::Real;
use crate::isa::Kernel;
use crate::product::{Finish, multiply, multiply_and_add};
use crate::rows::RowSums;
use crate::vector::Raw;

/// Computes the sums of all gradients. `weight` and `bias` take them, as row 0 of a matrix whose columns are the
/// parameters.
///
/// `SUMMED`: Σ_rows delta is computed already.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a, T, F, const SUMMED: bool> {
    pub(super) small: &'a Small<T>,
    pub(super) arena: *mut T,
    pub(super) rows: usize,
    pub(super) weight: F,
    pub(super) bias: F,
}

impl<T: Real, F: Finish<T>, const SUMMED: bool> Kernel<T> for Weights<'_, T, F, SUMMED> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        const { assert!(F::FUSED, "sums that go to memory first") }
        if !V::SMALL {
            return;
        }
        let (small, arena) = (self.small, self.arena.cast_const());
        let last = &small.last;
        // SAFETY: the offsets are inside the arena (`Small::new`).
        unsafe {
            let d_t = (arena.add(last.d), last.d_row, 1);
            self.weights::<V>(last, d_t, (arena.add(last.a), last.a_row), (last.n_out, last.n_in), false);
            if !SUMMED {
                let m = (arena.add(last.d), last.d_row);
                RowSums::new((last.n_out, self.rows), m, false, self.arena.add(last.d_b)).run::<V>();
            }
            self.finish_bias::<V>(last);
            for offsets in &small.hidden {
                let (x, b) = ((arena.add(offsets.a), 1, offsets.a_row), !SUMMED && offsets.b.is_some());
                self.weights::<V>(offsets, x, (arena.add(offsets.d), offsets.d_row), (offsets.n_in, offsets.n_out), b);
                if SUMMED {
                    self.finish_bias::<V>(offsets);
                }
            }
        }
    }
}

impl<T: Real, F: Finish<T>, const SUMMED: bool> Weights<'_, T, F, SUMMED> {
    /// The weights of a layer as they are stored, m rows of n numbers: Σ_row a(i, row) b(row, ..). If `with_bias`, the
    /// bias too, which is Σ_row b(row, ..).
    ///
    /// # Safety
    /// As [`Kernel::run`]; a and b have these numbers and vectors for all rows.
    #[inline(always)]
    unsafe fn weights<V: Raw<Scalar = T>>(
        &self,
        offsets: &Offsets,
        a: (*const T, usize, usize),
        b: (*const T, usize),
        (m, n): (usize, usize),
        with_bias: bool,
    ) {
        let mut j = 0;
        while j < n {
            // SAFETY: the caller's promise.
            unsafe {
                let b = (b.0.add(j), b.1);
                if V::PAIRS && j + V::LANES < n {
                    self.strip::<V, 2>(offsets, a, b, (m, j), with_bias);
                    j += 2 * V::LANES;
                } else if V::HALVES && 2 * (n - j) <= V::LANES {
                    self.strip::<V::Half, 1>(offsets, a, b, (m, j), with_bias);
                    j += V::LANES;
                } else {
                    self.strip::<V, 1>(offsets, a, b, (m, j), with_bias);
                    j += V::LANES;
                }
            }
        }
    }

    /// W vectors of all m rows.
    ///
    /// # Safety
    /// As [`Weights::weights`].
    #[inline(always)]
    unsafe fn strip<V: Raw<Scalar = T>, const W: usize>(
        &self,
        offsets: &Offsets,
        a: (*const T, usize, usize),
        b: (*const T, usize),
        (m, j): (usize, usize),
        with_bias: bool,
    ) {
        let mut i = 0;
        while i < m {
            // SAFETY: the caller's promise.
            unsafe {
                let (a, b_here) = ((a.0.add(i * a.1), a.1, a.2), with_bias && i == 0);
                i += match m - i {
                    1 => self.tile::<V, 1, W>(offsets, a, b, (i, j), b_here),
                    2 => self.tile::<V, 2, W>(offsets, a, b, (i, j), b_here),
                    3 => self.tile::<V, 3, W>(offsets, a, b, (i, j), b_here),
                    _ => self.tile::<V, 4, W>(offsets, a, b, (i, j), b_here),
                };
            }
        }
    }

    /// H rows of W vectors of weights from (i, j) on, and W vectors of the bias if `with_bias`. Returns H.
    ///
    /// # Safety
    /// As [`Weights::weights`].
    #[inline(always)]
    unsafe fn tile<V: Raw<Scalar = T>, const H: usize, const W: usize>(
        &self,
        offsets: &Offsets,
        a: (*const T, usize, usize),
        b: (*const T, usize),
        (i, j): (usize, usize),
        with_bias: bool,
    ) -> usize {
        let at = offsets.w + i * offsets.w_row + j;
        // SAFETY: the caller's promise.
        unsafe {
            let zero = V::splat(T::ZERO);
            let sums = if SUMMED {
                multiply::<V, H, W>([[zero; W]; H], a, b, self.rows)
            } else {
                let (sums, b_sums) = multiply_and_add::<V, H, W>([[zero; W]; H], [zero; W], a, b, self.rows);
                if let (true, Some(b)) = (with_bias, offsets.b) {
                    b_sums.into_iter().enumerate().for_each(|(v, sum)| self.bias.done(sum, 0, b + j + v * V::LANES));
                }
                sums
            };
            for (r, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    self.weight.done(sum, 0, at + r * offsets.w_row + v * V::LANES);
                }
            }
        }
        H
    }

    /// The bias of a layer, if it has one, from its sums in the arena.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn finish_bias<V: Raw<Scalar = T>>(&self, offsets: &Offsets) {
        let Some(b) = offsets.b else { return };
        for j in (0..offsets.n_out).step_by(V::LANES) {
            // SAFETY: b and Σ delta are whole lines.
            unsafe { self.bias.done(V::load(self.arena.add(offsets.d_b + j)), 0, b + j) }
        }
    }
}
