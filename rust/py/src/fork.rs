//! Forks. A child inherits every lock as it is, but of all threads only the one that forked: a lock that another thread
//! holds then is never released. So a fork waits until no call holds a lock, and new calls wait until the fork is done.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Number of calls that hold the lock of a network, or wait for it, while other threads may run Python code.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// Number of threads that are about to fork.
static FORKING: AtomicUsize = AtomicUsize::new(0);
/// Number of forks between the first process and this one.
static FORKS: AtomicUsize = AtomicUsize::new(0);
/// The same, but only forks while a call was inside.
static FORKS_INSIDE: AtomicUsize = AtomicUsize::new(0);

/// The number of the thread that forked last.
static SURVIVOR: AtomicU64 = AtomicU64::new(0);
/// Whether a fork has waited for [`PATIENCE`].
static LATE: AtomicBool = AtomicBool::new(false);

/// A fork waits so long for calls to end. Then those of several tiles are stopped, and start again after it.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest that a fork waits, for one tile or step.
const MAX_WAIT: Duration = Duration::from_secs(5);
const NAP: Duration = Duration::from_micros(100);

/// A number, from 1 on, that no other thread of this process or of its parents has or had.
pub(crate) fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}

/// Dropped when the call holds no lock any more.
#[must_use]
pub(crate) struct Inside(());

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// For a call that has released the GIL and is about to take a lock. Waits while another thread forks.
pub(crate) fn enter() -> Inside {
    loop {
        INSIDE.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(());
        if FORKING.load(Ordering::SeqCst) == 0 {
            return inside;
        }
        drop(inside);
        thread::sleep(NAP);
    }
}

/// Before a fork, without the GIL: keeps other calls out, and waits for those inside.
pub(crate) fn before() {
    FORKING.fetch_add(1, Ordering::SeqCst);
    let start = Instant::now();
    while INSIDE.load(Ordering::SeqCst) > 0 && start.elapsed() < MAX_WAIT {
        LATE.store(start.elapsed() > PATIENCE, Ordering::Relaxed);
        thread::sleep(NAP);
    }
    LATE.store(false, Ordering::Relaxed);
}

/// Whether calls should stop, because a fork has waited for long.
pub(crate) fn is_late() -> bool {
    LATE.load(Ordering::Relaxed)
}

/// After a fork, in the parent.
pub(crate) fn after_in_parent() {
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

/// After a fork, in the child.
pub(crate) fn after_in_child() {
    SURVIVOR.store(this_thread(), Ordering::Relaxed);
    FORKS.fetch_add(1, Ordering::Relaxed);
    if INSIDE.swap(0, Ordering::SeqCst) > 0 {
        FORKS_INSIDE.fetch_add(1, Ordering::Relaxed);
    }
    FORKING.store(0, Ordering::SeqCst);
    LATE.store(false, Ordering::Relaxed);
}

/// Number of forks between the first process and this one.
pub(crate) fn forks() -> usize {
    FORKS.load(Ordering::Relaxed)
}

/// The thread that forked last: the only one in this process that was one of its parent too.
pub(crate) fn survivor() -> u64 {
    SURVIVOR.load(Ordering::Relaxed)
}

/// The same as [`forks`], but only those that did not wait long enough: a lock may have been held then.
pub(crate) fn forks_inside() -> usize {
    FORKS_INSIDE.load(Ordering::Relaxed)
}
