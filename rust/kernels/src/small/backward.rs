//! The loss of a small network, the deltas of its layers, their sums, and whether they are small.

use super::Offsets;
use super::tile::{At, tiles};
use crate::columns::{CrossEntropy, Terms};
use crate::isa::Kernel;
use crate::product::{Transpose, multiply};
use crate::rows::RowSums;
use crate::vector::Raw;
use crate::{Map2, Real, Term, padded};

#[derive(Clone, Copy)]
pub(super) struct Backward<'a, T, S, L> {
    pub(super) at: At<'a, T>,
    pub(super) labels: Option<*const u32>,
    pub(super) slope: S,
    pub(super) term: L,
    pub(super) most: Option<T>,
}

impl<T: Real, S: Map2, L: Term> Kernel<T> for Backward<'_, T, S, L> {
    type Out = bool;
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) -> bool {
        if !V::SMALL {
            return false;
        }
        // SAFETY: the caller's promise.
        unsafe {
            self.loss::<V>();
            self.deltas::<V>();
            self.most.is_none_or(|most| self.sums::<V>(most))
        }
    }
}

impl<T: Real, S: Map2, L: Term> Backward<'_, T, S, L> {
    /// The losses and dᵀ, from zᵀ.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn loss<V: Raw<Scalar = T>>(&self) {
        let At { small, arena, rows, .. } = self.at;
        let (k, side, columns) = (small.last.n_out, small.last.d_row, padded::<T>(rows));
        // SAFETY: the offsets are inside the arena (`Small::new`), which has rows up to whole lines.
        unsafe {
            let (z, d) = (arena.add(small.z_t).cast_const(), arena.add(small.last.d));
            let (scale, loss) = (arena.add(small.scale).cast_const(), arena.add(small.losses));
            if let Some(labels) = self.labels {
                let labels = (labels, rows);
                CrossEntropy::new((k, columns), (z, side), labels, scale, (d, side), loss).run::<V>();
                return;
            }
            let y = arena.add(small.y_t).cast_const();
            Terms::new((k, columns), (z, side), (y, side), scale, (d, side), loss, self.term).run::<V>();
        }
    }

    /// The deltas of the hidden layers, from that of the last.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn deltas<V: Raw<Scalar = T>>(&self) {
        let At { machine, small, arena, parameters, rows } = self.at;
        // The last layer has dᵀ and wᵀ already; the others have d, and w is transposed into a copy.
        let mut above = &small.last;
        let mut d = (arena.wrapping_add(above.d).cast_const(), 1, above.d_row);
        let mut w_t = (parameters.wrapping_add(above.w), above.w_row);
        for (l, offsets) in small.hidden.iter().enumerate().rev() {
            // SAFETY: the offsets are inside the arena (`Small::new`), which has rows up to whole lines.
            unsafe {
                let drops = small.drops[l].is_some();
                tiles!(rows, offsets.n_out, |i, j| self.delta((offsets, drops), above, (d, w_t), i, j));
                if drops {
                    let (mask, a) = (arena.add(offsets.mask).cast_const(), arena.add(offsets.undropped).cast_const());
                    let (d, d_row, columns) = (arena.add(offsets.d), offsets.d_row, offsets.n_out);
                    let a_row = above.a_row;
                    machine.run(Dropped { d, d_row, mask, a, a_row, rows, columns, slope: self.slope });
                }
                if l > 0 {
                    let copy = arena.add(offsets.w_t);
                    let w = (parameters.add(offsets.w), offsets.w_row);
                    Transpose::new((offsets.n_in, offsets.n_out), w, (copy, offsets.a_row)).run::<V>();
                    d = (arena.add(offsets.d).cast_const(), offsets.d_row, 1);
                    (above, w_t) = (offsets, (copy.cast_const(), offsets.a_row));
                }
            }
        }
    }

    /// The deltas of a hidden layer, from d and wᵀ of the one above: rows i .. i + H, W vectors from column j on. Where
    /// outputs are dropped, the slope is left to [`Dropped`].
    ///
    /// # Safety
    /// As [`Kernel::run`]; the layer has these rows and columns.
    #[inline(always)]
    #[allow(clippy::type_complexity, reason = "two pointers and their strides")]
    unsafe fn delta<V: Raw<Scalar = T>, const H: usize, const W: usize>(
        &self,
        (offsets, drops): (&Offsets, bool),
        above: &Offsets,
        (d, w_t): ((*const T, usize, usize), (*const T, usize)),
        i: usize,
        j: usize,
    ) {
        let arena = self.at.arena;
        // SAFETY: the caller's promise.
        unsafe {
            let (d, w_t) = ((d.0.add(i * d.1), d.1, d.2), (w_t.0.add(j), w_t.1));
            let sums = multiply::<V, H, W>([[V::splat(T::ZERO); W]; H], d, w_t, above.n_out);
            let mut a = arena.add(above.a + i * above.a_row + j).cast_const();
            let mut d = arena.add(offsets.d + i * offsets.d_row + j);
            for sums in sums {
                for (v, sum) in sums.into_iter().enumerate() {
                    let slope = if drops { sum } else { self.slope.map(sum, V::load(a.add(v * V::LANES))) };
                    slope.store(d.add(v * V::LANES));
                }
                (a, d) = (a.wrapping_add(above.a_row), d.wrapping_add(offsets.d_row));
            }
        }
    }

    /// Σ_rows delta of every layer, and whether the squares of deltas and activations are at most `most`.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn sums<V: Raw<Scalar = T>>(&self, most: T) -> bool {
        let At { small, arena, rows, .. } = self.at;
        let last = &small.last;
        // SAFETY: the offsets are inside the arena (`Small::new`).
        unsafe {
            let d_b = arena.add(last.d_b);
            let m = (arena.add(last.d).cast_const(), last.d_row);
            let squares = RowSums::new((last.n_out, rows), m, false, d_b).run::<V>();
            let mut is_small = squares <= most;
            let above = small.hidden.iter().skip(1).chain([last]);
            for (offsets, above) in small.hidden.iter().zip(above) {
                let (mut j, mut squares) = (0, [V::splat(T::ZERO); 2]);
                while j < offsets.n_out {
                    let vectors = (offsets.n_out - j).div_ceil(V::LANES);
                    j += V::LANES
                        * match vectors {
                            1 => self.columns::<V, 1>(offsets, above, j, &mut squares),
                            2 | 3 => self.columns::<V, 2>(offsets, above, j, &mut squares),
                            _ => self.columns::<V, 4>(offsets, above, j, &mut squares),
                        };
                }
                is_small &= squares[0].sum() <= most && squares[1].sum() <= most;
            }
            is_small
        }
    }

    /// Σ_rows delta of W vectors from column j on; adds Σ delta² and Σ a² to `squares`. Returns W.
    ///
    /// # Safety
    /// As [`Kernel::run`]; the layer has these rows and columns.
    #[inline(always)]
    unsafe fn columns<V: Raw<Scalar = T>, const W: usize>(
        &self,
        offsets: &Offsets,
        above: &Offsets,
        j: usize,
        squares: &mut [V; 2],
    ) -> usize {
        let arena = self.at.arena;
        // SAFETY: the caller's promise.
        unsafe {
            let zero = V::splat(T::ZERO);
            // Several chains at a time, so that no addition waits for the one before.
            let (mut sums, mut deltas, mut outputs) = ([zero; W], [zero; W], [zero; W]);
            for i in 0..self.at.rows {
                let (d, a) = (arena.add(offsets.d + i * offsets.d_row + j), arena.add(above.a + i * above.a_row + j));
                for v in 0..W {
                    let (d, a) = (V::load(d.add(v * V::LANES)), V::load(a.add(v * V::LANES)));
                    sums[v] = sums[v] + d;
                    deltas[v] = d.fma(d, deltas[v]);
                    outputs[v] = a.fma(a, outputs[v]);
                }
            }
            for v in 0..W {
                sums[v].store(arena.add(offsets.d_b + j + v * V::LANES));
                *squares = [squares[0] + deltas[v], squares[1] + outputs[v]];
            }
        }
        W
    }
}

/// d ← slope(mask d, a): the deltas of a hidden layer, from the derivatives of its outputs after units were dropped. A
/// kernel of its own: inside [`Backward`] it would slow down networks without dropout.
#[derive(Clone, Copy)]
struct Dropped<T, S> {
    d: *mut T,
    d_row: usize,
    mask: *const T,
    a: *const T,
    a_row: usize,
    rows: usize,
    columns: usize,
    slope: S,
}

impl<T: Real, S: Map2> Kernel<T> for Dropped<T, S> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        for i in 0..self.rows {
            for j in (0..self.columns).step_by(V::LANES) {
                let at = i * self.a_row + j;
                // SAFETY: the caller's promise: matrices of these rows, in whole vectors.
                unsafe {
                    let (mask, a) = (V::load(self.mask.add(at)), V::load(self.a.add(at)));
                    let d = self.d.add(i * self.d_row + j);
                    self.slope.map(V::load(d) * mask, a).store(d);
                }
            }
        }
    }
}
