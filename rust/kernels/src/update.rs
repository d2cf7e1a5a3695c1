//! The update of an optimizer, (w, states) ← u(w, states, g): as a pass over memory, and for one vector of g in a
//! register.

use crate::isa::Kernel;
use crate::pool::{self, Cut, FLOPS_A_NUMBER};
use crate::region::whole;
use crate::vector::Raw;
use crate::{Buffer, Machine, Real, Update};
use std::ops::Range;

/// (w, states) ← u(w, states, g).
///
/// # Panics
/// Unless there are `U::STATES` states and all lengths are the same multiple of [`Real::LINE`].
pub fn update<T: Real, U: Update>(machine: Machine, w: &mut [T], states: &mut [Buffer<T>], g: &[T], u: U) {
    let all = 0..w.len();
    update_part(machine, w, states, all, g, u);
}

/// [`update`] of the parameters at `place`, with their states, by g.
///
/// # Panics
/// Unless `place` is inside w, g is as long as it, a multiple of [`Real::LINE`], and there are `U::STATES` states as
/// long as w.
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
    unsafe { pool::run(machine, len * 2 * FLOPS_A_NUMBER, kernel) }
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

/// The start of each of the states that `U` has.
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

/// (w, states) ← u(w, states, g) for the vector of parameters at `at`.
///
/// # Safety
/// w and the first U::STATES states hold a vector there, and the CPU has V's instructions.
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
