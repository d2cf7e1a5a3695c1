//! A network: parameters, moments and counters, and what can be asked of it.

use crate::pass::{Model, Route};
use crate::plan::{Named, Plan, Worth, check_finite};
use crate::schedule::Schedule;
use crate::{Batch, Error, Real, Spec, Workspace, threads};
use chainrule_kernels::{Buffer, Machine};

/// A multilayer perceptron with the state of its training.
///
/// ```
/// use chainrule_core::{Batch, Network, Source, Spec, Targets, Workspace};
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
/// let y = Source::new(&y, 2, 1);
/// let batch = Batch { x: &Source::new(&x, 2, 1), y: Targets::Values(&y), sample_weight: None };
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
    /// Numbers of layers that are saved and not trained.
    pub(crate) buffers: Buffer<T>,
    /// Until this many updates are made, all numbers stay finite for certain. None if another than the optimizer has set
    /// them since.
    pub(crate) finite_until: Option<u64>,
    /// Updates made so far.
    pub(crate) steps: u64,
    /// Epochs finished so far.
    pub(crate) epochs: u64,
}

/// A tensor of a network, and where it starts in the flat sequence of all tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name, such as "layers.0.weight".
    pub name: String,
    /// Its shape, row by row in the sequence.
    pub shape: Vec<usize>,
    /// Index of its first number in the sequence.
    pub start: usize,
}

impl TensorInfo {
    fn of(tensors: &[Named]) -> Vec<Self> {
        let starts = tensors.iter().scan(0, |end, named| {
            let start = *end;
            *end += named.tensor.len();
            Some(start)
        });
        let info = |(named, start): (&Named, usize)| TensorInfo {
            name: named.name.clone(),
            shape: named.tensor.shape(),
            start,
        };
        tensors.iter().zip(starts).map(info).collect()
    }
}

impl<T: Real> Network<T> {
    /// A network as `spec` asks, with its first weights.
    ///
    /// # Errors
    /// [`Error::Config`] where the spec contradicts itself, [`Error::Memory`] where it is too large.
    pub fn new(spec: Spec) -> Result<Self, Error> {
        Self::new_while(spec, &mut || true)
    }

    /// The same. `keep_going` is asked from time to time while weights are drawn, which may take minutes.
    ///
    /// # Errors
    /// As [`Network::new`]; [`Error::Interrupted`] where `keep_going` said no.
    pub fn new_while(spec: Spec, keep_going: &mut dyn FnMut() -> bool) -> Result<Self, Error> {
        let mut network = Self::blank(spec)?;
        let Network { spec, plan, machine, parameters, buffers, .. } = &mut network;
        plan.draw(*machine, spec.seed, parameters, buffers, keep_going)?;
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
        let threads = plan.worth.most_threads(threads::resolve(spec.n_threads)?);
        let machine = machine.with_threads(threads);
        let states = spec
            .optimizer
            .state_names()
            .iter()
            .map(|_| Buffer::zeroed(plan.padded_parameters))
            .collect::<Result<_, _>>()?;
        let parameters = Buffer::zeroed(plan.padded_parameters)?;
        let buffers = Buffer::zeroed(plan.padded_buffers)?;
        Ok(Network { spec, plan, machine, parameters, states, buffers, finite_until: Some(0), steps: 0, epochs: 0 })
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
            buffers: self.buffers.try_clone()?,
            finite_until: self.finite_until,
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

    /// What batches are worth on this network.
    pub fn worth(&self) -> Worth {
        self.plan.worth
    }

    /// Number of numbers that layers save and do not train.
    pub fn n_buffers(&self) -> usize {
        self.plan.buffers.iter().map(|named| named.tensor.len()).sum()
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
        TensorInfo::of(&self.plan.tensors)
    }

    /// The tensors that are saved and not trained, in the order of [`Network::buffers`].
    pub fn buffer_tensors(&self) -> Vec<TensorInfo> {
        TensorInfo::of(&self.plan.buffers)
    }

    /// Copies the buffers to `out`: what layers save and do not train.
    ///
    /// # Panics
    /// Where `out` is not as long as they are.
    pub fn buffers(&self, out: &mut [T]) {
        Plan::unpack(&self.plan.buffers, &self.buffers, out);
    }

    /// Sets the buffers, in the order of [`Network::buffers`].
    ///
    /// # Errors
    /// [`Error::NotFiniteAt`]; nothing is changed then.
    ///
    /// # Panics
    /// Where `flat` is not as long as they are.
    pub fn set_buffers(&mut self, flat: &[T]) -> Result<(), Error> {
        check_finite("buffers", flat)?;
        self.finite_until = None;
        Plan::pack(&self.plan.buffers, flat, &mut self.buffers);
        Ok(())
    }

    /// Copies the parameters to `out`: w_1 row by row, b_1, w_2, …
    ///
    /// # Panics
    /// Where `out` is not `n_parameters` long.
    pub fn parameters(&self, out: &mut [T]) {
        Plan::unpack(&self.plan.tensors, &self.parameters, out);
    }

    /// Sets the parameters, in the order of [`Network::parameters`].
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::NotFiniteAt`]; nothing is changed then.
    pub fn set_parameters(&mut self, flat: &[T]) -> Result<(), Error> {
        self.plan.check_flat("parameters", flat)?;
        self.finite_until = None;
        Plan::pack(&self.plan.tensors, flat, &mut self.parameters);
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
        Plan::unpack(&self.plan.tensors, &self.states[k], out);
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
        self.finite_until = None;
        Plan::pack(&self.plan.tensors, flat, &mut self.states[k]);
        Ok(())
    }

    /// Updates made so far: the t of the next one is one more.
    pub fn step_count(&self) -> u64 {
        self.steps
    }

    /// Sets the number of updates made so far.
    pub fn set_step_count(&mut self, steps: u64) {
        self.finite_until = None;
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
        self.finite_until = self.finite_until.map(|_| 0);
        Ok(())
    }

    /// The network as the passes read it.
    pub(crate) fn model(&self) -> Model<'_, T> {
        let Network { spec, plan, machine, parameters, buffers, steps, .. } = self;
        Model { spec, plan, machine: *machine, parameters, buffers, steps: *steps }
    }

    /// Refuses a batch whose parts do not fit each other, the network or the loss.
    pub(crate) fn check_batch(&self, batch: &Batch<'_, T>) -> Result<(), Error> {
        batch.check_for(self.n_inputs(), self.n_outputs(), &self.spec.loss)
    }

    /// The way through the network that training steps on `rows` rows take, with labels or with values as targets.
    pub fn route(&self, rows: usize, labels: bool) -> Route {
        self.model().route(rows, labels)
    }
}

impl<T: Real> Workspace<T> {
    /// A workspace that will grow to what it is used for.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn new(network: &Network<T>) -> Result<Self, Error> {
        Workspace::of(&network.plan)
    }
}
