//! Threads: work is cut into parts, and the caller and some workers take the parts one by one.
//!
//! ```text
//! caller: write the job ─▶ open the gate ─▶ take parts until none is left ─▶ shut the gate, wait for those inside
//! worker: watch the gate for a while, then sleep ─▶ enter ─▶ take parts until none is left ─▶ leave
//! ```
//!
//! Workers start when the first work is large enough for them, and end with the process. What a part writes does not
//! depend on the thread that takes it, so no result depends on the thread count. A caller never waits for a worker to
//! arrive: it takes all remaining parts itself. It works alone if the workers are busy with another caller's job, and
//! so does a part that wants to cut its own work. A panic in a part continues in the caller; the workers survive it.
//!
//! A forked child has no workers. It starts its own when needed, and does not touch what it inherited from its parent's
//! pool.

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

/// The least work, in floating-point operations of a product, that is cut into parts if workers are awake.
const MIN_FLOPS_TO_CUT: usize = 700_000;
/// The least work, in one job or in consecutive jobs, for which sleeping workers are woken. Waking takes the caller
/// some microseconds, and the workers some tens of microseconds.
const MIN_FLOPS_TO_WAKE: usize = 6_000_000;
/// Floating-point operations of a product that one thread computes in a microsecond.
const FLOPS_A_MICROSECOND: usize = 110_000;
/// The time in which a pass over memory reads and writes a number, in floating-point operations of a product.
pub const FLOPS_A_NUMBER: usize = 12;
/// More than one, so that the others take the parts of a thread that arrives late or is interrupted.
const PARTS_A_THREAD: usize = 4;
/// The time for which a worker watches for its next job before it sleeps.
const SPIN_TIME: Duration = Duration::from_micros(50);
/// The time for which no worker is woken after one was on its caller's processor twice, the second time just after it
/// had moved away. Waking it would only cost the caller time: the 50 µs above, as measured.
const CROWDED_TIME: Duration = Duration::from_millis(5);
/// Looks at the gate between two readings of the clock.
const LOOKS_A_CLOCK_READING: usize = 64;

/// Whether all work is cut and all threads are waited for: see [`force`].
static FORCED: AtomicBool = AtomicBool::new(false);
/// How often a worker has taken parts of forced work.
static HELPED: AtomicU64 = AtomicU64::new(0);
/// The pool of this process, or of the process that it was forked from.
static POOL: AtomicPtr<Pool> = AtomicPtr::new(ptr::null_mut());

/// For tests. Until it is called with `false`, all work is cut, however small, and each caller waits until all its
/// threads have arrived. Returns how often a worker has taken parts of such work.
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

/// Whether `work` floating-point operations are worth cutting. It does not depend on the thread count or on the
/// workers.
#[inline]
pub fn is_worth(work: usize) -> bool {
    work >= MIN_FLOPS_TO_CUT || is_forced()
}

/// Work that can be cut into parts. Its units are rows, or lines of columns, of what it writes.
///
/// # Safety
/// Parts without a common unit may run on several threads at once: none writes what another reads or writes.
pub(crate) unsafe trait Cut: Copy {
    /// Its result.
    type Out: Send;
    /// The number of units.
    fn units(&self) -> usize;
    /// The part of these units.
    fn part(self, units: Range<usize>) -> Self;
    /// Does the work, on one thread.
    ///
    /// # Safety
    /// It may access the memory that its fields point to.
    unsafe fn run(self, machine: Machine) -> Self::Out;
    /// The result of two parts, in any order.
    fn join(one: Self::Out, _other: Self::Out) -> Self::Out {
        one
    }
}

/// Does the work that `make` makes, on the machine's threads if it is large enough. `work` is its time, in
/// floating-point operations of a product.
///
/// # Safety
/// As [`Cut::run`].
// On one thread this must cost nothing: a step of a small network has 20 such calls in less than 1 µs. The work is made
// here and not passed in, because then it is made once, where it is needed (4 % of such a step).
#[inline(always)]
pub(crate) unsafe fn run<C: Cut>(machine: Machine, work: usize, make: impl Fn() -> C) -> C::Out {
    let shared = if machine.threads() > 1 && is_worth(work) {
        // SAFETY: the caller's promise.
        unsafe { run_parts(machine, work, make()) }
    } else {
        None
    };
    match shared {
        Some(out) => out,
        // SAFETY: the caller's promise.
        None => unsafe { make().run(machine.with_threads(1)) },
    }
}

