//! Training: one step, one epoch of steps, and a step from a caller's gradient.

use crate::layer::{Factors, Layer};
use crate::optimizer::{Apply, FromMemory, Fuses, Rule};
use crate::rng::{Purpose, Stream};
use crate::{Batch, Error, Network, Real, Workspace};
use chainrule_kernels::{Picks, elementwise, product, squares, within};

/// Work between two looks at whether to go on, in floating-point operations: some hundred microseconds.
const FLOPS_BETWEEN_LOOKS: f64 = 1e7;

/// Where an epoch stands.
#[derive(Clone, Debug)]
pub struct Epoch {
    order: Option<Vec<u32>>,
    n_rows: usize,
    batch_size: usize,
    next_row: usize,
    loss_sum: f64,
    weight_sum: f64,
}

impl Epoch {
    /// The order of the rows; none where they go as they stand.
    pub fn order(&self) -> Option<&[u32]> {
        self.order.as_deref()
    }

    /// Rows that have been learnt from so far.
    pub fn rows_done(&self) -> usize {
        self.next_row
    }

    /// Mean loss of the batches so far, each by the sum of its weights.
    pub fn loss(&self) -> f64 {
        if self.weight_sum == 0.0 {
            return 0.0;
        }
        self.loss_sum / self.weight_sum
    }
}

impl<T: Real> Network<T> {
    /// One update from a batch; returns its loss before the update. A batch whose weights are all zero changes
    /// nothing and has loss 0.
    ///
    /// # Errors
    /// Whatever is wrong with the batch; [`Error::Diverged`] where its loss is not finite,
    /// [`Error::GradientDiverged`] where its gradient is too large to be squared. Nothing is changed then.
    pub fn step(&mut self, workspace: &mut Workspace<T>, batch: &Batch<'_, T>) -> Result<f64, Error> {
        self.check_batch(batch)?;
        let all = Picks::all(batch.x.rows());
        Ok(self.step_rows(workspace, batch, all, None)?.0)
    }

    /// One update from a gradient in the order of the parameters.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::NotFiniteAt`], [`Error::GradientDiverged`]; nothing is changed then.
    pub fn apply_gradient(&mut self, workspace: &mut Workspace<T>, flat: &[T]) -> Result<(), Error> {
        self.plan.check_flat("gradient", flat)?;
        workspace.reserve_gradient(&self.plan, false)?;
        self.plan.pack(flat, &mut workspace.gradient);
        if !within(self.machine, &workspace.gradient, largest_gradient()) {
            return Err(Error::GradientDiverged { at: None });
        }
        self.update(workspace);
        Ok(())
    }

    /// Gets ready for one pass over `n_rows` rows in batches of `batch_size`, the last one smaller; with `shuffle` in
    /// the order that follows from (seed, epoch counter), else as they stand. So do the rows of a single batch: their order
    /// says nothing.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::BatchSize`], [`Error::TooManyRows`], [`Error::Memory`].
    pub fn start_epoch(&self, n_rows: usize, batch_size: usize, shuffle: bool) -> Result<Epoch, Error> {
        if n_rows == 0 {
            return Err(Error::Empty);
        }
        if batch_size == 0 {
            return Err(Error::BatchSize);
        }
        let order = if shuffle && batch_size < n_rows {
            let Ok(n) = u32::try_from(n_rows) else {
                return Err(Error::TooManyRows { got: n_rows, most: u32::MAX as usize });
            };
            let mut stream = Stream::new(self.spec.seed, Purpose::Shuffle, self.epochs);
            Some(stream.permutation(n)?)
        } else {
            None
        };
        Ok(Epoch { order, n_rows, batch_size, next_row: 0, loss_sum: 0.0, weight_sum: 0.0 })
    }

