//! A network: parameters, moments and counters, and what can be asked of it.

use crate::loss::Link;
use crate::plan::Plan;
use crate::schedule::Schedule;
use crate::workspace::{packed_mut, view_mut};
use crate::{Batch, Error, Real, Rows, Spec, Workspace, params, threads};
use chainrule_kernels::{Buffer, Machine, Picks, columns};

/// A multilayer perceptron with the state of its training.
///
/// ```
/// use chainrule_core::{Batch, Network, RowMajor, Spec, Targets, Workspace};
///
/// let spec = Spec::from_json(
///     r#"{"n_inputs": 1, "layers": [{"kind": "dense", "units": 1, "activation": {"name": "identity"},
///         "bias": true, "init": {"name": "zeros"}, "l2": 0.0}], "loss": {"name": "half_squared_error"},
///         "optimizer": {"name": "sgd", "learning_rate": 0.5, "momentum": 0.0, "nesterov": false},
///         "dtype": "float64", "seed": 0, "n_threads": null}"#,
/// )?;
/// let mut network = Network::<f64>::new(spec)?;
/// let mut workspace = Workspace::new(&network)?;
/// let (x, y) = ([1.0, 2.0], [2.0, 4.0]);
/// let y = RowMajor::new(&y, 2, 1);
/// let batch = Batch { x: &RowMajor::new(&x, 2, 1), y: Targets::Values(&y), sample_weight: None };
/// // w = b = 0, so a = 0, delta = (a − y) / 2, d_w = Σ x delta = −5 and d_b = Σ delta = −3.
/// assert_eq!(network.step(&mut workspace, &batch)?, 5.0);
/// let mut parameters = [0.0; 2];
/// network.parameters(&mut parameters);
/// assert_eq!(parameters, [2.5, 1.5]);
/// # Ok::<(), chainrule_core::Error>(())
/// ```
pub struct Network<T> {
    pub(crate) spec: Spec,
    pub(crate) plan: Plan,
    pub(crate) machine: Machine,
    pub(crate) parameters: Buffer<T>,
    pub(crate) states: Vec<Buffer<T>>,
    /// Updates made so far.
    pub(crate) steps: u64,
    /// Epochs finished so far.
    pub(crate) epochs: u64,
}

/// A trained tensor of a network, and where it starts in the flat sequence of all parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Position of its layer, from 0.
    pub layer: usize,
    /// Its name in the layer, such as "weight".
    pub name: &'static str,
    /// Its shape, row by row in the sequence.
    pub shape: Vec<usize>,
    /// Index of its first number in the sequence.
    pub start: usize,
}

impl<T: Real> Network<T> {
    /// A network as `spec` asks, with its first weights.
    ///
    /// # Errors
    /// [`Error::Config`] where the spec contradicts itself, [`Error::Memory`] where it is too large.
    pub fn new(spec: Spec) -> Result<Self, Error> {
        let mut network = Self::blank(spec)?;
        params::draw(network.machine, &network.spec, &network.plan, &mut network.parameters)?;
        Ok(network)
    }