/// The result of the parts of `whole`, each on a thread; None, and nothing done, if there is no thread to share them with.
///
/// # Safety
/// As [`Cut::run`].
#[cold]
#[inline(never)]
unsafe fn run_parts<C: Cut>(machine: Machine, work: usize, whole: C) -> Option<C::Out> {
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
    let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
    result.filter(|_| shared)
}

/// Work that several threads read.
struct Shared<C>(C);

// SAFETY: each thread copies it and does a part of its own, which `Cut` allows.
unsafe impl<C: Cut> Sync for Shared<C> {}

impl<C: Cut> Shared<C> {
    fn get(&self) -> C {
        self.0
    }
}

/// Wakes the workers for `threads` threads if `work` floating-point operations, in many products, are about to come and
/// the largest product is worth cutting. That product alone might not be worth waking them.
#[inline]
pub fn rouse(threads: usize, work: usize, largest: impl FnOnce() -> usize) {
    if threads > 1 && work >= MIN_FLOPS_TO_WAKE && is_worth(largest()) {
        Pool::of_this_process().rouse(threads - 1);
    }
}

/// Calls `f` with each of `items` and its number, in any order. Each item must be worth the time of a thread that is
/// awake. `work` is the time of all of them, in floating-point operations of a product.
pub fn for_each<S: Send>(machine: Machine, work: usize, items: &mut [S], f: impl Fn(usize, &mut S) + Sync) {
    let (count, all) = (items.len(), Items(items.as_mut_ptr()));
    let shared = share(machine.threads(), count, work.max(MIN_FLOPS_TO_CUT), &|i| {
        // SAFETY: each i < count comes once, so nobody else has this item, and it is Send.
        f(i, unsafe { &mut *all.at(i) });
    });
    if !shared {
        items.iter_mut().enumerate().for_each(|(i, item)| f(i, item));
    }
}

/// Items on which several threads work, each on one at a time.
struct Items<S>(*mut S);

// SAFETY: one thread at a time has an item (`for_each`), and items are Send.
unsafe impl<S: Send> Sync for Items<S> {}

impl<S> Items<S> {
    fn at(&self, i: usize) -> *mut S {
        self.0.wrapping_add(i)
    }
}

/// Calls `part` with 0, 1, … `parts` − 1 in any order, on up to `threads` threads, one of them the caller. `work` is
/// the time of all parts, in floating-point operations. Returns false, with nothing done, if the caller alone is
/// faster.
fn share(threads: usize, parts: usize, work: usize, part: &(dyn Fn(usize) + Sync)) -> bool {
    threads > 1 && parts > 1 && is_worth(work) && Pool::of_this_process().run(threads.min(parts) - 1, parts, work, part)
}

/// What is to be done. Valid while the gate is open or somebody is inside.
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
    /// Consecutive jobs that were not worth waking anyone: their work so far, and the latest time at which another job
    /// still counts as consecutive, in microseconds since the pool's start.
    row: usize,
    row_ends: u64,
    /// The system refused to start another.
    refused: bool,
}

struct Pool {
    /// The process that the workers belong to.
    process: u32,
    gate: Gate,
    taken: Taken,
    /// The processor of the last caller.
    processor: AtomicUsize,
    /// When workers may be woken again, in microseconds since `start`.
    crowded: AtomicU64,
    /// Until then, a worker in the way has already moved once; likewise in microseconds.
    moved: AtomicU64,
    start: Instant,
    job: UnsafeCell<Job>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Held by the caller while its job runs.
    workers: Mutex<Workers>,
}

/// The count of parts taken: by the caller from the first on, in the low half, and by workers from the last back, in
/// the high half. So from step to step a thread takes mostly the same parts, whose weights are in its caches. Alone on
/// its lines.
#[derive(Default)]
#[repr(align(128))]
struct Taken(AtomicU64);

