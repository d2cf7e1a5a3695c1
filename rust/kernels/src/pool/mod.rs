//! Threads: work that is cut into parts, which the caller and some workers take one after the other.
//!
//! ```text
//! caller: write down the job ─▶ open the gate ─▶ take parts ─▶ shut the gate, wait until nobody is inside
//! worker: look at the gate for a while, then sleep ─▶ enter ─▶ take parts until none is left ─▶ leave
//! ```
//!
//! There are no workers until work is worth it, and they end with the process. What a part writes does not depend on who
//! takes it, so no result depends on the number of threads. A caller never waits for a worker that has not come: it
//! takes all the parts that are left itself. A caller that finds the workers busy with another's job works alone, and so
//! does a part that wants to cut its own work. A panic in a part goes on in the caller, and the workers stay.
//!
//! After a fork the child is another process without workers: it has its own, made on need, and leaves alone what it
//! has inherited of its parent's.

mod gate;
#[cfg(test)]
mod tests;

use crate::Machine;
use gate::{Gate, MAX_SEATS};
use std::any::Any;
use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};
use std::{hint, ptr};

/// Work that is worth cutting for workers that are awake, in floating-point operations of a product.
const MIN_FLOPS_TO_CUT: usize = 700_000;
/// Work that is worth waking workers for, in one piece or in a row: that takes the caller some microseconds, and them some
/// tens.
const MIN_FLOPS_TO_WAKE: usize = 6_000_000;
/// Operations of a product that one thread does in a microsecond.
const FLOPS_A_MICROSECOND: usize = 110_000;
/// What reading and writing a number costs a pass over memory, in floating-point operations.
pub const FLOPS_A_NUMBER: usize = 12;
/// Parts a thread: some, so that a thread that comes late or is interrupted leaves its parts to others.
const PARTS_A_THREAD: usize = 4;
/// How long a worker looks for its next job before it sleeps.
const SPIN_TIME: Duration = Duration::from_micros(50);
/// How long no sleeping worker is woken after one found itself on its caller's processor again, just after it had moved to
/// another: it would only take the caller's time (and the 50 µs above, as measured).
const CROWDED_TIME: Duration = Duration::from_millis(5);
/// Looks between two looks at the clock.
const LOOKS_A_CLOCK_READING: usize = 64;

/// Whether all work is worth it, and everyone is waited for: see [`force`].
static FORCED: AtomicBool = AtomicBool::new(false);
/// How often a worker had a part in forced work.
static HELPED: AtomicU64 = AtomicU64::new(0);
/// The pool of this process, or of the one that it was forked from.
static POOL: AtomicPtr<Pool> = AtomicPtr::new(ptr::null_mut());

/// For tests: cuts all work however small, and has each caller wait until all its threads have come, until called with
/// `false`. Returns how often a worker has had a part in such work.
#[doc(hidden)]
pub fn force(on: bool) -> u64 {
    FORCED.store(on, Ordering::Relaxed);
    HELPED.load(Ordering::Relaxed)
}

/// Whether [`force`] is on.
#[doc(hidden)]
pub fn is_forced() -> bool {
    FORCED.load(Ordering::Relaxed)
}

/// Whether work of so many floating-point operations is worth cutting: a question of the work alone.
#[inline]
pub fn is_worth(work: usize) -> bool {
    work >= MIN_FLOPS_TO_CUT || is_forced()
}

/// Work that can be cut into parts: rows, or lines of columns, of what it writes.
///
/// # Safety
/// Parts that have no unit in common may be done by several threads at once: none writes what another reads or writes.
pub(crate) unsafe trait Cut: Copy {
    /// What comes out of it.
    type Out: Send;
    /// How many units there are.
    fn units(&self) -> usize;
    /// The part that is these units.
    fn part(self, units: Range<usize>) -> Self;
    /// Does it.
    ///
    /// # Safety
    /// The addresses in it are good for what it does.
    unsafe fn run(self, machine: Machine) -> Self::Out;
    /// What comes out of two parts, in any order.
    fn join(one: Self::Out, _other: Self::Out) -> Self::Out {
        one
    }
}

