//! A network behind its lock, the workspaces of the calls that use it, and when the GIL is released.
//!
//! Calls that read run at the same time; a call that writes runs alone. Two rules exclude a deadlock. A thread that
//! holds the GIL never waits for the lock. A thread that holds the lock never runs Python code.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult};
use std::thread;
use std::time::{Duration, Instant};

use chainrule_core as core;
use chainrule_core::{Error, Real, Worth};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::arrays::{Dtype, Element, Held};
use crate::batch::Copies;
use crate::errors::raise;
use crate::fork;
use crate::signals::Watch;

/// A call with more work than this releases the GIL. In a matrix product it takes 15 to 20 µs with AVX2, and 50 µs
/// with the portable instruction set. To release the GIL costs about 0.1 µs, but up to 5 ms (Python's switch interval)
/// if another thread runs Python code meanwhile.
const MAX_FLOPS_WITH_GIL: f64 = 1e6;

/// The estimated work of a call, in floating-point operations.
#[derive(Clone, Copy)]
pub(crate) struct Work(f64);

impl Work {
    /// Reading or setting a few numbers.
    pub(crate) const NONE: Work = Work(0.0);

    /// So many floating-point operations.
    pub(crate) fn flops(flops: f64) -> Self {
        Work(flops)
    }

    /// Forward propagation of `rows` rows.
    pub(crate) fn forward(rows: usize, worth: Worth) -> Self {
        Work(worth.forward_flops(rows))
    }

    /// A training step on `rows` rows.
    pub(crate) fn gradient(rows: usize, worth: Worth) -> Self {
        Work(worth.flops(rows))
    }

    pub(crate) fn is_long(self) -> bool {
        self.0 > MAX_FLOPS_WITH_GIL
    }
}

/// The memory of one call. It is kept for later calls, which then allocate nothing.
pub(crate) struct Scratch<T> {
    pub(crate) workspace: Lazy<T>,
    pub(crate) copies: Copies,
    /// Values copied from or to an array of the caller's.
    pub(crate) values: Vec<T>,
}

/// Numbers that a scratch keeps room for in each of its copies, or as many as there are parameters. A copy of more takes so
/// long that an allocation does not show.
const MAX_KEPT: usize = 1 << 20;

impl<T> Scratch<T> {
    /// Frees what has room for more than `most` numbers.
    fn give_back_above(&mut self, most: usize) {
        self.copies.give_back_above(most);
        if self.values.capacity() > most {
            self.values = Vec::new();
        }
    }
}

/// A workspace that is allocated at its first use.
pub(crate) struct Lazy<T>(Option<core::Workspace<T>>);

impl<T: Real> Lazy<T> {
    /// The workspace, allocated now if it was not yet.
    pub(crate) fn ready(&mut self, network: &core::Network<T>) -> Result<&mut core::Workspace<T>, Error> {
        match &mut self.0 {
            Some(workspace) => Ok(workspace),
            none => Ok(none.insert(core::Workspace::new(network)?)),
        }
    }
}

/// The arrays of the caller's that a call reads in place, and what looks for Ctrl-C meanwhile.
pub(crate) struct InPlace<'a, 'py> {
    py: Python<'py>,
    arrays: [Option<&'a Bound<'py, PyAny>>; 2],
    watch: Option<&'a Watch>,
}

impl<'a, 'py> InPlace<'a, 'py> {
    /// For a call that reads none.
    fn none(py: Python<'py>) -> Self {
        InPlace { py, arrays: [None; 2], watch: None }
    }

    pub(crate) fn new(arrays: [&'a Bound<'py, PyAny>; 2], watch: &'a Watch) -> Self {
        InPlace { py: arrays[0].py(), arrays: arrays.map(Some), watch: Some(watch) }
    }

