//! Whose turn it is to change a network: one call at a time, and none but the fit's own while a fit is on.
//!
//! | state | step, apply_gradient | setters | train_epoch | begin_fit |
//! |---|---|---|---|---|
//! | idle | yes | yes | no | yes |
//! | a fit, between two epochs (callbacks run here) | no | its own thread | its own thread | no |
//! | inside an epoch, a step or a setter | no | no | no | no |
//!
//! A call that has no turn is refused, it never waits: waiting inside a callback would be for ever.

use std::sync::atomic::{AtomicU64, Ordering};

/// The thread whose fit is on (0: none), and [`BUSY`] while a call is inside.
#[derive(Debug, Default)]
pub(crate) struct Turn(AtomicU64);

const BUSY: u64 = 1 << 63;

/// The turn of one call; it ends when this is dropped.
#[must_use]
#[derive(Debug)]
pub(crate) struct Inside<'a>(&'a Turn);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_and(!BUSY, Ordering::Release);
    }
}

/// A number of this thread that no other thread of the process has or had, from 1.
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

    /// A turn for a call that must not meet a fit: step, apply_gradient.
    pub(crate) fn alone(&self) -> Option<Inside<'_>> {
        self.change(0, BUSY).then(|| Inside(self))
    }

    /// A turn for an epoch of the fit that this thread began.
    pub(crate) fn in_fit(&self) -> Option<Inside<'_>> {
        let me = this_thread();
        self.change(me, me | BUSY).then(|| Inside(self))
    }

    /// A turn for a setter: no fit, or this thread's own between two epochs.
    pub(crate) fn between(&self) -> Option<Inside<'_>> {
        self.alone().or_else(|| self.in_fit())
    }

    /// Begins a fit of this thread; false where a call is inside or a fit is on.
    pub(crate) fn begin_fit(&self) -> bool {
        self.change(0, this_thread())
    }

    /// Ends the fit that this thread began; false where there is none or a call is inside.
    pub(crate) fn end_fit(&self) -> bool {
        self.change(this_thread(), 0)
    }
}