/// Does what `make` makes, on the target's threads where that is worth it; `work` is how many floating-point operations
/// of a product take as long.
///
/// # Safety
/// As [`Cut::run`].
// Alone it must cost nothing: a step of a small network has 20 of these in less than 1 µs. Made here and not passed in, for
// then it is made once where it is needed (4 % of such a step).
#[inline(always)]
pub(crate) unsafe fn run<C: Cut>(machine: Machine, work: usize, make: impl Fn() -> C) -> C::Out {
    if machine.threads() == 1 || !is_worth(work) {
        // SAFETY: the caller's promise.
        return unsafe { make().run(machine) };
    }
    // SAFETY: the caller's promise.
    unsafe { run_parts(machine, work, make()) }
}

/// # Safety
/// As [`Cut::run`].
#[cold]
#[inline(never)]
unsafe fn run_parts<C: Cut>(machine: Machine, work: usize, whole: C) -> C::Out {
    let (units, alone, to_cut) = (whole.units(), machine.with_threads(1), Shared(whole));
    let (result, parts) = (Mutex::new(None), units.min(PARTS_A_THREAD * machine.threads()));
    let shared = share(machine.threads(), parts, work, &|part| {
        let part = to_cut.get().part(units * part / parts..units * (part + 1) / parts);
        // SAFETY: the caller's promise, for a part of it.
        let new = unsafe { part.run(alone) };
        let mut result = result.lock().unwrap_or_else(PoisonError::into_inner);
        *result = Some(match result.take() {
            None => new,
            Some(before) => C::join(before, new),
        });
    });
    if !shared {
        // SAFETY: the caller's promise.
        return unsafe { whole.run(alone) };
    }
    let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
    result.unwrap_or_else(|| unreachable!("there are parts, and each has a result"))
}

/// Work that several threads look at.
struct Shared<C>(C);

// SAFETY: it is cut before it is done, and what it says of its parts is what this needs (`Cut`).
unsafe impl<C: Cut> Sync for Shared<C> {}

impl<C: Cut> Shared<C> {
    fn get(&self) -> C {
        self.0
    }
}

/// Wakes the workers for `threads` threads where `work` floating-point operations are about to come, product after product,
/// the largest of them worth cutting, though it alone would not be worth waking them.
#[inline]
pub fn rouse(threads: usize, work: usize, largest: impl FnOnce() -> usize) {
    if threads > 1 && work >= MIN_FLOPS_TO_WAKE && is_worth(largest()) {
        Pool::of_this_process().rouse(threads - 1);
    }
}

/// Calls `f` for each of `items`, all worth a thread that is awake, and its number, in any order; `work` is how many
/// floating-point operations of a product take as long as all of them.
pub fn for_each<S: Send>(machine: Machine, work: usize, items: &mut [S], f: impl Fn(usize, &mut S) + Sync) {
    let (count, all) = (items.len(), Items(items.as_mut_ptr()));
    let shared = share(machine.threads(), count, work.max(MIN_FLOPS_TO_CUT), &|i| {
        // SAFETY: i < count, each once: nobody else has this item, which may go to another thread.
        f(i, unsafe { &mut *all.at(i) });
    });
    if !shared {
        items.iter_mut().enumerate().for_each(|(i, item)| f(i, item));
    }
}

/// Items, one of which at a time each thread works on.
struct Items<S>(*mut S);

// SAFETY: who takes an item has it alone (`for_each`), and may, for it is Send.
unsafe impl<S: Send> Sync for Items<S> {}

impl<S> Items<S> {
    fn at(&self, i: usize) -> *mut S {
        self.0.wrapping_add(i)
    }
}

