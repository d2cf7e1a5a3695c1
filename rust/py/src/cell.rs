//! A network behind its lock, the workspaces of the calls that run on it, and when the GIL is released.
//!
//! Calls that read run side by side; one that writes runs alone. Nothing ever waits for the lock with the GIL held,
//! and nothing that holds the lock ever runs Python code or waits for the GIL with work left to do under the lock.
//! So neither can wait for the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult};
use std::thread;
use std::time::{Duration, Instant};

use chainrule_core as core;
use chainrule_core::{Error, Real};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::arrays::{Dtype, Element};
use crate::batch::Copies;
use crate::errors::raise;

/// Work from which on the GIL is released, in floating-point operations of a matrix product: 15 to 20 µs with AVX2,
/// 50 µs with the portable target. Releasing costs about 0.1 µs, and up to 5 ms (the switch interval) where another
/// thread computes in Python meanwhile.
const MAX_FLOPS_WITH_GIL: usize = 1_000_000;

/// What a pass over the parameters (a copy, an update) takes, in rows: it is bound by memory, not by arithmetic.
const ROWS_A_PASS: usize = 10;

/// An estimate of a call's work in floating-point operations.
#[derive(Clone, Copy)]
pub(crate) struct Work(usize);

impl Work {
    /// A look at a number or two.
    pub(crate) const NONE: Work = Work(0);

    /// Forward propagation of `rows` rows: a product and a sum a parameter.
    pub(crate) fn forward(rows: usize, parameters: usize) -> Self {
        Work(rows.saturating_mul(parameters).saturating_mul(2))
    }

    /// Forward, backward to inputs and weights, and a pass over the parameters.
    pub(crate) fn gradient(rows: usize, parameters: usize) -> Self {
        Work(rows.saturating_add(ROWS_A_PASS).saturating_mul(parameters).saturating_mul(6))
    }

    fn is_long(self) -> bool {
        self.0 > MAX_FLOPS_WITH_GIL
    }
}

/// What a call needs besides the network, kept from call to call so that a call allocates nothing.
pub(crate) struct Scratch<T> {
    pub(crate) workspace: Lazy<T>,
    pub(crate) copies: Copies,
    /// Values on their way to or from a caller's own flat array.
    pub(crate) values: Vec<T>,
}

/// A workspace that is made at its first use.
pub(crate) struct Lazy<T>(Option<core::Workspace<T>>);

impl<T: Real> Lazy<T> {
    /// The workspace, made at its first use.
    pub(crate) fn ready(&mut self, network: &core::Network<T>) -> Result<&mut core::Workspace<T>, Error> {
        match &mut self.0 {
            Some(workspace) => Ok(workspace),
            none => Ok(none.insert(core::Workspace::new(network)?)),
        }
    }
}

/// A network of one dtype.
pub(crate) struct Cell<T> {
    pub(crate) facts: Facts,
    network: RwLock<core::Network<T>>,
    /// Calls that wait to read.
    waiting: AtomicUsize,
    scratches: Mutex<Vec<Scratch<T>>>,
    /// [`FORKS`] when this was made.
    forks: usize,
}

/// A network, in whichever dtype it has.
pub(crate) enum Either {
    F32(Cell<f32>),
    F64(Cell<f64>),
}

/// Runs the same code on a network of either dtype: `each!(either, cell => code)`.
macro_rules! each {
    ($either:expr, $cell:ident => $code:expr) => {
        match &$either {
            $crate::cell::Either::F32($cell) => $code,
            $crate::cell::Either::F64($cell) => $code,
        }
    };
}
pub(crate) use each;

/// What never changes, to be had without the lock.
#[derive(Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) seed: u64,
    pub(crate) n_inputs: usize,
    pub(crate) n_outputs: usize,
    pub(crate) n_parameters: usize,
    pub(crate) isa: &'static str,
    pub(crate) n_threads: usize,
    pub(crate) dtype: Dtype,
}

/// How often the process forked on the way to this one.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// To be called in the child after a fork.
pub(crate) fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// Scratches kept for later: as many as threads that are likely to run at once.
const MAX_SCRATCHES: usize = 16;

