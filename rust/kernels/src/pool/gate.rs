//! The gate between a caller and the workers: one word says which job is on, how many may still join it and how many are
//! inside.
//!
//! ```text
//! 63 ……… 32 | 31 ……… 16 | 15 ………… 0
//! job number |   seats left  |  workers inside
//! ```
//!
//! Whoever joins and whoever shuts change the same word, so one of them is first: a worker is inside before the gate is shut,
//! and is waited for, or it stays outside. That is what allows a job to be a reference into the caller's stack.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::yield_now;

const SEAT: u64 = 1 << 16;
const JOB: u64 = 1 << 32;
/// Most seats of a job.
pub(super) const MAX_SEATS: usize = 0xffff;
/// Looks at the gate before the processor is offered to others.
const LOOKS_BEFORE_YIELD: usize = 2000;

#[derive(Debug, Default)]
#[repr(align(128))] // Workers look at it all the time: nothing else may lie on its lines.
pub(super) struct Gate(AtomicU64);

impl Gate {
    /// Begins the next job, for as many workers as there are seats. The gate is shut and nobody is inside.
    pub(super) fn open(&self, seats: usize) {
        debug_assert!(seats <= MAX_SEATS && self.0.load(Ordering::Relaxed) as u32 == 0);
        // SeqCst here, and in `is_open` and the workers' flags: either the worker that is about to sleep sees this job, or
        // the caller sees that it sleeps.
        self.0.fetch_add(JOB + SEAT * seats as u64, Ordering::SeqCst);
    }

    /// Enters the job that is on, unless that is `last` or has no seats: its number.
    pub(super) fn join(&self, last: u32) -> Option<u32> {
        let seen = self.0.load(Ordering::Relaxed);
        if !joinable(seen, last) {
            return None;
        }
        // Whatever the caller wrote before it opened is seen inside.
        let entered = self.0.compare_exchange(seen, seen - SEAT + 1, Ordering::Acquire, Ordering::Relaxed);
        entered.ok().map(|word| (word >> 32) as u32)
    }

    /// Whether there is a job to join that is not `last`.
    pub(super) fn is_open(&self, last: u32) -> bool {
        joinable(self.0.load(Ordering::SeqCst), last)
    }

    /// Leaves the job; whatever this worker wrote is seen by the caller after `shut`.
    pub(super) fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Release);
    }

    /// Lets nobody in any more, and waits until nobody is inside.
    pub(super) fn shut(&self) {
        self.0.fetch_and(!(SEAT * MAX_SEATS as u64), Ordering::Relaxed);
        self.wait(|word| word & (SEAT - 1) == 0);
    }

    /// Waits until all seats are taken.
    pub(super) fn fill(&self) {
        self.wait(|word| word & (SEAT * MAX_SEATS as u64) == 0);
    }

    fn wait(&self, done: impl Fn(u64) -> bool) {
        let mut looks = 0;
        while !done(self.0.load(Ordering::Acquire)) {
            looks += 1;
            if looks < LOOKS_BEFORE_YIELD { spin_loop() } else { yield_now() }
        }
    }
}

fn joinable(word: u64, last: u32) -> bool {
    word & (SEAT * MAX_SEATS as u64) != 0 && (word >> 32) as u32 != last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gate_lets_as_many_in_as_there_are_seats_and_each_once() {
        let gate = Gate::default();
        assert_eq!((gate.join(0), gate.is_open(0)), (None, false));
        gate.open(2);
        let job = gate.join(0).unwrap();
        assert_eq!((gate.join(job), gate.is_open(job)), (None, false));
        assert_eq!(gate.join(0), Some(job));
        assert_eq!(gate.join(0), None, "no seat is left");
        gate.leave();
        gate.leave();
        gate.shut();
        gate.open(1);
        assert_ne!(gate.join(job), None, "the next job has another number");
        gate.leave();
        gate.shut();
        gate.open(7);
        gate.shut();
        assert_eq!(gate.join(0), None, "shut before all came");
    }
}
