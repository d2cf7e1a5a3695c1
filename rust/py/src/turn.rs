//! Whose turn it is to change a network. One call changes it at a time; during a fit, only the thread of the fit does.
//!
//! | state | step, apply_gradient | setters | train_epoch | begin_fit |
//! |---|---|---|---|---|
//! | idle | yes | yes | no | yes |
//! | a fit, between two epochs (callbacks run here) | no | its thread only | its thread only | no |
//! | inside an epoch, a step or a setter | no | no | no | no |
//!
//! A call that does not get the turn is refused. It never waits, because a call inside a callback would wait for ever.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number of the thread that fits the network, 0 if none does; plus [`BUSY`] while a call has the turn.
#[derive(Debug, Default)]
pub(crate) struct Turn(AtomicU64);

const BUSY: u64 = 1 << 63;

/// The turn of one call. Dropping it ends the turn.
#[must_use]
#[derive(Debug)]
pub(crate) struct Inside<'a>(&'a Turn);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_and(!BUSY, Ordering::Release);
    }
}

/// A number, from 1 on, that no other thread of this process has or had.
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}

impl Turn {
    fn change(&self, from: u64, to: u64) -> bool {
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        self.0.compare_exchange(from, to, success, failure).is_ok()
    }

    /// The turn for a call that is refused during a fit: step, apply_gradient.
    pub(crate) fn alone(&self) -> Option<Inside<'_>> {
        self.change(0, BUSY).then(|| Inside(self))
    }

    /// The turn for an epoch of the fit that this thread began.
    pub(crate) fn in_fit(&self) -> Option<Inside<'_>> {
        let me = this_thread();
        self.change(me, me | BUSY).then(|| Inside(self))
    }

    /// The turn for a setter: allowed while there is no fit, and between two epochs of a fit of this thread.
    pub(crate) fn between(&self) -> Option<Inside<'_>> {
        self.alone().or_else(|| self.in_fit())
    }

    /// Begins a fit of this thread. False if a call has the turn or another fit has begun.
    pub(crate) fn begin_fit(&self) -> bool {
        self.change(0, this_thread())
    }

    /// Ends the fit that this thread began. False if there is none or a call has the turn.
    pub(crate) fn end_fit(&self) -> bool {
        self.change(this_thread(), 0)
    }
}
