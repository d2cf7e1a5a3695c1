//! Elementwise passes: x ← f(x), y ← f(x), x ← f(x, y), and the update of an optimizer.
//!
//! Lengths are whole lines of 64 bytes, so there are no tails: every element goes through the same instructions.

use crate::machine::Kernel;
use crate::pool::{self, Cut, PASS};
use crate::vector::{Pair, Raw};
use crate::{Buffer, Machine, Map, Map2, Real, Update};
use std::ops::Range;

/// x ← f(x).
///
/// # Panics
/// Unless the length of `x` is a multiple of [`Real::LINE`].
pub fn map<T: Real>(machine: Machine, x: &mut [T], f: impl Map) {
    whole(x);
    let region = Region { rows: 1, columns: x.len(), stride: 0 };
    // SAFETY: one row of x.len() numbers, whole vectors.
    unsafe { map_region(machine, x.as_mut_ptr(), region, f) }
}

/// y ← f(x).
///
/// # Panics
/// Unless `x` and `y` have the same length, a multiple of [`Real::LINE`].
pub fn map_to<T: Real>(machine: Machine, x: &[T], y: &mut [T], f: impl Map) {
    whole(x);
    assert_eq!(x.len(), y.len(), "x and y differ in length");
    let (region, from, to) = (Region { rows: 1, columns: x.len(), stride: 0 }, x.as_ptr(), y.as_mut_ptr());
    // SAFETY: one row of x.len() = y.len() numbers, whole vectors.
    unsafe { pool::run(machine, region.columns * PASS, || MapRegion { from, to, region, f }) }
}

/// x ← f(x, y).
///
/// # Panics
/// Unless `x` and `y` have the same length, a multiple of [`Real::LINE`].
pub fn map2<T: Real>(machine: Machine, x: &mut [T], y: &[T], f: impl Map2) {
    whole(x);
    assert_eq!(x.len(), y.len(), "x and y differ in length");
    let region = Region { rows: 1, columns: x.len(), stride: 0 };
    // SAFETY: one row of x.len() = y.len() numbers, whole vectors.
    unsafe { map2_region(machine, x.as_mut_ptr(), y.as_ptr(), 0, region, f) }
}

/// (w, states) ← u(w, states, g).
///
/// # Panics
/// Unless there are `U::STATES` states and all lengths are the same multiple of [`Real::LINE`].
pub fn update<T: Real, U: Update>(machine: Machine, w: &mut [T], states: &mut [Buffer<T>], g: &[T], u: U) {
    let all = 0..w.len();
    update_part(machine, w, states, all, g, u);
}

/// The same for those of the parameters and of their states that lie at `place`, along g.
///
/// # Panics
/// Unless the place is inside, g is as long, a multiple of [`Real::LINE`], and there are `U::STATES` states as long as w.
#[inline]
pub fn update_part<T: Real, U: Update>(
    machine: Machine,
    w: &mut [T],
    states: &mut [Buffer<T>],
    place: Range<usize>,
    g: &[T],
    u: U,
) {
    whole(g);
    assert_eq!(place.len(), g.len(), "w and g differ in length");
    let states = pointers::<T, U>(w, states).map(|state| state.wrapping_add(place.start));
    let (len, w, g) = (g.len(), w[place].as_mut_ptr(), g.as_ptr());
    let kernel = || UpdateAll { len, w, states, g, u };
    // SAFETY: all of `len` numbers, whole vectors, checked above; U::STATES pointers are set.
    unsafe { pool::run(machine, len * 2 * PASS, kernel) }
}

/// Where the states that `U` has begin.
///
/// # Panics
/// Unless there are `U::STATES` of them, as long as w.
#[track_caller]
pub(crate) fn pointers<T, U: Update>(w: &[T], states: &mut [Buffer<T>]) -> [*mut T; 3] {
    assert!(U::STATES <= 3 && states.len() == U::STATES, "{} states, not {}", states.len(), U::STATES);
    assert!(states.iter().all(|s| s.len() == w.len()), "w and a state differ in length");
    let mut pointers = [std::ptr::null_mut(); 3];
    for (pointer, state) in pointers.iter_mut().zip(states) {
        *pointer = state.as_mut_ptr();
    }
    pointers
}