    /// Keeps the memory of the arrays where it is.
    pub(crate) fn hold(&self) -> PyResult<Held<'py>> {
        Held::new(self.arrays.into_iter().flatten().cloned())
    }

    /// The result of a call: `now` if it ran at once, else that of `call`, which waits for the lock, without the GIL.
    fn result<R: Send>(
        &self,
        now: Option<Result<R, Error>>,
        call: &mut (dyn FnMut() -> Option<Result<R, Error>> + Send),
    ) -> PyResult<R> {
        // The lock is free again before `raise` and `hear`, which may run Python code.
        if let Some(result) = now {
            return result.map_err(|e| raise(self.py, e));
        }
        let _held = self.hold()?;
        loop {
            let result = self.py.detach(|| {
                let _inside = fork::enter();
                call()
            });
            match (result.ok_or_else(abandoned)?, self.watch) {
                (Err(Error::Interrupted), Some(watch)) => watch.hear(self.py)?,
                (result, _) => return result.map_err(|e| raise(self.py, e)),
            }
        }
    }
}

/// A network of one dtype.
pub(crate) struct Cell<T> {
    pub(crate) facts: Facts,
    network: RwLock<core::Network<T>>,
    /// Number of calls that wait to read.
    waiting: AtomicUsize,
    scratches: Mutex<Vec<Scratch<T>>>,
    /// The value of [`fork::forks_inside`] when this network was made.
    forks: usize,
    /// Whether a call has waited in vain for a lock that a thread of the parent process held.
    abandoned: AtomicBool,
}

/// A network of either dtype.
pub(crate) enum Either {
    F32(Cell<f32>),
    F64(Cell<f64>),
}

/// Compiles the same code for both dtypes and runs the one that fits: `each!(either, cell => code)`.
macro_rules! each {
    ($either:expr, $cell:ident => $code:expr) => {
        match &$either {
            $crate::cell::Either::F32($cell) => $code,
            $crate::cell::Either::F64($cell) => $code,
        }
    };
}
pub(crate) use each;

/// What never changes about a network, readable without the lock.
#[derive(Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) seed: u64,
    pub(crate) n_inputs: usize,
    pub(crate) n_outputs: usize,
    pub(crate) n_parameters: usize,
    pub(crate) worth: Worth,
    pub(crate) n_buffers: usize,
    pub(crate) isa: &'static str,
    pub(crate) n_threads: usize,
    pub(crate) dtype: Dtype,
}

/// The most scratches that are kept: about as many as threads that use one network at the same time.
const MAX_SCRATCHES: usize = 16;

impl<T: Element + Real> Cell<T> {
    pub(crate) fn new(network: core::Network<T>) -> Self {
        Cell {
            facts: Facts {
                seed: network.spec().seed,
                n_inputs: network.n_inputs(),
                n_outputs: network.n_outputs(),
                n_parameters: network.n_parameters(),
                worth: network.worth(),
                n_buffers: network.n_buffers(),
                isa: network.isa(),
                n_threads: network.threads(),
                dtype: T::DTYPE,
            },
            network: RwLock::new(network),
            waiting: AtomicUsize::new(0),
            scratches: Mutex::new(Vec::new()),
            forks: fork::forks_inside(),
            abandoned: AtomicBool::new(false),
        }
    }

    /// The work of one pass over the parameters.
    pub(crate) fn pass(&self) -> Work {
        Work::gradient(0, self.facts.worth)
    }

    /// Runs `call` with a scratch that no other call uses.
    pub(crate) fn lend<R>(&self, call: impl FnOnce(&mut Scratch<T>) -> R) -> R {
        // If another thread is at the list right now, a new scratch is faster than waiting.
        let kept = self.scratches.try_lock().ok().and_then(|mut scratches| scratches.pop());
        let mut scratch =
            kept.unwrap_or_else(|| Scratch { workspace: Lazy(None), copies: Copies::default(), values: Vec::new() });
        let result = call(&mut scratch);
        scratch.give_back_above(MAX_KEPT.max(self.facts.n_parameters));
        // Not reached after a panic: a scratch in an unknown state is dropped.
        if let Ok(mut scratches) = self.scratches.try_lock()
            && scratches.len() < MAX_SCRATCHES
        {
            scratches.push(scratch);
        }
        result
    }