impl<T: Element + Real> Cell<T> {
    pub(crate) fn new(network: core::Network<T>) -> Self {
        Cell {
            facts: Facts {
                seed: network.spec().seed,
                n_inputs: network.n_inputs(),
                n_outputs: network.n_outputs(),
                n_parameters: network.n_parameters(),
                isa: network.isa(),
                n_threads: network.threads(),
                dtype: T::DTYPE,
            },
            network: RwLock::new(network),
            waiting: AtomicUsize::new(0),
            scratches: Mutex::new(Vec::new()),
            forks: FORKS.load(Ordering::Relaxed),
        }
    }

    /// Work of one pass over the parameters.
    pub(crate) fn pass(&self) -> Work {
        Work::gradient(0, self.facts.n_parameters)
    }

    /// Runs `call` with a scratch of its own.
    pub(crate) fn lend<R>(&self, call: impl FnOnce(&mut Scratch<T>) -> R) -> R {
        // try_lock: who meets another thread here makes do with a new scratch instead of waiting.
        let kept = self.scratches.try_lock().ok().and_then(|mut scratches| scratches.pop());
        let mut scratch =
            kept.unwrap_or_else(|| Scratch { workspace: Lazy(None), copies: Copies::default(), values: Vec::new() });
        let result = call(&mut scratch);
        // After a panic this is not reached: a scratch that may be half done is dropped.
        if let Ok(mut scratches) = self.scratches.try_lock()
            && scratches.len() < MAX_SCRATCHES
        {
            scratches.push(scratch);
        }
        result
    }

    /// Runs `call` on the network beside other readers.
    pub(crate) fn read<R: Send>(
        &self,
        py: Python<'_>,
        work: Work,
        call: impl FnOnce(&core::Network<T>) -> Result<R, Error> + Send,
    ) -> PyResult<R> {
        if !work.is_long()
            && let Some(network) = taken(self.network.try_read())
        {
            return call(&network).map_err(|e| raise(py, e));
        }
        py.detach(|| Some(call(&*self.wait_to_read()?))).ok_or_else(abandoned)?.map_err(|e| raise(py, e))
    }

    /// Runs `call` on the network alone.
    pub(crate) fn write<R: Send>(
        &self,
        py: Python<'_>,
        work: Work,
        call: impl FnOnce(&mut core::Network<T>) -> Result<R, Error> + Send,
    ) -> PyResult<R> {
        if !work.is_long()
            && let Some(mut network) = taken(self.network.try_write())
        {
            return call(&mut network).map_err(|e| raise(py, e));
        }
        py.detach(|| Some(call(&mut *self.wait_to_write()?))).ok_or_else(abandoned)?.map_err(|e| raise(py, e))
    }

    fn wait_to_read(&self) -> Option<RwLockReadGuard<'_, core::Network<T>>> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let network = match self.may_be_abandoned() {
            false => Some(self.network.read().unwrap_or_else(PoisonError::into_inner)),
            true => patiently(|| self.network.try_read()),
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        network
    }

    fn wait_to_write(&self) -> Option<RwLockWriteGuard<'_, core::Network<T>>> {
        match self.may_be_abandoned() {
            false => Some(self.network.write().unwrap_or_else(PoisonError::into_inner)),
            true => patiently(|| self.network.try_write()),
        }
    }

    /// Whether the process forked since. Then a thread that did not come along may hold the lock for ever.
    fn may_be_abandoned(&self) -> bool {
        FORKS.load(Ordering::Relaxed) != self.forks
    }

    /// Between two writes of a long call: lets those in that wait to read. Without it they would hardly ever get
    /// the lock, since a thread that has to wake up comes too late.
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

/// The guard, where the lock was free. A lock is poisoned by a panic under it; the panic has marked the Python object
/// as broken, and that is what refuses later calls, so the lock is taken all the same.
fn taken<G>(result: TryLockResult<G>) -> Option<G> {
    match result {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Waits for a lock that may never be free again: five seconds, a hundred times what an epoch holds it at a stretch.
fn patiently<G>(try_lock: impl Fn() -> TryLockResult<G>) -> Option<G> {
    const MAX_WAIT: Duration = Duration::from_secs(5);
    let start = Instant::now();
    loop {
        match taken(try_lock()) {
            None if start.elapsed() < MAX_WAIT => thread::sleep(Duration::from_millis(1)),
            result => return result,
        }
    }
}

fn abandoned() -> PyErr {
    PyRuntimeError::new_err(
        "this network was in use in another thread when the process forked, and cannot be used in the child; \
         load it again, or fork while no thread uses it",
    )
}