#[track_caller]
fn whole<T: Real>(x: &[T]) {
    assert!(x.len().is_multiple_of(T::LINE), "a length of {}, not whole lines of {}", x.len(), T::LINE);
}

/// A rectangle of memory: `columns` a multiple of every vector's lanes, rows `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) stride: usize,
}

impl Region {
    /// The same as one long row, where no gaps are between the rows: one loop instead of many short ones.
    #[inline(always)]
    pub(crate) fn joined(self) -> Self {
        if self.columns == self.stride {
            return Region { rows: 1, columns: self.rows * self.columns, stride: 0 };
        }
        self
    }
}

/// x ← f(x) over a region; nothing where f is the identity.
///
/// # Safety
/// The region is writable at `x`.
#[inline]
pub(crate) unsafe fn map_region<T: Real, F: Map>(machine: Machine, x: *mut T, region: Region, f: F) {
    if !F::IDENTITY {
        let region = region.joined();
        // SAFETY: the caller's region.
        unsafe { pool::run(machine, region.columns * PASS, || MapRegion { from: x, to: x, region, f }) }
    }
}

/// x ← f(x, y) over a region; nothing where f is the identity.
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
        unsafe { pool::run(machine, region.columns * PASS, || Map2Region { x, to: x, y, y_stride, region, f }) }
    }
}

/// Where `from` and `to` are the same memory they are two fields all the same: were it one pointer, the compiler would make masked stores of formulas that
/// choose between x and something else, at ten times the cost on AMD's processors.
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
        // Regions of more rows are parts of a product already.
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
    /// [`run`](Kernel::run), two vectors side by side: for functions of many operations, each of which waits for the one
    /// before.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn run_in_pairs<V: Raw<Scalar = T>>(self) {
        let Region { rows, columns, stride } = self.region;
        for i in 0..rows {
            for j in (0..columns).step_by(2 * V::LANES) {
                // The last vector of an odd number is done twice, from one reading.
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

/// `x` and `to` are the same memory, as above.
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
        // Regions of more rows are parts of a product already.
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

#[derive(Clone, Copy)]
struct UpdateAll<T, U> {
    len: usize,
    w: *mut T,
    states: [*mut T; 3],
    g: *const T,
    u: U,
}

// SAFETY: a part writes numbers of w and the states of its own.
unsafe impl<T: Real, U: Update> Cut for UpdateAll<T, U> {
    type Out = ();

    fn units(&self) -> usize {
        self.len / T::LINE
    }

    fn part(self, units: Range<usize>) -> Self {
        let at = units.start * T::LINE;
        UpdateAll {
            len: units.len() * T::LINE,
            w: self.w.wrapping_add(at),
            states: self.states.map(|state| state.wrapping_add(at)),
            g: self.g.wrapping_add(at),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }
}

impl<T: Real, U: Update> Kernel<T> for UpdateAll<T, U> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        let mut i = 0;
        while i < self.len {
            // SAFETY: i + LANES ≤ len, which `update` checked for w, g and the U::STATES states that are set.
            unsafe { step::<V, U>(self.w, self.states, i, V::load(self.g.add(i)), self.u) };
            i += V::LANES;
        }
    }
}

/// (w, states) ← u(w, states, g) for the vector at `at`.
///
/// # Safety
/// w and the first U::STATES states hold a vector there, and the CPU is V's.
#[inline(always)]
pub(crate) unsafe fn step<V: Raw, U: Update>(w: *mut V::Scalar, states: [*mut V::Scalar; 3], at: usize, g: V, u: U) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut moments = [V::splat(V::Scalar::ZERO); 3];
        for (moment, state) in moments.iter_mut().zip(states).take(U::STATES) {
            *moment = V::load(state.add(at));
        }
        let (new, moments) = u.update(V::load(w.add(at)), moments, g);
        new.store(w.add(at));
        for (moment, state) in moments.into_iter().zip(states).take(U::STATES) {
            moment.store(state.add(at));
        }
    }
}