    /// A network as `spec` asks whose parameters are all zero, for whoever sets them: to draw them takes time.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn blank(spec: Spec) -> Result<Self, Error> {
        spec.check()?;
        let machine = Machine::best().map_err(|error| Error::Config(error.to_string()))?;
        let plan = Plan::new::<T>(&spec)?;
        let threads = plan.most_threads(threads::resolve(spec.n_threads)?);
        let machine = machine.with_threads(threads);
        let states = spec
            .optimizer
            .state_names()
            .iter()
            .map(|_| Buffer::zeroed(plan.padded_parameters))
            .collect::<Result<_, _>>()?;
        let parameters = Buffer::zeroed(plan.padded_parameters)?;
        Ok(Network { spec, plan, machine, parameters, states, steps: 0, epochs: 0 })
    }

    /// The same network in memory of its own.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn try_clone(&self) -> Result<Self, Error> {
        Ok(Network {
            spec: self.spec.clone(),
            plan: self.plan.clone(),
            machine: self.machine,
            parameters: self.parameters.try_clone()?,
            states: self.states.iter().map(Buffer::try_clone).collect::<Result<_, _>>()?,
            steps: self.steps,
            epochs: self.epochs,
        })
    }

    /// What was asked for, with the present learning rate.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Number of weights and biases.
    pub fn n_parameters(&self) -> usize {
        self.plan.n_parameters
    }

    /// Number of input features.
    pub fn n_inputs(&self) -> usize {
        self.spec.n_inputs
    }

    /// Number of outputs.
    pub fn n_outputs(&self) -> usize {
        self.plan.n_outputs()
    }

    /// Name of the instruction set that is computed with.
    pub fn isa(&self) -> &'static str {
        self.machine.name()
    }

    /// The most threads that are computed with; 1 where no work on this network is worth more.
    pub fn threads(&self) -> usize {
        self.machine.threads()
    }

    /// The trained tensors in the order of [`Network::parameters`].
    pub fn tensors(&self) -> Vec<TensorInfo> {
        let mut start = 0;
        let mut tensors = Vec::new();
        for (l, place) in self.plan.places.iter().enumerate() {
            let Some(place) = place else { continue };
            let bias = place.b.as_ref().map(|_| ("bias", vec![place.n_out]));
            for (name, shape) in [("weight", vec![place.n_in, place.n_out])].into_iter().chain(bias) {
                let len = shape.iter().product::<usize>();
                tensors.push(TensorInfo { layer: l, name, shape, start });
                start += len;
            }
        }
        tensors
    }

    /// Copies the parameters to `out`: w_1 row by row, b_1, w_2, …
    ///
    /// # Panics
    /// Where `out` is not `n_parameters` long.
    pub fn parameters(&self, out: &mut [T]) {
        self.plan.unpack(&self.parameters, out);
    }

    /// Sets the parameters, in the order of [`Network::parameters`].
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::NotFiniteAt`]; nothing is changed then.
    pub fn set_parameters(&mut self, flat: &[T]) -> Result<(), Error> {
        self.plan.check_flat("parameters", flat)?;
        self.plan.pack(flat, &mut self.parameters);
        Ok(())
    }

    /// Names of the optimizer's moments.
    pub fn state_names(&self) -> &'static [&'static str] {
        self.spec.optimizer.state_names()
    }

    /// Copies moment `k` to `out`, in the order of the parameters.
    ///
    /// # Panics
    /// Where there is no such moment or `out` is not `n_parameters` long.
    pub fn state(&self, k: usize, out: &mut [T]) {
        self.plan.unpack(&self.states[k], out);
    }

    /// Sets moment `k`.
    ///
    /// # Errors
    /// As [`Network::set_parameters`].
    ///
    /// # Panics
    /// Where there is no such moment.
    pub fn set_state(&mut self, k: usize, flat: &[T]) -> Result<(), Error> {
        self.plan.check_flat("state", flat)?;
        self.plan.pack(flat, &mut self.states[k]);
        Ok(())
    }

    /// Updates made so far: the t of the next one is one more.
    pub fn step_count(&self) -> u64 {
        self.steps
    }

    /// Sets the number of updates made so far.
    pub fn set_step_count(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// Epochs finished so far; the next one's permutation follows from it.
    pub fn epoch_count(&self) -> u64 {
        self.epochs
    }

    /// Sets the number of epochs finished so far.
    pub fn set_epoch_count(&mut self, epochs: u64) {
        self.epochs = epochs;
    }

    /// Step size of the next update.
    pub fn learning_rate(&self) -> f64 {
        self.spec.optimizer.learning_rate.at(self.steps + 1)
    }

    /// Sets the step size of the next update.
    ///
    /// # Errors
    /// [`Error::LearningRate`].
    pub fn set_learning_rate(&mut self, value: f64) -> Result<(), Error> {
        if !(value.is_finite() && value > 0.0) {
            return Err(Error::LearningRate { value });
        }
        self.spec.optimizer.learning_rate = Schedule::constant(value);
        Ok(())
    }

    /// Raw outputs of the rows of x: `out` is (n, n_outputs), row by row. With `training`, dropout uses the masks of
    /// the coming step.
    ///
    /// # Errors
    /// [`Error::Inputs`], [`Error::NotFinite`], [`Error::Memory`].
    ///
    /// # Panics
    /// Where `out` does not hold n · n_outputs values.
    pub fn forward(
        &self,
        workspace: &mut Workspace<T>,
        x: &dyn Rows<T>,
        training: bool,
        out: &mut [T],
    ) -> Result<(), Error> {
        self.forward_rows(workspace, x, training, false, out)
    }

    /// Predictions for the rows of x: the raw outputs through the loss's link.
    ///
    /// # Errors
    /// As [`Network::forward`].
    ///
    /// # Panics
    /// As [`Network::forward`].
    pub fn predict(&self, workspace: &mut Workspace<T>, x: &dyn Rows<T>, out: &mut [T]) -> Result<(), Error> {
        self.forward_rows(workspace, x, false, true, out)
    }

    fn forward_rows(
        &self,
        ws: &mut Workspace<T>,
        x: &dyn Rows<T>,
        training: bool,
        link: bool,
        out: &mut [T],
    ) -> Result<(), Error> {
        let k = self.n_outputs();
        assert_eq!(Some(out.len()), x.rows().checked_mul(k));
        self.check_x(x)?;
        self.start_rows(ws, x.rows(), training, self.plan.forward_flops(x.rows()))?;
        // Where a row's outputs lie in a column, softmax needs no sums across a vector.
        let softmax = link && self.plan.thin().is_some() && self.spec.loss.link() == Link::Softmax;
        let mut rows_done = 0;
        for tile in Picks::all(x.rows()).tiles(self.plan.tile) {
            let rows = tile.len();
            if !self.narrow_outputs(ws, x, tile, softmax)? {
                self.read_x(ws, x, tile)?;
                self.forward_tile(ws, rows);
                if softmax {
                    columns::softmax(self.machine, packed_mut(&mut ws.thin[0], k, rows));
                }
                self.finish_outputs(ws, rows);
            }
            let last = self.spec.layers.len();
            let stride = self.plan.strides[last];
            let outputs = if link && !softmax {
                let a = self.activation(&ws.a, last, rows);
                let prediction = view_mut(&mut ws.d[last], rows, k, stride);
                self.spec.loss.link().predict(self.machine, a, prediction, &mut ws.scratch[..rows]);
                &ws.d[last]
            } else {
                &ws.a[last]
            };
            let into = out[rows_done * k..].chunks_exact_mut(k);
            for (into, row) in into.zip(outputs.chunks_exact(stride)).take(rows) {
                into.copy_from_slice(&row[..k]);
            }
            rows_done += rows;
        }
        Ok(())
    }

    /// The loss of a batch outside training, penalties included.
    ///
    /// # Errors
    /// Whatever is wrong with the batch, [`Error::Memory`].
    pub fn loss(&self, workspace: &mut Workspace<T>, batch: &Batch<'_, T>) -> Result<f64, Error> {
        self.check_batch(batch)?;
        self.batch_loss(workspace, batch)
    }

    /// The loss of a batch and its gradient, `flat` in the order of the parameters. With `training`, dropout uses the
    /// masks of the coming step.
    ///
    /// # Errors
    /// Whatever is wrong with the batch, [`Error::Memory`].
    ///
    /// # Panics
    /// Where `flat` is not `n_parameters` long.
    pub fn gradient(
        &self,
        workspace: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        training: bool,
        flat: &mut [T],
    ) -> Result<f64, Error> {
        self.check_batch(batch)?;
        let all = Picks::all(batch.x.rows());
        let (loss, _) = self.batch_gradient(workspace, batch, all, training)?;
        self.plan.unpack(&workspace.gradient, flat);
        Ok(loss)
    }
}
