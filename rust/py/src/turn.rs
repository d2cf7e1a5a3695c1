//! Whose turn it is to change a network. One call changes it at a time; during a fit, only the thread of the fit does.
//!
//! | state | step, apply_gradient | setters | train_epoch | begin_fit |
//! |---|---|---|---|---|
//! | idle | yes | yes | no | yes |
//! | a fit, between two epochs (callbacks run here) | no | its thread only | its thread only | no |
//! | inside an epoch, a step or a setter | no | no | no | no |
//!
//! A call that does not get the turn is refused. It never waits, because a call inside a callback would wait for ever.
//! In a forked child, the turn of a thread that stayed in the parent is over.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::fork::{forks, survivor, this_thread};

/// Who has the turn: 0, or the number of a thread plus [`FIT`] while it fits the network, plus [`BUSY`] while a call of
/// it has the turn.
#[derive(Debug)]
pub(crate) struct Turn {
    state: AtomicU64,
    /// The value of [`forks`] when the state was right for this process.
    forks: AtomicUsize,
}

const BUSY: u64 = 1 << 63;
const FIT: u64 = 1 << 62;

/// The turn of one call. Dropping it ends the turn.
#[must_use]
#[derive(Debug)]
pub(crate) struct Inside<'a> {
    turn: &'a Turn,
    /// The state afterwards.
    then: u64,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.turn.state.store(self.then, Ordering::Release);
    }
}

impl Default for Turn {
    fn default() -> Self {
        Turn { state: AtomicU64::new(0), forks: AtomicUsize::new(forks()) }
    }
}

impl Turn {
    /// Called with the GIL, so that no other thread is in here at the same time.
    fn change(&self, from: u64, to: u64) -> bool {
        if self.forks.load(Ordering::Relaxed) != forks() {
            self.forks.store(forks(), Ordering::Relaxed);
            let thread = self.state.load(Ordering::Relaxed) & !(BUSY | FIT);
            if thread != survivor() {
                self.state.store(0, Ordering::Relaxed);
            }
        }
        let is_free = self.state.load(Ordering::Acquire) == from;
        if is_free {
            self.state.store(to, Ordering::Relaxed);
        }
        is_free
    }

    fn taken(&self, from: u64) -> Option<Inside<'_>> {
        self.change(from, from | this_thread() | BUSY).then(|| Inside { turn: self, then: from })
    }

    /// The turn for a call that is refused during a fit: step, apply_gradient.
    pub(crate) fn alone(&self) -> Option<Inside<'_>> {
        self.taken(0)
    }

    /// The turn for an epoch of the fit that this thread began.
    pub(crate) fn in_fit(&self) -> Option<Inside<'_>> {
        self.taken(FIT | this_thread())
    }

    /// The turn for a setter: allowed while there is no fit, and between two epochs of a fit of this thread.
    pub(crate) fn between(&self) -> Option<Inside<'_>> {
        self.alone().or_else(|| self.in_fit())
    }

    /// Begins a fit of this thread. False if a call has the turn or another fit has begun.
    pub(crate) fn begin_fit(&self) -> bool {
        self.change(0, FIT | this_thread())
    }

    /// Ends the fit that this thread began. False if there is none or a call has the turn.
    pub(crate) fn end_fit(&self) -> bool {
        self.change(FIT | this_thread(), 0)
    }
}