impl Taken {
    fn begin(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Ends the job: no part is left.
    fn end(&self, parts: usize) {
        self.0.store(parts as u64, Ordering::Relaxed);
    }

    /// The next of `parts` parts, for the caller or for a worker.
    fn next(&self, parts: usize, by_caller: bool) -> Option<usize> {
        let before = self.0.fetch_add(if by_caller { 1 } else { 1 << 32 }, Ordering::Relaxed);
        let (first, last) = (before as u32 as usize, (before >> 32) as usize);
        (first + last < parts).then(|| if by_caller { first } else { parts - 1 - last })
    }
}

// SAFETY: `job` is written by the holder of `workers` before it opens the gate, and read by those inside.
unsafe impl Sync for Pool {}
// SAFETY: the pointer in a job is used only while the job runs.
unsafe impl Send for Pool {}

impl Pool {
    /// The pool of this process, made at the first call, without workers.
    fn of_this_process() -> &'static Pool {
        let process = std::process::id();
        let mut seen = POOL.load(Ordering::Acquire);
        loop {
            // SAFETY: a pool that was in POOL is never freed.
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
                    // SAFETY: this thread made it, and nobody has seen it.
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

    /// The work of this job and of the consecutive jobs before it: each began soon after the caller can have finished
    /// the last.
    fn row(&self, workers: &mut Workers, work: usize) -> usize {
        let now = self.micros();
        workers.row = work.saturating_add(if now <= workers.row_ends { workers.row } else { 0 });
        workers.row_ends = now + SPIN_TIME.as_micros() as u64 / 2 + 2 * (work / FLOPS_A_MICROSECOND) as u64;
        workers.row
    }

    /// Does all parts with up to `wanted` workers. Returns false, with nothing done, if there are no workers or the
    /// work is not worth waking them.
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
        // SAFETY: only the lifetime changes, and nobody uses the job after `shut` below.
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

    /// Takes parts until none is left, and returns their number. A panic ends the job and is kept for the caller.
    fn take_parts(&self, job: Job, by_caller: bool) -> usize {
        let mut taken = 0;
        while let Some(next) = self.taken.next(job.parts, by_caller) {
            taken += 1;
            // SAFETY: this thread is the caller or inside the gate, so the caller is still in `run`.
            let part = unsafe { &*job.part };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| part(next))) {
                self.taken.end(job.parts);
                *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            }
        }
        taken
    }

    /// Starts workers until there are `wanted`, or the system refuses another thread.
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

    /// Whether waking workers is not worth it at present.
    fn is_crowded(&self) -> bool {
        self.is_before(&self.crowded)
    }

    fn is_before(&self, until: &AtomicU64) -> bool {
        self.micros() < until.load(Ordering::Relaxed)
    }

    /// Microseconds since the pool's start.
    fn micros(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// Whether this worker is in the way: on the processor of its caller, which waits for it or is about to return. The
    /// system may wake it there again and again, even if other processors are idle. So the worker first moves to
    /// another processor, and counts as in the way only if that did not help.
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

    /// What a worker does, for ever.
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

    /// Waits for a job other than `last`, and joins it.
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

/// The processor that this thread runs on, if the system tells.
fn processor() -> usize {
    #[cfg(all(target_os = "linux", not(miri)))]
    // SAFETY: the call takes nothing and returns a number.
    return usize::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(NOWHERE);
    #[cfg(not(all(target_os = "linux", not(miri))))]
    NOWHERE
}

/// Moves this thread to another processor that it may use; false if there is none.
#[cfg(all(target_os = "linux", not(miri)))]
fn move_off(here: usize) -> bool {
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: a set of processors is plain numbers, so zeros are valid. The calls read and write no more than the set,
    // and 0 means this thread. `here` is inside the set.
    unsafe {
        let mut all: libc::cpu_set_t = std::mem::zeroed();
        if here >= 8 * size || libc::sched_getaffinity(0, size, &mut all) != 0 {
            return false;
        }
        let mut others = all;
        libc::CPU_CLR(here, &mut others);
        // The thread moves at once, and may run anywhere after that.
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

/// Starts a thread that receives no signals but those of its own faults. Signals are for the program's own threads,
/// which may wait for them.
#[cfg(unix)]
fn without_signals<R>(start: impl FnOnce() -> R) -> R {
    use std::mem::zeroed;
    // SAFETY: a set of signals is plain numbers, so zeros are valid.
    let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = unsafe { (zeroed(), zeroed()) };
    // SAFETY: the calls write no more than these sets.
    unsafe {
        libc::sigfillset(&mut all);
        for fault in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL] {
            libc::sigdelset(&mut all, fault);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
    }
    let result = start();
    // SAFETY: the set was filled in by the call above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut()) };
    result
}

/// Starts a thread.
#[cfg(not(unix))]
fn without_signals<R>(start: impl FnOnce() -> R) -> R {
    start()
}