    /// Runs `call` on the network; other readers may run at the same time.
    pub(crate) fn read<R: Send>(
        &self,
        py: Python<'_>,
        work: Work,
        call: impl FnMut(&core::Network<T>) -> Result<R, Error> + Send,
    ) -> PyResult<R> {
        self.read_with(&InPlace::none(py), work, call)
    }

    /// The same for a call that reads arrays in place. It may be called again, after it was interrupted.
    pub(crate) fn read_with<R: Send>(
        &self,
        arrays: &InPlace<'_, '_>,
        work: Work,
        mut call: impl FnMut(&core::Network<T>) -> Result<R, Error> + Send,
    ) -> PyResult<R> {
        let now = if work.is_long() { None } else { taken(self.network.try_read()).map(|network| call(&network)) };
        arrays.result(now, &mut || Some(call(&*self.wait_to_read()?)))
    }

    /// Runs `call` on the network while no other call reads or writes it.
    pub(crate) fn write<R: Send>(
        &self,
        py: Python<'_>,
        work: Work,
        call: impl FnMut(&mut core::Network<T>) -> Result<R, Error> + Send,
    ) -> PyResult<R> {
        self.write_with(&InPlace::none(py), work, call)
    }

    /// The same for a call that reads arrays in place. It may be called again, after it was interrupted.
    pub(crate) fn write_with<R: Send>(
        &self,
        arrays: &InPlace<'_, '_>,
        work: Work,
        mut call: impl FnMut(&mut core::Network<T>) -> Result<R, Error> + Send,
    ) -> PyResult<R> {
        let now =
            if work.is_long() { None } else { taken(self.network.try_write()).map(|mut network| call(&mut network)) };
        arrays.result(now, &mut || Some(call(&mut *self.wait_to_write()?)))
    }

    fn wait_to_read(&self) -> Option<RwLockReadGuard<'_, core::Network<T>>> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let network = match self.may_be_abandoned() {
            false => Some(self.network.read().unwrap_or_else(PoisonError::into_inner)),
            true => self.patiently(|| self.network.try_read()),
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        network
    }

    fn wait_to_write(&self) -> Option<RwLockWriteGuard<'_, core::Network<T>>> {
        match self.may_be_abandoned() {
            false => Some(self.network.write().unwrap_or_else(PoisonError::into_inner)),
            true => self.patiently(|| self.network.try_write()),
        }
    }

    /// Whether the process forked since the network was made, while a call was running. If so, a thread that exists only
    /// in the parent may hold the lock for ever.
    fn may_be_abandoned(&self) -> bool {
        fork::forks_inside() != self.forks
    }

    /// Waits for a lock that may never be released: some seconds, and hardly any more once that was in vain.
    fn patiently<G>(&self, try_lock: impl Fn() -> TryLockResult<G>) -> Option<G> {
        let millis = if self.abandoned.load(Ordering::Relaxed) { 50 } else { 4000 };
        let start = Instant::now();
        loop {
            let lock = taken(try_lock());
            if lock.is_some() || start.elapsed() > Duration::from_millis(millis) {
                self.abandoned.fetch_or(lock.is_none(), Ordering::Relaxed);
                return lock;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets waiting readers in, between two writes of a long call. Without this pause they would hardly ever get the
    /// lock: by the time a waiting thread wakes up, the writer has taken it again.
    pub(crate) fn give_way(&self, py: Python<'_>) {
        const MAX_PAUSE: Duration = Duration::from_millis(2);
        const NAP: Duration = Duration::from_micros(20);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            py.detach(|| {
                let start = Instant::now();
                while self.waiting.load(Ordering::Relaxed) > 0 && start.elapsed() < MAX_PAUSE {
                    thread::sleep(NAP);
                }
            });
        }
    }
}

/// The lock guard, or None if the lock was not free. A panic while the lock was held poisons it. The lock is taken even
/// so, since the panic also marked the Python object as broken, which refuses later calls.
fn taken<G>(result: TryLockResult<G>) -> Option<G> {
    match result {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn abandoned() -> PyErr {
    PyRuntimeError::new_err(
        "this network was in use in another thread when the process forked, and cannot be used in the child; \
         load it again, or fork while no thread uses it",
    )
}
