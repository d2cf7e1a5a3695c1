//! What becomes of the sums of a tile while they are in registers: they are stored, go through a formula, or update
//! weights.
//!
//! A formula that is applied to registers is compiled into every shape of tile, for every instruction set and both
//! types. So only those are that say so ([`Map::FUSED`] and the like). The others go over each strip of columns as soon
//! as it has its sums.

use crate::region::{Region, map_region, map2_region};
use crate::update::step;
use crate::vector::Raw;
use crate::{Machine, Map, Map2, Real, Update};

/// Takes the sums of a product. Rows and columns are those of the product.
pub(crate) trait Finish<T: Real>: Copy {
    /// Whether [`done`](Finish::done) takes the sums from registers. If not, they are stored, and
    /// [`strip`](Finish::strip) applies the formula.
    const FUSED: bool;
    /// Whether the formula is long. Tiles are then smaller, so that its square roots overlap with the next tile's sums.
    const LONG: bool = false;
    /// The numbers that are read and written again for each sum.
    const NUMBERS_A_SUM: usize = 0;

    /// The same for the part of the product that starts at row i and column j.
    fn at(self, i: usize, j: usize) -> Self;

    /// Prefetches what [`done`](Finish::done) will read at row i and column j.
    ///
    /// # Safety
    /// The CPU has V's instructions.
    #[inline(always)]
    unsafe fn ahead<V: Raw<Scalar = T>>(&self, _i: usize, _j: usize) {}

    /// Takes the sums of row i, columns j, j + 1, …
    ///
    /// # Safety
    /// The vector is inside the result, and the CPU has V's instructions.
    unsafe fn done<V: Raw<Scalar = T>>(&self, sums: V, i: usize, j: usize);

    /// Applies the formula to the stored sums of `rows` rows and `columns` columns from column j on.
    ///
    /// # Safety
    /// They are inside the result.
    #[inline(always)]
    unsafe fn strip(&self, _machine: Machine, _rows: usize, _j: usize, _columns: usize) {}
}

/// c ← sums.
#[derive(Clone, Copy)]
pub(crate) struct Store<T> {
    pub(crate) c: *mut T,
    pub(crate) c_row: usize,
}

impl<T: Real> Finish<T> for Store<T> {
    const FUSED: bool = true;

    fn at(self, i: usize, j: usize) -> Self {
        Store { c: self.c.wrapping_add(i * self.c_row + j), ..self }
    }

    #[inline(always)]
    unsafe fn done<V: Raw<Scalar = T>>(&self, sums: V, i: usize, j: usize) {
        // SAFETY: inside c, as the caller promises.
        unsafe { sums.store(self.c.add(i * self.c_row + j)) }
    }
}

/// c ← f(sums).
#[derive(Clone, Copy)]
pub(super) struct Value<T, F> {
    pub(super) c: Store<T>,
    pub(super) f: F,
}

impl<T: Real, F: Map> Finish<T> for Value<T, F> {
    const FUSED: bool = F::FUSED;

    fn at(self, i: usize, j: usize) -> Self {
        Value { c: self.c.at(i, j), ..self }
    }

    #[inline(always)]
    unsafe fn done<V: Raw<Scalar = T>>(&self, sums: V, i: usize, j: usize) {
        // SAFETY: inside c, as the caller promises.
        unsafe { self.c.done(self.f.map(sums), i, j) }
    }

    #[inline(always)]
    unsafe fn strip(&self, machine: Machine, rows: usize, j: usize, columns: usize) {
        // SAFETY: inside c, as the caller promises.
        unsafe { map_region(machine, self.c.c.add(j), Region { rows, columns, stride: self.c.c_row }, self.f) }
    }
}

/// c ← f(sums, saved).
#[derive(Clone, Copy)]
pub(super) struct Value2<T, F> {
    pub(super) c: Store<T>,
    pub(super) saved: *const T,
    pub(super) saved_row: usize,
    pub(super) f: F,
}

impl<T: Real, F: Map2> Finish<T> for Value2<T, F> {
    const FUSED: bool = F::FUSED;

    fn at(self, i: usize, j: usize) -> Self {
        Value2 { c: self.c.at(i, j), saved: self.saved.wrapping_add(i * self.saved_row + j), ..self }
    }

    #[inline(always)]
    unsafe fn done<V: Raw<Scalar = T>>(&self, sums: V, i: usize, j: usize) {
        // SAFETY: inside c, as the caller promises, and inside `saved`, which has its shape.
        unsafe {
            let saved = V::load(self.saved.add(i * self.saved_row + j));
            self.c.done(self.f.map(sums, saved), i, j);
        }
    }

    #[inline(always)]
    unsafe fn strip(&self, machine: Machine, rows: usize, j: usize, columns: usize) {
        let region = Region { rows, columns, stride: self.c.c_row };
        // SAFETY: inside c, as the caller promises, and inside `saved`, which has its shape.
        unsafe { map2_region(machine, self.c.c.add(j), self.saved.add(j), self.saved_row, region, self.f) }
    }
}

/// (w, states) ← u(w, states, sums).
#[derive(Clone, Copy)]
pub(crate) struct Step<T, U> {
    pub(crate) w: *mut T,
    pub(crate) states: [*mut T; 3],
    pub(crate) w_row: usize,
    pub(crate) u: U,
}

impl<T: Real, U: Update> Finish<T> for Step<T, U> {
    const FUSED: bool = true;
    const LONG: bool = U::STATES > 1;
    const NUMBERS_A_SUM: usize = 1 + U::STATES;

    fn at(self, i: usize, j: usize) -> Self {
        let (at, [one, two, three]) = (i * self.w_row + j, self.states);
        let states = [one.wrapping_add(at), two.wrapping_add(at), three.wrapping_add(at)];
        Step { w: self.w.wrapping_add(at), states, ..self }
    }

    #[inline(always)]
    unsafe fn ahead<V: Raw<Scalar = T>>(&self, i: usize, j: usize) {
        let at = i * self.w_row + j;
        // SAFETY: a prefetch may have any address; the caller knows the CPU.
        unsafe {
            V::prefetch(self.w.wrapping_add(at));
            for state in self.states.iter().take(U::STATES) {
                V::prefetch(state.wrapping_add(at));
            }
        }
    }

    #[inline(always)]
    unsafe fn done<V: Raw<Scalar = T>>(&self, sums: V, i: usize, j: usize) {
        // SAFETY: inside w, as the caller promises, and inside the states, U::STATES of which are set.
        unsafe { step(self.w, self.states, i * self.w_row + j, sums, self.u) }
    }
}
