//! The calls of `chainrule.sklearn`: epochs and a gradient, computed exactly as scikit-learn does, and predictions with
//! weights that stay in an estimator's arrays.

use std::time::Instant;

use chainrule_core as core;
use chainrule_core::{Error, Real, Rows};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arrays::{Column, Element, Fresh, Table, reserve};
use crate::batch::{Arguments, Batch};
use crate::cell::{Cell, InPlace, Work};
use crate::errors::{catch_panics, raise};
use crate::signals::SLICE;

/// An update rule as Python passes it.
#[derive(FromPyObject)]
pub(crate) enum Rule {
    /// beta_1, beta_2, epsilon.
    Adam(f64, f64, f64),
    /// momentum, nesterov.
    Sgd(f64, bool),
}

impl From<Rule> for core::sklearn::Rule {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Sgd(momentum, nesterov) => core::sklearn::Rule::Sgd { momentum, nesterov },
            Rule::Adam(beta_1, beta_2, epsilon) => core::sklearn::Rule::Adam { beta_1, beta_2, epsilon },
        }
    }
}

/// Epochs of a fit: the order of the rows, the random state that shuffles it, and the rule that ends it early.
#[pyclass(module = "chainrule._native")]
pub(crate) struct Progress(core::sklearn::Epochs);

#[pymethods]
impl Progress {
    /// `random_state` holds the 624 words of a `RandomState`'s Mersenne Twister, as int64, and the position in them. If
    /// it is None, the rows are not shuffled.
    ///
    /// An epoch is a miss if its loss is greater than `best_loss` − `tol`. They end after more than `patience`
    /// misses in a row; `misses` of them have happened already. Unless `strict`, a loss that is not finite ends it too.
    #[new]
    #[pyo3(signature = (n_rows, batch_size, random_state, tol, patience, best_loss, misses, strict))]
    #[allow(clippy::too_many_arguments, reason = "scikit-learn's")]
    fn new(
        py: Python<'_>,
        n_rows: usize,
        batch_size: usize,
        random_state: Option<(Bound<'_, PyAny>, usize)>,
        tol: f64,
        patience: f64,
        best_loss: f64,
        misses: u64,
        strict: bool,
    ) -> PyResult<Self> {
        catch_panics(|| {
            let twister = random_state.map(|(words, next)| twister(&words, next)).transpose()?;
            let patience = core::sklearn::Patience { tol, most: patience, best: best_loss, missed: misses, strict };
            let epochs = core::sklearn::Epochs::new(n_rows, batch_size, twister, patience);
            epochs.map(Progress).map_err(|error| raise(py, error))
        })
    }

    /// Losses of the epochs that the last call trained.
    #[getter]
    fn losses(&self) -> Vec<f64> {
        self.0.losses.clone()
    }

    /// The lowest loss of an epoch so far.
    #[getter]
    fn best_loss(&self) -> f64 {
        self.0.patience.best
    }

    /// The number of misses in a row up to now.
    #[getter]
    fn misses(&self) -> u64 {
        self.0.patience.missed
    }

    #[setter]
    fn set_misses(&mut self, misses: u64) {
        self.0.patience.missed = misses;
    }

    /// The current state of the Mersenne Twister, in the form in which it was passed.
    #[getter]
    fn random_state(&self) -> Option<(Vec<u32>, usize)> {
        self.0.twister.as_ref().map(|twister| {
            let (words, next) = twister.state();
            (words.to_vec(), next)
        })
    }

    /// Sets the order of the rows from an array (n_rows,) of int64.
    fn set_order(&mut self, order: &Bound<'_, PyAny>) -> PyResult<()> {
        catch_panics(|| {
            self.0.order = rows(order, self.0.order.len())?;
            Ok(())
        })
    }
}

/// The Mersenne Twister whose state is `words`.
fn twister(words: &Bound<'_, PyAny>, next: usize) -> PyResult<core::sklearn::Twister> {
    let words: Option<Vec<u32>> =
        values::<i64>("random_state", words)?.into_iter().map(|value| u32::try_from(value).ok()).collect();
    let twister = words.and_then(|words| core::sklearn::Twister::new(&words, next));
    twister.ok_or_else(|| {
        PyValueError::new_err(
            "random_state must be the words of an MT19937, 624 integers from 0 to 2**32 - 1, and a position from 0 to 624",
        )
    })
}

/// Predictions of a network whose weights are the caller's arrays.
#[pyclass(module = "chainrule._native", frozen)]
pub(crate) struct Predictor(core::sklearn::Predictor);

#[pymethods]
impl Predictor {
    /// `config` is a network's; its layers must be dense.
    #[new]
    fn new(py: Python<'_>, config: &str) -> PyResult<Self> {
        catch_panics(|| {
            let spec = core::Spec::from_json(config);
            spec.and_then(core::sklearn::Predictor::new).map(Predictor).map_err(|error| raise(py, error))
        })
    }

    /// Predictions (n, n_outputs) for X, an array (n, n_inputs) or, if sparse, its (indptr, indices, data) in
    /// compressed rows. `coefs` and `intercepts` hold w, (n_in, n_out), and b, (n_out,), of each layer. Signal handlers
    /// run between some rows and the next.
    fn predict<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        coefs: Vec<Bound<'py, PyAny>>,
        intercepts: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        catch_panics(|| match self.0.spec().dtype {
            core::Dtype::Float32 => self.predictions::<f32>(x, &coefs, &intercepts),
            core::Dtype::Float64 => self.predictions::<f64>(x, &coefs, &intercepts),
        })
    }
}

