//! Rectangles of memory, and the passes x ← f(x) and x ← f(x, y) over one.

use crate::isa::Kernel;
use crate::pool::{self, Cut, FLOPS_A_NUMBER};
use crate::vector::{Pair, Raw};
use crate::{Machine, Map, Map2, Real};
use std::ops::Range;

/// A rectangle of memory with rows `stride` apart. `columns` is whole vectors of every instruction set.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) stride: usize,
}

impl Region {
    /// The region as one long row, if there are no gaps between its rows: one long loop instead of many short ones.
    #[inline(always)]
    pub(crate) fn joined(self) -> Self {
        if self.columns == self.stride {
            return Region { rows: 1, columns: self.rows * self.columns, stride: 0 };
        }
        self
    }
}

/// x ← f(x) over a region; does nothing if f is the identity.
///
/// # Safety
/// The region is writable at `x`.
#[inline]
pub(crate) unsafe fn map_region<T: Real, F: Map>(machine: Machine, x: *mut T, region: Region, f: F) {
    if !F::IDENTITY {
        let region = region.joined();
        // SAFETY: the caller's region.
        unsafe { pool::run(machine, region.columns * FLOPS_A_NUMBER, || MapRegion { from: x, to: x, region, f }) }
    }
}

/// x ← f(x, y) over a region; does nothing if f is the identity.
///
/// # Safety
/// The region is writable at `x`, and readable at `y` with rows `y_stride` apart.
#[inline]
pub(crate) unsafe fn map2_region<T: Real, F: Map2>(
    machine: Machine,
    x: *mut T,
    y: *const T,
    y_stride: usize,
    region: Region,
    f: F,
) {
    if !F::IDENTITY {
        let region = if y_stride == region.stride { region.joined() } else { region };
        // SAFETY: the caller's regions.
        unsafe {
            pool::run(machine, region.columns * FLOPS_A_NUMBER, || Map2Region { x, to: x, y, y_stride, region, f })
        }
    }
}

/// `from` and `to` are two fields even if they are equal: with one pointer the compiler emits masked stores for
/// formulas that choose between x and something else, ten times slower on AMD's processors.
#[derive(Clone, Copy)]
pub(crate) struct MapRegion<T, F> {
    pub(crate) from: *const T,
    pub(crate) to: *mut T,
    pub(crate) region: Region,
    pub(crate) f: F,
}

// SAFETY: a part writes lines of its own.
unsafe impl<T: Real, F: Map> Cut for MapRegion<T, F> {
    type Out = ();

    fn units(&self) -> usize {
        // A region of several rows already is a part of a product.
        if self.region.rows == 1 { self.region.columns / T::LINE } else { 1 }
    }

    fn part(self, units: Range<usize>) -> Self {
        let (at, columns) = (units.start * T::LINE, units.len() * T::LINE);
        let region = Region { columns, ..self.region };
        MapRegion { from: self.from.wrapping_add(at), to: self.to.wrapping_add(at), region, ..self }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }
}

impl<T: Real, F: Map> Kernel<T> for MapRegion<T, F> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        for i in 0..self.region.rows {
            let mut j = 0;
            while j < self.region.columns {
                // SAFETY: i and j are inside the region that the caller promised, columns are whole vectors.
                unsafe {
                    let at = i * self.region.stride + j;
                    self.f.map(V::load(self.from.add(at))).store(self.to.add(at));
                }
                j += V::LANES;
            }
        }
    }
}

impl<T: Real, F: Map> MapRegion<T, F> {
    /// [`run`](Kernel::run) with two vectors at a time, for long formulas, in which each operation waits for the one
    /// before.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn run_in_pairs<V: Raw<Scalar = T>>(self) {
        let Region { rows, columns, stride } = self.region;
        for i in 0..rows {
            for j in (0..columns).step_by(2 * V::LANES) {
                // If the number of vectors is odd, the last one is read, computed and written twice.
                let at = i * stride + j;
                let next = i * stride + (j + V::LANES).min(columns - V::LANES);
                // SAFETY: i and j are inside the region that the caller promised, columns are whole vectors.
                unsafe {
                    let y = self.f.map(Pair(V::load(self.from.add(at)), V::load(self.from.add(next))));
                    y.0.store(self.to.add(at));
                    y.1.store(self.to.add(next));
                }
            }
        }
    }
}

/// `x` and `to` are equal: see [`MapRegion`].
#[derive(Clone, Copy)]
struct Map2Region<T, F> {
    x: *const T,
    to: *mut T,
    y: *const T,
    y_stride: usize,
    region: Region,
    f: F,
}

// SAFETY: a part writes lines of its own.
unsafe impl<T: Real, F: Map2> Cut for Map2Region<T, F> {
    type Out = ();

    fn units(&self) -> usize {
        // A region of several rows already is a part of a product.
        if self.region.rows == 1 { self.region.columns / T::LINE } else { 1 }
    }

    fn part(self, units: Range<usize>) -> Self {
        let (at, columns) = (units.start * T::LINE, units.len() * T::LINE);
        let region = Region { columns, ..self.region };
        let (x, to, y) = (self.x.wrapping_add(at), self.to.wrapping_add(at), self.y.wrapping_add(at));
        Map2Region { x, to, y, region, ..self }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }
}

impl<T: Real, F: Map2> Kernel<T> for Map2Region<T, F> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        for i in 0..self.region.rows {
            let mut j = 0;
            while j < self.region.columns {
                // SAFETY: i and j are inside both regions that the caller promised, columns are whole vectors.
                unsafe {
                    let at = i * self.region.stride + j;
                    let y = V::load(self.y.add(i * self.y_stride + j));
                    self.f.map(V::load(self.x.add(at)), y).store(self.to.add(at));
                }
                j += V::LANES;
            }
        }
    }
}

/// Panics unless x is whole lines.
#[track_caller]
pub(crate) fn whole<T: Real>(x: &[T]) {
    assert!(x.len().is_multiple_of(T::LINE), "a length of {}, not whole lines of {}", x.len(), T::LINE);
}