/// Calls `part` for 0, 1, … `parts` − 1 in any order, on up to `threads` threads at once, the caller's among them; false,
/// and nothing done, where the caller is better off alone. `work` is how many floating-point operations all of them are.
fn share(threads: usize, parts: usize, work: usize, part: &(dyn Fn(usize) + Sync)) -> bool {
    threads > 1 && parts > 1 && is_worth(work) && Pool::of_this_process().run(threads.min(parts) - 1, parts, work, part)
}

/// What is to be done. Good while the gate is open or somebody is inside.
#[derive(Clone, Copy)]
struct Job {
    part: *const (dyn Fn(usize) + Sync),
    parts: usize,
}

struct Worker {
    thread: Thread,
    asleep: Arc<AtomicBool>,
}

impl Worker {
    fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::SeqCst)
    }

    fn wake(&self) {
        if self.is_asleep() && self.asleep.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
    }
}

#[derive(Default)]
struct Workers {
    all: Vec<Worker>,
    /// Work that has come in a row and was not worth waking anyone, and until when more of it belongs to the row, in
    /// microseconds since the pool's start.
    row: usize,
    row_ends: u64,
    /// The system refused to start another.
    refused: bool,
}

struct Pool {
    /// The process whose threads the workers are.
    process: u32,
    gate: Gate,
    taken: Taken,
    /// The processor of the last caller.
    processor: AtomicUsize,
    /// When workers may be woken again, in microseconds since `start`.
    crowded: AtomicU64,
    /// Until when a worker that is in the way has moved already, likewise.
    moved: AtomicU64,
    start: Instant,
    job: UnsafeCell<Job>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Held by the caller whose job is on.
    workers: Mutex<Workers>,
}

/// The parts that are taken: from the first on by the caller, in the low half, and from the last back by workers, in the
/// high half. So from step to step a thread has much the same parts, whose weights its caches hold. On lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Taken(AtomicU64);

impl Taken {
    fn begin(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Leaves nothing to take.
    fn end(&self, parts: usize) {
        self.0.store(parts as u64, Ordering::Relaxed);
    }

    /// The next of so many parts, for the caller or for a worker.
    fn next(&self, parts: usize, by_caller: bool) -> Option<usize> {
        let before = self.0.fetch_add(if by_caller { 1 } else { 1 << 32 }, Ordering::Relaxed);
        let (first, last) = (before as u32 as usize, (before >> 32) as usize);
        (first + last < parts).then(|| if by_caller { first } else { parts - 1 - last })
    }
}

// SAFETY: `job` is written by the holder of `workers` before it opens the gate, and read by those inside.
unsafe impl Sync for Pool {}
// SAFETY: a job that has ended is not used again, so the pointer in it may go anywhere.
unsafe impl Send for Pool {}

impl Pool {
    /// Made at the first call in a process, without workers.
    fn of_this_process() -> &'static Pool {
        let process = std::process::id();
        let mut seen = POOL.load(Ordering::Acquire);
        loop {
            // SAFETY: what was ever in POOL is never freed.
            if let Some(pool) = unsafe { seen.as_ref() }
                && pool.process == process
            {
                return pool;
            }
            let nothing: &(dyn Fn(usize) + Sync) = &|_| {};
            let new = Box::into_raw(Box::new(Pool {
                process,
                gate: Gate::default(),
                taken: Taken::default(),
                processor: AtomicUsize::new(NOWHERE),
                crowded: AtomicU64::new(0),
                moved: AtomicU64::new(0),
                start: Instant::now(),
                job: UnsafeCell::new(Job { part: nothing, parts: 0 }),
                panic: Mutex::new(None),
                workers: Mutex::new(Workers::default()),
            }));
            match POOL.compare_exchange(seen, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => seen = new,
                Err(other) => {
                    // SAFETY: ours, and nobody has seen it.
                    drop(unsafe { Box::from_raw(new) });
                    seen = other;
                }
            }
        }
    }

