//! The sums of a narrow network's gradients, and what becomes of them: an update, or a gradient in memory.

use super::tile::multiply;
use super::{Narrow, Place};
use crate::elementwise::step;
use crate::target::Kernel;
use crate::vector::Raw;
use crate::{Real, Update};

/// What becomes of sums of a gradient.
pub(super) trait Sink<T: Real>: Copy {
    /// Where the chains of a vector of weights start.
    ///
    /// # Safety
    /// `at` is a place of the parameters, and the CPU is V's.
    #[inline(always)]
    unsafe fn start<V: Raw<Scalar = T>>(self, _at: usize) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::splat(T::ZERO) }
    }

    /// Takes them.
    ///
    /// # Safety
    /// `at` is a place of the parameters, and the CPU is V's.
    unsafe fn done<V: Raw<Scalar = T>>(self, at: usize, sums: V);
}

/// (w, states) ← u(w, states, sums).
#[derive(Clone, Copy)]
pub(super) struct Step<T, U> {
    pub(super) w: *mut T,
    pub(super) states: [*mut T; 3],
    pub(super) u: U,
}

impl<T: Real, U: Update> Sink<T> for Step<T, U> {
    #[inline(always)]
    unsafe fn done<V: Raw<Scalar = T>>(self, at: usize, sums: V) {
        // SAFETY: inside w and the U::STATES states that are set (`Narrow::update`).
        unsafe { step(self.w, self.states, at, sums, self.u) }
    }
}

/// gradient ← sums that started from it, or from 0 where this is the first tile of a batch.
#[derive(Clone, Copy)]
pub(super) struct Add<T> {
    pub(super) gradient: *mut T,
    pub(super) first: bool,
}

impl<T: Real> Sink<T> for Add<T> {
    #[inline(always)]
    unsafe fn start<V: Raw<Scalar = T>>(self, at: usize) -> V {
        // SAFETY: inside the gradient (`Narrow::accumulate`).
        unsafe { if self.first { V::splat(T::ZERO) } else { V::load(self.gradient.add(at)) } }
    }

    #[inline(always)]
    unsafe fn done<V: Raw<Scalar = T>>(self, at: usize, sums: V) {
        // SAFETY: as above.
        unsafe { sums.store(self.gradient.add(at)) }
    }
}

/// The sums of all gradients.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a, T, S> {
    pub(super) narrow: &'a Narrow<T>,
    pub(super) rows: usize,
    pub(super) to: S,
}

impl<T: Real, S: Sink<T>> Kernel<T> for Weights<'_, T, S> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        if !V::NARROW {
            return;
        }
        let (narrow, arena) = (self.narrow, self.narrow.arena.as_ptr());
        let head = &narrow.head;
        // SAFETY: the places are good (`Narrow::new`).
        unsafe {
            let d_t = (arena.add(head.d), head.d_row, 1);
            self.weights::<V>(head, d_t, (arena.add(head.a), head.a_row), (head.n_out, head.n_in));
            self.bias::<V>(head);
            for place in &narrow.hidden {
                let x = (arena.add(place.a), 1, place.a_row);
                self.weights::<V>(place, x, (arena.add(place.d), place.d_row), (place.n_in, place.n_out));
                self.bias::<V>(place);
            }
        }
    }
}

impl<T: Real, S: Sink<T>> Weights<'_, T, S> {
    /// The weights of a layer, as they are stored: m rows of n, from numbers a(i, row) and vectors b(row, ..).
    ///
    /// # Safety
    /// As [`Kernel::run`]; the numbers and vectors are there for all rows.
    #[inline(always)]
    unsafe fn weights<V: Raw<Scalar = T>>(
        &self,
        place: &Place,
        a: (*const T, usize, usize),
        b: (*const T, usize),
        (m, n): (usize, usize),
    ) {
        let mut j = 0;
        while j < n {
            // SAFETY: the caller's promise.
            unsafe {
                let b = (b.0.add(j), b.1);
                if V::PAIRS && j + V::LANES < n {
                    self.strip::<V, 2>(place, a, b, m, j);
                    j += 2 * V::LANES;
                } else if V::HALVES && 2 * (n - j) <= V::LANES {
                    self.strip::<V::Half, 1>(place, a, b, m, j);
                    j += V::LANES;
                } else {
                    self.strip::<V, 1>(place, a, b, m, j);
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
        place: &Place,
        a: (*const T, usize, usize),
        b: (*const T, usize),
        m: usize,
        j: usize,
    ) {
        let mut i = 0;
        while i < m {
            // SAFETY: the caller's promise.
            unsafe {
                let a = (a.0.add(i * a.1), a.1, a.2);
                i += match m - i {
                    1 => self.tile::<V, 1, W>(place, a, b, (i, j)),
                    2 => self.tile::<V, 2, W>(place, a, b, (i, j)),
                    3 => self.tile::<V, 3, W>(place, a, b, (i, j)),
                    _ => self.tile::<V, 4, W>(place, a, b, (i, j)),
                };
            }
        }
    }

    /// H rows of W vectors of weights from (i, j) on; returns H.
    ///
    /// # Safety
    /// As [`Weights::weights`].
    #[inline(always)]
    unsafe fn tile<V: Raw<Scalar = T>, const H: usize, const W: usize>(
        &self,
        place: &Place,
        a: (*const T, usize, usize),
        b: (*const T, usize),
        (i, j): (usize, usize),
    ) -> usize {
        let at = place.w + i * place.w_row + j;
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [[V::splat(T::ZERO); W]; H];
            for (r, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = self.to.start(at + r * place.w_row + v * V::LANES);
                }
            }
            let sums = multiply::<V, H, W>(sums, a, b, self.rows);
            for (r, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    self.to.done(at + r * place.w_row + v * V::LANES, sum);
                }
            }
        }
        H
    }

    /// The bias of a layer, where it has one: its sums are there, of all tiles so far.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn bias<V: Raw<Scalar = T>>(&self, place: &Place) {
        let Some(b) = place.b else { return };
        for j in (0..place.n_out).step_by(V::LANES) {
            // SAFETY: b and Σ delta are whole lines.
            unsafe { self.to.done(b + j, V::load(self.narrow.arena.as_ptr().add(place.d_b + j))) }
        }
    }
}