/// The arrays of a matrix in compressed rows.
type Csr<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

impl Predictor {
    fn predictions<'py, T: Element + Real>(
        &self,
        x: &Bound<'py, PyAny>,
        coefs: &[Bound<'py, PyAny>],
        intercepts: &[Bound<'py, PyAny>],
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = x.py();
        let tables: Vec<_> = coefs.iter().map(|w| Table::new("coefs", w)).collect::<PyResult<_>>()?;
        let biases: Vec<_> = intercepts.iter().map(|b| values::<T>("intercepts", b)).collect::<PyResult<_>>()?;
        let weights = tables.iter().zip(&biases).map(|(w, b)| core::sklearn::Weights { w, b });
        let weights: Vec<_> = weights.collect();
        let (table, starts, columns, numbers);
        let (inputs, n) = if x.is_instance_of::<PyTuple>() {
            let (indptr, indices, data): Csr<'_> = x.extract()?;
            starts = values::<i64>("indptr", &indptr)?;
            columns = values::<i64>("indices", &indices)?;
            numbers = values::<T>("data", &data)?;
            let inputs = core::sklearn::Inputs::Sparse { starts: &starts, columns: &columns, values: &numbers };
            (inputs, starts.len().saturating_sub(1))
        } else {
            table = Table::new("X", x)?;
            let (expected, got) = (self.0.spec().n_inputs, Rows::<T>::columns(&table));
            if got != expected {
                return Err(raise(py, Error::Inputs { expected, got }));
            }
            (core::sklearn::Inputs::Dense(&table), table.rows())
        };
        let (k, tile) = (self.0.n_outputs(), self.0.tile(inputs));
        let mut fresh = Fresh::new(py, T::DTYPE, &[n, k])?;
        let mut memory = self.0.memory::<T>(inputs, n.min(tile)).map_err(|error| raise(py, error))?;
        for (t, out) in fresh.values().chunks_mut(tile * k).enumerate() {
            let rows = t * tile..t * tile + out.len() / k;
            let work = Work::flops(rows.len() as f64 * self.0.flops_a_row() as f64);
            let predict = || self.0.predict(&mut memory, inputs, rows, &weights, out);
            let done = if work.is_long() { py.detach(predict) } else { predict() };
            done.map_err(|error| raise(py, error))?;
            if n > tile {
                py.check_signals()?;
            }
        }
        Ok(fresh.finish())
    }
}

/// The values of a 1-D array.
fn values<T: Element>(argument: &str, any: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
    let mut values = Vec::new();
    Column::new(argument, any)?.copy_to(&mut values)?;
    Ok(values)
}

impl<T: Element + Real> Cell<T> {
    /// Trains up to `most` epochs. A signal handler that raises (Ctrl-C) ends the call between two steps.
    pub(crate) fn sklearn_epochs(
        &self,
        arguments: Arguments<'_, '_>,
        progress: &mut Progress,
        most: usize,
        hyperparameters: &core::sklearn::Hyperparameters,
    ) -> PyResult<()> {
        let py = arguments.py();
        let watch = self.watch();
        let arrays = InPlace::new(arguments.in_place(), &watch);
        let _held = arrays.hold()?; // between two slices too
        progress.0.start();
        self.lend(|scratch| {
            let batch =
                Batch::new(arguments, &mut scratch.copies, watch.is_for(progress.0.batch_size).then_some(&watch))?;
            let work = Work::gradient(batch.rows(), self.facts.worth);
            let lazy = &mut scratch.workspace;
            loop {
                let finished = self.write_with(&arrays, work, |network| {
                    let start = Instant::now();
                    let mut go_on = || start.elapsed() < SLICE;
                    let workspace = lazy.ready(network)?;
                    network.sklearn_epochs(
                        workspace,
                        &batch.as_core(),
                        &mut progress.0,
                        most,
                        hyperparameters,
                        &mut go_on,
                    )
                })?;
                self.give_way(py);
                if finished {
                    return Ok(());
                }
                // The lock is free here: a signal handler runs Python code, which may call this network.
                py.check_signals()?;
            }
        })
    }

    pub(crate) fn sklearn_gradient<'py>(
        &self,
        arguments: Arguments<'_, 'py>,
        alpha: f64,
        strict: bool,
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        let mut fresh = Fresh::new(arguments.py(), T::DTYPE, &[self.facts.n_parameters])?;
        let flat = fresh.values();
        let loss = self.on_batch(arguments, Work::gradient, |network, workspace, batch| {
            network.sklearn_gradient(workspace, batch, alpha, strict, flat)
        })?;
        Ok((loss, fresh.finish()))
    }
}

/// The rows that `order` lists: `n` of them, each less than `n`.
fn rows(order: &Bound<'_, PyAny>, n: usize) -> PyResult<Vec<u32>> {
    let column = Column::<i64>::new("order", order)?;
    if column.len() != n {
        return Err(raise(order.py(), Error::Rows { argument: "order", expected: n, got: column.len() }));
    }
    let mut rows = Vec::new();
    reserve(&mut rows, n)?;
    for i in 0..n {
        match u32::try_from(column.get(i)) {
            Ok(row) if (row as usize) < n => rows.push(row),
            _ => {
                let text = format!("order has row {} at index {i}; rows must be from 0 to {}", column.get(i), n - 1);
                return Err(PyValueError::new_err(text));
            }
        }
    }
    Ok(rows)
}