    fn rouse(&'static self, wanted: usize) {
        if let Ok(mut workers) = self.workers.try_lock() {
            self.grow(&mut workers, wanted);
            if workers.all.iter().take(wanted).any(Worker::is_asleep) && !self.is_crowded() {
                self.processor.store(processor(), Ordering::Relaxed);
                workers.all.iter().take(wanted).for_each(Worker::wake);
            }
        }
    }

    /// Work that has come in a row with this: each soon after the caller may have finished the one before.
    fn row(&self, workers: &mut Workers, work: usize) -> usize {
        let now = self.micros();
        workers.row = work.saturating_add(if now <= workers.row_ends { workers.row } else { 0 });
        workers.row_ends = now + SPIN_TIME.as_micros() as u64 / 2 + 2 * (work / FLOPS_A_MICROSECOND) as u64;
        workers.row
    }

    /// Does all parts with up to `wanted` workers; false, and nothing done, where there are none to be had or the work
    /// is not worth waking them.
    fn run(&'static self, wanted: usize, parts: usize, work: usize, part: &(dyn Fn(usize) + Sync)) -> bool {
        let mut workers = match self.workers.try_lock() {
            Ok(workers) => workers,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let forced = is_forced();
        let asleep = workers.all.iter().take(wanted).all(Worker::is_asleep);
        let is_worth_waking =
            forced || work >= MIN_FLOPS_TO_WAKE || asleep && self.row(&mut workers, work) >= MIN_FLOPS_TO_WAKE;
        if is_worth_waking {
            workers.row = 0;
            self.grow(&mut workers, wanted);
        }
        if asleep && !forced && (!is_worth_waking || self.is_crowded()) {
            return false;
        }
        let wanted = wanted.min(workers.all.len());
        if wanted == 0 {
            return false;
        }
        // SAFETY: only the lifetime changes: nobody uses the job after `shut` below.
        let part: *const (dyn Fn(usize) + Sync + 'static) = unsafe { std::mem::transmute(ptr::from_ref(part)) };
        let job = Job { part, parts };
        // SAFETY: this thread holds `workers`, the gate is shut and nobody is inside.
        unsafe { *self.job.get() = job };
        self.taken.begin();
        self.processor.store(processor(), Ordering::Relaxed);
        self.gate.open(wanted);
        workers.all.iter().take(wanted).for_each(Worker::wake);
        if forced {
            self.gate.fill();
        }
        self.take_parts(job, true);
        self.gate.shut();
        drop(workers);
        if let Some(panic) = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take() {
            resume_unwind(panic);
        }
        true
    }

    /// Takes parts until none is left, and returns how many; a panic is kept for the caller and ends the job.
    fn take_parts(&self, job: Job, by_caller: bool) -> usize {
        let mut taken = 0;
        while let Some(next) = self.taken.next(job.parts, by_caller) {
            taken += 1;
            // SAFETY: the gate is open or this thread is inside, so the caller is still in `run`.
            let part = unsafe { &*job.part };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| part(next))) {
                self.taken.end(job.parts);
                *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            }
        }
        taken
    }

    /// Starts workers until there are `wanted`, or the system has no more threads.
    fn grow(&'static self, workers: &mut Workers, wanted: usize) {
        while workers.all.len() < wanted.min(MAX_SEATS) && !workers.refused {
            let asleep = Arc::new(AtomicBool::new(false));
            let flag = asleep.clone();
            let builder = thread::Builder::new().name("chainrule".into());
            match without_signals(|| builder.spawn(move || self.serve(&flag))) {
                Ok(handle) => workers.all.push(Worker { thread: handle.thread().clone(), asleep }),
                Err(_) => workers.refused = true,
            }
        }
    }

    /// Whether workers are not worth waking at present.
    fn is_crowded(&self) -> bool {
        self.is_before(&self.crowded)
    }

    fn is_before(&self, until: &AtomicU64) -> bool {
        self.micros() < until.load(Ordering::Relaxed)
    }

