//! The gate between a caller and the workers. One word holds the job's number, the seats left, and the workers inside.
//!
//! ```text
//! 63 ……… 32 | 31 ……… 16 | 15 ………… 0
//! job number |   seats left  |  workers inside
//! ```
//!
//! Joining and shutting change the same word, so one of them comes first. Either a worker is inside before the gate
//! shuts, and the caller waits for it, or the worker stays outside. That is why a job may be a reference into the
//! caller's stack.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::yield_now;

const SEAT: u64 = 1 << 16;
const JOB: u64 = 1 << 32;
/// The most seats of a job.
pub(super) const MAX_SEATS: usize = 0xffff;
/// Looks at the gate before a waiting caller yields the processor.
const LOOKS_BEFORE_YIELD: usize = 2000;

#[derive(Debug, Default)]
#[repr(align(128))] // Workers read it all the time, so nothing else may be on its lines.
pub(super) struct Gate(AtomicU64);

impl Gate {
    /// Begins the next job, for up to `seats` workers. The gate must be shut, with nobody inside.
    pub(super) fn open(&self, seats: usize) {
        debug_assert!(seats <= MAX_SEATS && self.0.load(Ordering::Relaxed) as u32 == 0);
        // SeqCst here, in `is_open` and for the workers' flags: either a worker that is about to sleep sees this job,
        // or the caller sees that it sleeps.
        self.0.fetch_add(JOB + SEAT * seats as u64, Ordering::SeqCst);
    }

    /// Enters the current job and returns its number; None if it is `last` or has no seats left.
    pub(super) fn join(&self, last: u32) -> Option<u32> {
        let seen = self.0.load(Ordering::Relaxed);
        if !joinable(seen, last) {
            return None;
        }
        // Acquire: inside, the worker sees what the caller wrote before it opened the gate.
        let entered = self.0.compare_exchange(seen, seen - SEAT + 1, Ordering::Acquire, Ordering::Relaxed);
        entered.ok().map(|word| (word >> 32) as u32)
    }

    /// Whether there is a job to join other than `last`.
    pub(super) fn is_open(&self, last: u32) -> bool {
        joinable(self.0.load(Ordering::SeqCst), last)
    }

    /// Leaves the job. After `shut` the caller sees what this worker wrote.
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
