//! The Python class Network. Each method asks for the turn if it changes the network, then runs the code of `calls` for
//! the dtype that the network has.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use chainrule_core as core;
use pyo3::exceptions::{PyOverflowError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::batch::Arguments;
use crate::cell::{Cell, Either, Facts, Work, each};
use crate::errors::{InternalError, catch_panics, internal, raise};
use crate::signals::Watch;
use crate::sklearn::Progress;
use crate::snapshot::Snapshot;
use crate::turn::{Inside, Turn};

/// A multilayer perceptron in Rust. Users hold a `chainrule.Network`, which calls this class.
///
/// Arrays are not converted. x, float y and d_output are 2-D float32 or float64 with contiguous rows; labels are 1-D
/// int64; sample_weight is None or 1-D float64; flat arrays are 1-D and have the network's dtype. Any other array raises
/// TypeError. Values out of range and shapes that do not fit raise ValueError.
///
/// Calls that only read may run in several threads at once. A call that changes the network raises RuntimeError while
/// another one changes it, and during a fit of another thread.
#[pyclass(frozen, module = "chainrule._native")]
pub(crate) struct Network {
    cell: Either,
    turn: Turn,
    /// Whether a panic ended an earlier call.
    broken: AtomicBool,
}

impl Network {
    fn of(cell: Either) -> Self {
        Network { cell, turn: Turn::default(), broken: AtomicBool::new(false) }
    }

    fn facts(&self) -> Facts {
        each!(self.cell, cell => cell.facts)
    }

    /// Runs a call from Python, or refuses it if a panic ended an earlier one.
    fn unless_broken<R>(&self, call: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(InternalError::new_err(
                "an earlier call on this network met a bug in chainrule, so the network may be in a wrong state; \
                 restore a snapshot or load a saved copy",
            ));
        }
        self.break_on_panic(call)
    }

    /// Runs a call from Python. A panic inside becomes InternalError and marks the network as broken.
    fn break_on_panic<R>(&self, call: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
        // Unwind safe: only this network can be left half changed, and a broken network is not used again.
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
            self.broken.store(true, Ordering::Relaxed);
            Err(internal(&*panic))
        })
    }

    /// Runs a setter, while it has the turn.
    fn set<R>(&self, call: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
        self.unless_broken(|| {
            let _turn = granted(self.turn.between())?;
            call()
        })
    }
}