    /// Microseconds since the start.
    fn micros(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// Whether this worker is where its caller was, which then waits for it or is about to come back. The system may wake it
    /// there again and again, be the others idle or not: so it moves first, and is in the way only where that did not help.
    fn is_in_the_way(&self) -> bool {
        let here = processor();
        if here == NOWHERE || here != self.processor.load(Ordering::Relaxed) {
            return false;
        }
        let until = (self.start.elapsed() + CROWDED_TIME).as_micros() as u64;
        if !self.is_before(&self.moved) {
            self.moved.store(until, Ordering::Relaxed);
            if move_off(here) {
                return false;
            }
        }
        self.crowded.store(until, Ordering::Relaxed);
        true
    }

    /// The life of a worker.
    fn serve(&self, asleep: &AtomicBool) {
        let mut last = 0;
        loop {
            last = self.next_job(last, asleep);
            // SAFETY: this thread is inside.
            let job = unsafe { *self.job.get() };
            if is_forced() {
                HELPED.fetch_add(u64::from(self.take_parts(job, false) > 0), Ordering::Relaxed);
            } else if !self.is_in_the_way() {
                self.take_parts(job, false);
            }
            self.gate.leave();
        }
    }

    /// Waits for a job after `last`, and joins it.
    fn next_job(&self, last: u32, asleep: &AtomicBool) -> u32 {
        loop {
            let start = Instant::now();
            loop {
                for _ in 0..LOOKS_A_CLOCK_READING {
                    if let Some(job) = self.gate.join(last) {
                        return job;
                    }
                    hint::spin_loop();
                }
                if start.elapsed() > SPIN_TIME || self.is_in_the_way() {
                    break;
                }
            }
            asleep.store(true, Ordering::SeqCst);
            while asleep.load(Ordering::SeqCst) && !self.gate.is_open(last) {
                thread::park();
            }
            asleep.store(false, Ordering::SeqCst);
        }
    }
}

/// No processor.
const NOWHERE: usize = usize::MAX;

/// The processor that this thread is on, where the system tells.
fn processor() -> usize {
    #[cfg(all(target_os = "linux", not(miri)))]
    // SAFETY: the call takes nothing and returns a number.
    return usize::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(NOWHERE);
    #[cfg(not(all(target_os = "linux", not(miri))))]
    NOWHERE
}

/// Moves this thread to another processor of those that it may use; false where there is none.
#[cfg(all(target_os = "linux", not(miri)))]
fn move_off(here: usize) -> bool {
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: a set of processors is plain numbers, for which zero will do; the calls read and write no more than it, and 0 is
    // this thread. A processor beyond the set is not in it.
    unsafe {
        let mut all: libc::cpu_set_t = std::mem::zeroed();
        if here >= 8 * size || libc::sched_getaffinity(0, size, &mut all) != 0 {
            return false;
        }
        let mut others = all;
        libc::CPU_CLR(here, &mut others);
        // It goes at once, and may go where it likes after that.
        libc::CPU_COUNT(&others) > 0
            && libc::sched_setaffinity(0, size, &others) == 0
            && libc::sched_setaffinity(0, size, &all) == 0
    }
}

/// Moves this thread to another processor.
#[cfg(not(all(target_os = "linux", not(miri))))]
fn move_off(_here: usize) -> bool {
    false
}

/// Starts a thread to which no signal is delivered, but for those of its own faults: they are for the program's threads,
/// which may wait for them.
#[cfg(unix)]
fn without_signals<R>(start: impl FnOnce() -> R) -> R {
    use std::mem::zeroed;
    // SAFETY: a set of signals is plain numbers, for which zero will do, and the calls write no more than their sets.
    let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = unsafe { (zeroed(), zeroed()) };
    // SAFETY: as above.
    unsafe {
        libc::sigfillset(&mut all);
        for fault in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL] {
            libc::sigdelset(&mut all, fault);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
    }
    let result = start();
    // SAFETY: the set that the call above filled in.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut()) };
    result
}

/// Starts a thread.
#[cfg(not(unix))]
fn without_signals<R>(start: impl FnOnce() -> R) -> R {
    start()
}
