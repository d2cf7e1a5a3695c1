//! Ctrl-C during a long call. Its handler is Python code, which must not run while a lock is held. So core asks between
//! two tiles whether to go on, and the handler runs after it has stopped. A fork that has waited for long stops it too.
//!
//! ```text
//! keep_going: Ctrl-C? ─▶ core: Error::Interrupted ─▶ the lock is free ─▶ handler ─▶ it raised, or the call starts again
//! ```

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::fork::{self, this_thread};

/// Time between two looks for signals. To look, a thread needs the GIL, which may take 5 ms if another thread has it.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// Flops between two readings of the clock: some hundred microseconds.
const FLOPS_BETWEEN_READINGS: usize = 10_000_000;

/// What looks for Ctrl-C during one call. Only the thread that made it looks; signals mean nothing to other threads.
pub(crate) struct Watch {
    flops_a_row: usize,
    thread: u64,
    /// The first reading of the clock.
    start: OnceLock<Instant>,
    /// Flops since the last reading of the clock.
    flops: AtomicUsize,
    /// The time of the next look, in milliseconds after `start`.
    next: AtomicU64,
    /// Whether the call was stopped before. It is not stopped again, or it might never end.
    heard: AtomicBool,
}

impl Watch {
    /// A watch over a call that takes so many flops for each row.
    pub(crate) fn new(flops_a_row: usize) -> Self {
        Watch {
            flops_a_row,
            thread: this_thread(),
            start: OnceLock::new(),
            flops: AtomicUsize::new(0),
            next: AtomicU64::new(SLICE.as_millis() as u64),
            heard: AtomicBool::new(false),
        }
    }

    /// Whether `rows` rows take long enough to look for Ctrl-C among them.
    pub(crate) fn is_for(&self, rows: usize) -> bool {
        rows.saturating_mul(self.flops_a_row) > FLOPS_BETWEEN_READINGS
    }

    /// False if the call must stop. Called before some `rows` rows are computed with.
    pub(crate) fn keep_going(&self, rows: usize) -> bool {
        if self.thread != this_thread() {
            return true;
        }
        // Only this thread counts, so no sum is lost.
        let flops = self.flops.load(Ordering::Relaxed).saturating_add(rows.saturating_mul(self.flops_a_row));
        let is_due = flops > FLOPS_BETWEEN_READINGS;
        self.flops.store(if is_due { 0 } else { flops }, Ordering::Relaxed);
        !is_due || self.look()
    }

    /// False if Ctrl-C was pressed or a fork is late, which is found out once in [`SLICE`].
    pub(crate) fn look(&self) -> bool {
        let now = self.start.get_or_init(Instant::now).elapsed();
        if self.heard.load(Ordering::Relaxed) || now < Duration::from_millis(self.next.load(Ordering::Relaxed)) {
            return true;
        }
        self.next.store((now + SLICE).as_millis() as u64, Ordering::Relaxed);
        if fork::is_late() {
            return false;
        }
        // None while the interpreter ends: the thread then stops where the call returns.
        let none_pressed = Python::try_attach(|_| {
            // SAFETY: this thread has the GIL. The call runs no Python code; it tells whether the handler of Ctrl-C is
            // due, and forgets that it is.
            let pressed = unsafe { ffi::PyOS_InterruptOccurred() } != 0;
            if pressed {
                // SAFETY: as above. The handler is due again, and `hear` runs it.
                unsafe { ffi::PyErr_SetInterrupt() };
            }
            !pressed
        });
        none_pressed.unwrap_or(true)
    }

    /// Runs the handlers of the signals that have come. If none of them raises, the call may start again.
    pub(crate) fn hear(&self, py: Python<'_>) -> PyResult<()> {
        py.check_signals()?;
        self.heard.store(true, Ordering::Relaxed);
        Ok(())
    }
}