    /// Goes on with `epoch` over `data` until it is finished (true) or `keep_going` says no (false; call again).
    /// A finished epoch is counted, unless all its weights are zero.
    ///
    /// # Errors
    /// As [`Network::step`]; steps before the one that failed stay made.
    pub fn train(
        &mut self,
        workspace: &mut Workspace<T>,
        data: &Batch<'_, T>,
        epoch: &mut Epoch,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<bool, Error> {
        self.check_batch(data)?;
        if data.x.rows() != epoch.n_rows {
            return Err(Error::Rows { argument: "epoch", expected: data.x.rows(), got: epoch.n_rows });
        }
        self.rouse(epoch.batch_size, usize::MAX);
        let steps_between_looks = (FLOPS_BETWEEN_LOOKS / self.plan.flops(epoch.batch_size)).max(1.0) as usize;
        let mut steps = 0;
        while epoch.next_row < epoch.n_rows {
            let start = epoch.next_row;
            let len = epoch.batch_size.min(epoch.n_rows - start);
            let batch = match &epoch.order {
                Some(order) => Picks::Index(&order[start..start + len]),
                None => Picks::Range { start, len },
            };
            let place = Some((self.epochs, start / epoch.batch_size));
            let (loss, weight) = self.step_rows(workspace, data, batch, place)?;
            epoch.loss_sum += loss * weight;
            epoch.weight_sum += weight;
            epoch.next_row = start + len;
            steps += 1;
            if steps % steps_between_looks == 0 && epoch.next_row < epoch.n_rows && !keep_going() {
                return Ok(false);
            }
        }
        // Every step's gradient was finite; the last update may have been too large all the same.
        let parts = std::iter::once(&self.parameters).chain(&self.states);
        for part in parts {
            if !within(self.machine, part, T::MAX) {
                let at = Some((self.epochs, (epoch.n_rows - 1) / epoch.batch_size));
                return Err(Error::GradientDiverged { at });
            }
        }
        if epoch.weight_sum > 0.0 {
            self.epochs += 1;
        }
        Ok(true)
    }

    /// One update from some rows, on as many threads as they are worth; returns their loss and the sum of their weights.
    fn step_rows(
        &mut self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        at: Option<(u64, usize)>,
    ) -> Result<(f64, f64), Error> {
        if let Some(done) = self.narrow_step(ws, batch, picks, at)? {
            return Ok(done);
        }
        let all = self.machine;
        self.machine = all.with_threads(self.plan.threads_for(picks.len(), all.threads()));
        let result = self.step_on_machine(ws, batch, picks, at);
        self.machine = all;
        result
    }

    fn step_on_machine(
        &mut self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        at: Option<(u64, usize)>,
    ) -> Result<(f64, f64), Error> {
        // A batch of several tiles, or penalties, need the whole gradient.
        let mut dense = self.spec.layers.iter().filter_map(|layer| match layer {
            Layer::Dense(dense) => Some(dense),
            Layer::Dropout(_) => None,
        });
        let rows = picks.len();
        let at_once = rows <= self.plan.tile && dense.all(|dense| dense.l2 == 0.0);
        let (loss, weight) = if at_once {
            let weight = batch.weight_sum(picks);
            if weight == 0.0 {
                return Ok((0.0, 0.0));
            }
            self.start_batch(ws, rows, true, false)?;
            (self.tile_deltas(ws, batch, picks, weight)? / weight, weight)
        } else {
            self.batch_gradient(ws, batch, picks, true)?
        };
        if !loss.is_finite() {
            return Err(Error::Diverged { loss, at });
        }
        if weight == 0.0 {
            return Ok((loss, weight));
        }
        if at_once {
            if self.gradient_is_small(ws, rows) && self.update_fused(ws, rows) {
                self.steps += 1;
                return Ok((loss, weight));
            }
            self.gradients(ws, rows, false);
        }
        // A loss may be finite and its gradient not; g² must be finite too, or the moments would not be.
        if !within(self.machine, &ws.gradient, largest_gradient()) {
            return Err(Error::GradientDiverged { at });
        }
        self.update(ws);
        Ok((loss, weight))
    }

    /// Whether activations and deltas of `rows` rows are so small that their gradient cannot be too large: a number of
    /// it is at most ‖a‖ ‖delta‖. Leaves the gradients of the biases in `ws.gradient`.
    fn gradient_is_small(&self, ws: &mut Workspace<T>, rows: usize) -> bool {
        let most = small_squares::<T>();
        self.plan.places.iter().enumerate().all(|(l, place)| {
            let Some(place) = place else { return true };
            self.bias_gradient(ws, l, place, rows, false) <= most
                && (l == 0 && ws.x_is_small || squares(self.machine, self.activation(&ws.a, l, rows).data()) <= most)
        })
    }

    /// One step of the optimizer along the gradient of `rows` rows, which is never in memory as a whole; false, and nothing
    /// done, where the optimizer cannot do that.
    fn update_fused(&mut self, ws: &mut Workspace<T>, rows: usize) -> bool {
        let optimizer = self.spec.optimizer;
        optimizer.rule::<T, _>(self.steps + 1, Pass { network: self, ws, rows })
    }

    /// One step of the optimizer along `ws.gradient`.
    pub(crate) fn update(&mut self, ws: &Workspace<T>) {
        self.steps += 1;
        let Network { machine, parameters, states, .. } = self;
        let apply = FromMemory { machine: *machine, parameters, states, gradient: &ws.gradient };
        self.spec.optimizer.rule::<T, _>(self.steps, apply);
    }
}

/// Half the root of the largest number: its square is finite, and so is a sum of two.
fn largest_gradient<T: Real>() -> T {
    T::MAX.sqrt() * T::from_f64(0.5)
}

/// Σ a² and Σ delta² up to here make no gradient larger than [`largest_gradient`], rounding included.
pub(crate) fn small_squares<T: Real>() -> T {
    largest_gradient::<T>() * T::from_f64(0.5)
}

/// The update of all layers, by a rule that the optimizer knows.
struct Pass<'a, T> {
    network: &'a mut Network<T>,
    ws: &'a mut Workspace<T>,
    rows: usize,
}

impl<T: Real> Apply for Pass<'_, T> {
    type Out = bool;

    fn apply<R: Rule>(self, rule: R) -> bool {
        // Decided when this is compiled: no kernels are made of other rules.
        if const { !matches!(R::FUSES, Fuses::Everywhere) } {
            return false;
        }
        let Pass { network, ws, rows } = self;
        let machine = network.machine;
        let Workspace { a, d, thin, columns, gradient, .. } = ws;
        for l in (0..network.plan.places.len()).rev() {
            let Some(place) = &network.plan.places[l] else { continue };
            let factors = network.factors(l, place, rows, [a, d], thin, &mut columns[0]);
            let (parameters, states) = (&mut network.parameters, &mut network.states);
            let Factors { number, vector } = factors;
            product::update_weight(machine, number, vector, parameters, states, place.w.clone(), place.stride, rule);
            if let Some(b) = place.b.clone() {
                elementwise::update_part(machine, parameters, states, b.clone(), &gradient[b], rule);
            }
        }
        true
    }
}