/// The turn, or the error for a call that did not get it.
fn granted(turn: Option<Inside<'_>>) -> PyResult<Inside<'_>> {
    turn.ok_or_else(refusal)
}

fn refusal() -> PyErr {
    PyRuntimeError::new_err(
        "this network is being trained by another call: in another thread, or by the fit whose callback this is; \
         wait until that call has returned, or use a copy of the network",
    )
}

/// Refuses a counter so large that it could overflow.
fn check_count(name: &str, value: u64) -> PyResult<()> {
    if i64::try_from(value).is_ok() {
        return Ok(());
    }
    Err(PyOverflowError::new_err(format!("{name} must be less than 2**63, got {value}")))
}

#[pymethods]
impl Network {
    /// Makes the network that the JSON text `config` describes. With `draw` its first parameters are drawn, else they
    /// are zeros.
    ///
    /// Raises ValueError for an invalid config, and MemoryError if the network is too large.
    #[new]
    #[pyo3(signature = (config, draw=true))]
    fn new(py: Python<'_>, config: &str, draw: bool) -> PyResult<Self> {
        fn made<T: core::Real>(
            spec: core::Spec,
            draw: bool,
            keep_going: &mut dyn FnMut() -> bool,
        ) -> Result<core::Network<T>, core::Error> {
            if draw { core::Network::new_while(spec, keep_going) } else { core::Network::blank(spec) }
        }
        catch_panics(|| {
            let watch = Watch::new(0);
            loop {
                let network = py.detach(|| {
                    let spec = core::Spec::from_json(config)?;
                    let look = &mut || watch.look();
                    Ok(match spec.dtype {
                        core::Dtype::Float32 => Either::F32(Cell::new(made(spec, draw, look)?)),
                        core::Dtype::Float64 => Either::F64(Cell::new(made(spec, draw, look)?)),
                    })
                });
                match network {
                    Err(core::Error::Interrupted) => watch.hear(py)?,
                    network => return network.map(Self::of).map_err(|e| raise(py, e)),
                }
            }
        })
    }

    /// The configuration as JSON, with the current learning rate.
    #[getter]
    fn config(&self, py: Python<'_>) -> PyResult<String> {
        self.unless_broken(
            || each!(self.cell, cell => cell.read(py, Work::NONE, |network| Ok(network.spec().to_json()))),
        )
    }

    /// The seed from which first weights, dropout masks and the order of rows are drawn.
    #[getter]
    fn seed(&self) -> u64 {
        self.facts().seed
    }

    /// Number of trained numbers, such as weights and biases.
    #[getter]
    fn n_parameters(&self) -> usize {
        self.facts().n_parameters
    }

    /// Number of input features.
    #[getter]
    fn n_inputs(&self) -> usize {
        self.facts().n_inputs
    }

    /// Number of outputs.
    #[getter]
    fn n_outputs(&self) -> usize {
        self.facts().n_outputs
    }

    /// "float32" or "float64".
    #[getter]
    fn dtype(&self) -> &'static str {
        self.facts().dtype.name()
    }

    /// Name of the instruction set that the network uses.
    #[getter]
    fn target(&self) -> &'static str {
        self.facts().isa
    }

    /// The most threads that the network uses.
    #[getter]
    fn n_threads(&self) -> usize {
        self.facts().n_threads
    }

    /// Step size of the next update, > 0. Setting it raises ValueError out of range, and RuntimeError during training.
    #[getter]
    fn learning_rate(&self, py: Python<'_>) -> PyResult<f64> {
        self.unless_broken(
            || each!(self.cell, cell => cell.read(py, Work::NONE, |network| Ok(network.learning_rate()))),
        )
    }

    #[setter]
    fn set_learning_rate(&self, py: Python<'_>, value: f64) -> PyResult<()> {
        self.set(|| each!(self.cell, cell => cell.write(py, Work::NONE, |network| network.set_learning_rate(value))))
    }

    /// Number of updates so far. Setting it raises RuntimeError during training.
    #[getter]
    fn step_count(&self, py: Python<'_>) -> PyResult<u64> {
        self.unless_broken(|| each!(self.cell, cell => cell.read(py, Work::NONE, |network| Ok(network.step_count()))))
    }

    #[setter]
    fn set_step_count(&self, py: Python<'_>, value: u64) -> PyResult<()> {
        self.set(|| {
            check_count("step_count", value)?;
            each!(self.cell, cell => cell.write(py, Work::NONE, |network| {
                network.set_step_count(value);
                Ok(())
            }))
        })
    }

    /// Number of finished epochs so far. Setting it raises RuntimeError during training.
    #[getter]
    fn epoch_count(&self, py: Python<'_>) -> PyResult<u64> {
        self.unless_broken(|| each!(self.cell, cell => cell.read(py, Work::NONE, |network| Ok(network.epoch_count()))))
    }

    #[setter]
    fn set_epoch_count(&self, py: Python<'_>, value: u64) -> PyResult<()> {
        self.set(|| {
            check_count("epoch_count", value)?;
            each!(self.cell, cell => cell.write(py, Work::NONE, |network| {
                network.set_epoch_count(value);
                Ok(())
            }))
        })
    }

    /// Names of the optimizer's moments. `state` takes an index into this list.
    #[getter]
    fn state_names(&self, py: Python<'_>) -> PyResult<Vec<&'static str>> {
        self.unless_broken(
            || each!(self.cell, cell => cell.read(py, Work::NONE, |network| Ok(network.state_names().to_vec()))),
        )
    }

    /// Raw outputs (n, n_outputs) for the rows of x (n, n_inputs), written to `out` if it is given. With `training`,
    /// dropout uses the masks of the next step.
    ///
    /// Raises TypeError for an array of the wrong kind, ValueError for a wrong shape or a value that is not finite.
    #[pyo3(signature = (x, training, out))]
    fn forward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        training: bool,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.unless_broken(|| {
            each!(self.cell, cell => cell.outputs(x, out, |network, workspace, x, out| {
                network.forward(workspace, x, training, out)
            }))
        })
    }

    /// Predictions (n, n_outputs) for the rows of x (n, n_inputs): the link function of the loss (such as softmax),
    /// applied to the raw outputs.
    ///
    /// Raises what `forward` raises.
    #[pyo3(signature = (x, out))]
    fn predict<'py>(&self, x: &Bound<'py, PyAny>, out: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        self.unless_broken(|| {
            each!(self.cell, cell => cell.outputs(x, out, |network, workspace, x, out| {
                network.predict(workspace, x, out)
            }))
        })
    }

    /// Loss of a batch, without dropout and with all penalties. x is (n, n_inputs); y holds labels (n,) or values
    /// (n, n_targets); sample_weight is (n,) or None.
    ///
    /// Raises TypeError for an array of the wrong kind, ValueError for anything else that is wrong with the batch.
    #[pyo3(signature = (x, y, sample_weight))]
    fn loss<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<f64> {
        self.unless_broken(|| each!(self.cell, cell => cell.loss(Arguments { x, y, sample_weight })))
    }

    /// Loss of a batch and its gradient (n_parameters,), in the order of `parameters`. Arguments and errors are those of
    /// `loss`. With `training`, dropout uses the masks of the next step.
    #[pyo3(signature = (x, y, sample_weight, training))]
    fn gradient<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        training: bool,
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        self.unless_broken(|| each!(self.cell, cell => cell.gradient(Arguments { x, y, sample_weight }, training)))
    }

    /// Gradients of a loss L that the caller computes. From x (n, n_inputs) and d_output = dL/d(raw outputs)
    /// (n, n_outputs) follow dL/d(parameters) (n_parameters,) and dL/dx (n, n_inputs). With `training`, dropout uses the
    /// masks of the next step.
    ///
    /// Raises what `forward` raises.
    #[pyo3(signature = (x, d_output, training))]
    fn backward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        d_output: &Bound<'py, PyAny>,
        training: bool,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        self.unless_broken(|| each!(self.cell, cell => cell.backward(x, d_output, training)))
    }

    /// Makes one update from a batch, and returns the loss before it. Arguments are those of `loss`.
    ///
    /// Raises what `loss` raises; DivergenceError, with the network unchanged, if the loss is not finite or the gradient
    /// too large; RuntimeError if the network is being trained already.
    #[pyo3(signature = (x, y, sample_weight))]
    fn step<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<f64> {
        self.unless_broken(|| {
            let _turn = granted(self.turn.alone())?;
            each!(self.cell, cell => cell.step(Arguments { x, y, sample_weight }))
        })
    }

    /// Makes one update from a gradient that the caller computed, (n_parameters,) in the network's dtype.
    ///
    /// Raises TypeError for an array of the wrong kind, ValueError for a wrong length or a value that is not finite,
    /// DivergenceError if the gradient is too large, and RuntimeError if the network is being trained already.
    fn apply_gradient(&self, flat: &Bound<'_, PyAny>) -> PyResult<()> {
        self.unless_broken(|| {
            let _turn = granted(self.turn.alone())?;
            each!(self.cell, cell => cell.apply_gradient(flat))
        })
    }

    /// Begins a fit of this thread. Until `end_fit`, only `train_epoch` trains the network, and only this thread may
    /// call it or set anything.
    ///
    /// Raises RuntimeError if the network is being trained already.
    fn begin_fit(&self) -> PyResult<()> {
        self.unless_broken(|| if self.turn.begin_fit() { Ok(()) } else { Err(refusal()) })
    }

    /// Ends the fit that this thread began.
    ///
    /// Raises RuntimeError if this thread began none, or if an epoch is running.
    fn end_fit(&self) -> PyResult<()> {
        // Allowed on a broken network too: a fit that met a bug must still end.
        if self.turn.end_fit() {
            return Ok(());
        }
        Err(PyRuntimeError::new_err("end_fit must follow begin_fit in the same thread, and no epoch may be running"))
    }

    /// Trains one epoch and returns its loss: the mean of the losses of the batches, weighted by their sums of
    /// weights. x, y and sample_weight are those of `loss`; batch_size >= 1. With `shuffle`, the rows are visited in an
    /// order drawn from the seed and the epoch, unless one batch holds all rows.
    ///
    /// Signals are handled every 50 ms, between two steps. If a handler raises (KeyboardInterrupt), the parameters stay
    /// as the last step left them, and the epoch is not counted.
    ///
    /// Raises what `loss` raises; DivergenceError if the loss of a batch is not finite or its gradient too large;
    /// RuntimeError outside of begin_fit and end_fit.
    #[pyo3(signature = (x, y, sample_weight, batch_size, shuffle))]
    fn train_epoch<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        batch_size: usize,
        shuffle: bool,
    ) -> PyResult<f64> {
        self.unless_broken(|| {
            let _turn = self.turn.in_fit().ok_or_else(|| {
                PyRuntimeError::new_err("train_epoch must follow begin_fit in the same thread, one epoch at a time")
            })?;
            each!(self.cell, cell => cell.train_epoch(Arguments { x, y, sample_weight }, batch_size, shuffle))
        })
    }

    /// For `chainrule.sklearn`: trains up to `epochs` epochs of `progress` as scikit-learn does. `rule` is (momentum,
    /// nesterov) for a network with sgd, and (beta_1, beta_2, epsilon) for one with adam. Signals are handled as in
    /// `train_epoch`.
    #[pyo3(signature = (x, y, sample_weight, progress, epochs, alpha, learning_rate, rule, strict))]
    #[allow(clippy::too_many_arguments, reason = "scikit-learn's")]
    fn sklearn_epochs<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        progress: &Bound<'py, Progress>,
        epochs: usize,
        alpha: f64,
        learning_rate: f64,
        rule: crate::sklearn::Rule,
        strict: bool,
    ) -> PyResult<()> {
        self.unless_broken(|| {
            let _turn = granted(self.turn.alone())?;
            let hyperparameters = core::sklearn::Hyperparameters { alpha, learning_rate, rule: rule.into(), strict };
            let mut progress = progress.try_borrow_mut()?;
            let arguments = Arguments { x, y, sample_weight };
            each!(self.cell, cell => cell.sklearn_epochs(arguments, &mut progress, epochs, &hyperparameters))
        })
    }

    /// For `chainrule.sklearn`: loss and gradient of a batch, with the penalty and the scaling of scikit-learn.
    #[pyo3(signature = (x, y, sample_weight, alpha, strict))]
    fn sklearn_gradient<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        alpha: f64,
        strict: bool,
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        self.unless_broken(|| {
            let arguments = Arguments { x, y, sample_weight };
            each!(self.cell, cell => cell.sklearn_gradient(arguments, alpha, strict))
        })
    }

    /// The trained tensors in the order of `parameters`: name ("layers.0.weight"), shape, and the index of the first
    /// number.
    fn tensors(&self, py: Python<'_>) -> PyResult<Vec<(String, Vec<usize>, usize)>> {
        self.unless_broken(|| {
            each!(self.cell, cell => cell.read(py, Work::NONE, |network| {
                Ok(network.tensors().into_iter().map(|tensor| (tensor.name, tensor.shape, tensor.start)).collect())
            }))
        })
    }

    /// The tensors that are saved and not trained, as `tensors`, in the order of `buffers`.
    fn buffer_tensors(&self, py: Python<'_>) -> PyResult<Vec<(String, Vec<usize>, usize)>> {
        self.unless_broken(|| {
            each!(self.cell, cell => cell.read(py, Work::NONE, |network| {
                let tensors = network.buffer_tensors().into_iter();
                Ok(tensors.map(|tensor| (tensor.name, tensor.shape, tensor.start)).collect())
            }))
        })
    }

    /// A copy of the buffers, one flat array in the order of `buffer_tensors`.
    fn buffers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.unless_broken(|| each!(self.cell, cell => cell.buffers(py)))
    }

    /// Sets the buffers. Raises as `set_parameters`.
    fn set_buffers(&self, flat: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set(|| each!(self.cell, cell => cell.set_buffers(flat)))
    }

    /// The way through the network that training steps on `rows` rows take, in words, with labels or with values as
    /// targets, and why not the faster one.
    fn route(&self, py: Python<'_>, rows: usize, labels: bool) -> PyResult<String> {
        self.unless_broken(|| {
            each!(self.cell, cell => cell.read(py, Work::NONE, |network| Ok(network.route(rows, labels).to_string())))
        })
    }

    /// A copy of all parameters, (n_parameters,): w_1 row by row, b_1, w_2, …
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.unless_broken(|| each!(self.cell, cell => cell.flat(py, |network, out| network.parameters(out))))
    }

    /// Sets all parameters from an array (n_parameters,) of the network's dtype.
    ///
    /// Raises TypeError for an array of the wrong kind, ValueError for a wrong length or a value that is not finite,
    /// and RuntimeError during training.
    fn set_parameters(&self, flat: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set(|| {
            each!(self.cell, cell => cell.set_flat("parameters", flat, |network, values| {
                network.set_parameters(values)
            }))
        })
    }

    /// A copy of one of the optimizer's moments, (n_parameters,), by its index in `state_names`.
    ///
    /// Raises ValueError if there is no such index.
    fn state<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyAny>> {
        self.unless_broken(|| {
            each!(self.cell, cell => {
                cell.check_state(py, index)?;
                cell.flat(py, |network, out| network.state(index, out))
            })
        })
    }

    /// Sets one of the optimizer's moments. Raises what `set_parameters` and `state` raise.
    fn set_state(&self, index: usize, flat: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set(|| {
            each!(self.cell, cell => {
                cell.check_state(flat.py(), index)?;
                cell.set_flat("state", flat, |network, values| network.set_state(index, values))
            })
        })
    }

    /// A copy of the current parameters, moments and counters.
    ///
    /// Raises MemoryError.
    fn snapshot(&self, py: Python<'_>) -> PyResult<Snapshot> {
        self.unless_broken(|| Snapshot::take(py, &self.cell))
    }

    /// Goes back to a snapshot. A network that a bug has broken can be used again afterwards.
    ///
    /// Raises ValueError for a snapshot of a network with another shape, dtype or optimizer, and RuntimeError during
    /// training.
    fn restore(&self, py: Python<'_>, snapshot: &Snapshot) -> PyResult<()> {
        self.break_on_panic(|| {
            let _turn = granted(self.turn.between())?;
            snapshot.restore(py, &self.cell)?;
            self.broken.store(false, Ordering::Relaxed);
            Ok(())
        })
    }

    /// Everything that `step` would compute with a batch, as one dict per layer: kind, n_in, n_out; z, a, slope and
    /// delta (n, n_out); d_weight and update_weight (n_in, n_out); d_bias and update_bias (n_out,). An array that the
    /// layer does not have is None. Arguments and errors are those of `loss`.
    #[pyo3(signature = (x, y, sample_weight))]
    fn trace<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        self.unless_broken(|| each!(self.cell, cell => cell.trace(Arguments { x, y, sample_weight })))
    }

    /// An independent network with the same state.
    ///
    /// Raises MemoryError.
    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        self.unless_broken(|| {
            let copy = match &self.cell {
                Either::F32(cell) => Either::F32(Cell::new(cell.read(py, cell.pass(), |network| network.try_clone())?)),
                Either::F64(cell) => Either::F64(Cell::new(cell.read(py, cell.pass(), |network| network.try_clone())?)),
            };
            Ok(Self::of(copy))
        })
    }
}
