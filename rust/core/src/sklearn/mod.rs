//! Training to scikit-learn's letter, for `chainrule.sklearn` alone: its scalings of penalty and loss, its update rules.
//!
//! Forward, backward and kernels are those of every network. What differs: the order of the rows is the caller's, the
//! penalty of a batch is ½ · alpha · ‖w‖² / Σ wᵢ, losses are clipped as by probabilities in [eps, 1 − eps], and an epoch's
//! loss weighs batches by their rows. No option of a [`Spec`](crate::Spec) leads here.

mod shuffle;

use crate::forward::sum_of;
use crate::layer::{Dense, Factors, Layer, Place};
use crate::loss::{Link, Loss};
use crate::narrow::Memory;
use crate::optimizer::{Moments, Momentum, nonzero};
use crate::{Batch, Error, Network, Real, Workspace};
use chainrule_kernels::{self as kernels, Picks, elementwise, product};
pub use shuffle::Twister;

/// The optimizer and the penalty, as scikit-learn names them.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// ½ · alpha · ‖w‖² / Σ wᵢ is added to a batch's loss.
    pub alpha: f64,
    /// Step size of these updates.
    pub learning_rate: f64,
    /// The update rule; the network's optimizer must keep as many moments.
    pub rule: Rule,
    /// See [`Network::sklearn_gradient`].
    pub strict: bool,
}

/// An update rule in scikit-learn's form.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// v = momentum · v − learning_rate · g,  w ← w + v, or w + momentum · v − learning_rate · g.
    Sgd {
        /// Share of the last velocity that is kept.
        momentum: f64,
        /// Whether to look ahead.
        nesterov: bool,
    },
    /// w ← w − learning_rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + epsilon).
    Adam {
        /// Decay of the mean of g.
        beta_1: f64,
        /// Decay of the mean of g².
        beta_2: f64,
        /// Added to √v.
        epsilon: f64,
    },
}

/// When training ends by itself.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// An epoch's loss must be below the best one by more than this.
    pub tol: f64,
    /// Epochs in a row that may miss that.
    pub most: f64,
    /// Lowest loss so far.
    pub best: f64,
    /// Epochs in a row that have missed it.
    pub missed: u64,
    /// Whether to go on after a loss that is not finite, as scikit-learn does.
    pub strict: bool,
}

impl Patience {
    /// Takes an epoch's loss in; whether it was one too many.
    fn ends(&mut self, loss: f64) -> bool {
        // Written as scikit-learn writes it: NaN is not greater.
        self.missed = if loss > self.best - self.tol { self.missed + 1 } else { 0 };
        if loss < self.best {
            self.best = loss;
        }
        self.missed as f64 > self.most || !(self.strict || loss.is_finite())
    }
}

/// How an update gets its gradient.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As a narrow network.
    Narrow,
    /// From activations and deltas, as soon as sums are there.
    Sums,
    /// From memory, where it was added up tile by tile.
    Gradient,
}

/// Where an epoch stands.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    next_row: usize,
    loss_sum: f64,
}

/// The way through some epochs, and where it stands.
#[derive(Debug)]
pub struct Course {
    /// A row of the data for each place.
    pub order: Vec<u32>,
    /// Shuffles the order for each epoch; it stays as it is where there is none.
    pub twister: Option<Twister>,
    /// Rows of a batch; the last one may have fewer.
    pub batch_size: usize,
    /// What ends it before its time.
    pub patience: Patience,
    /// Losses of the epochs since it last started.
    pub losses: Vec<f64>,
    spare: Vec<u32>,
    progress: Option<Progress>,
}

impl Course {
    /// Through `n` rows as they stand.
    ///
    /// # Errors
    /// [`Error::TooManyRows`], [`Error::Memory`].
    pub fn new(n: usize, batch_size: usize, twister: Option<Twister>, patience: Patience) -> Result<Self, Error> {
        let Ok(rows) = u32::try_from(n) else {
            return Err(Error::TooManyRows { got: n, most: u32::MAX as usize });
        };
        let (mut order, mut spare) = (Vec::new(), Vec::new());
        for rows in [&mut order, &mut spare] {
            rows.try_reserve_exact(n).map_err(|_| Error::Memory { bytes: 4 * n as u128 })?;
        }
        order.extend(0..rows);
        Ok(Course { order, twister, batch_size, patience, losses: Vec::new(), spare, progress: None })
    }

    /// Gets ready for more epochs; one that was not finished is forgotten.
    pub fn start(&mut self) {
        self.losses.clear();
        self.progress = None;
    }
}

impl<T: Real> Network<T> {
    /// Goes on with `course` over `data` until it has made `epochs` epochs since its start or has lost patience (true), or
    /// `keep_going` says no (false; call again). A batch whose weights are all zero changes nothing.
    ///
    /// # Errors
    /// Whatever is wrong with the data; [`Error::Rows`] for an order that is not its rows. The epoch under way is not counted.
    pub fn sklearn_epochs(
        &mut self,
        ws: &mut Workspace<T>,
        data: &Batch<'_, T>,
        course: &mut Course,
        epochs: usize,
        recipe: &Recipe,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<bool, Error> {
        self.check_batch(data)?;
        let n = data.x.rows();
        if course.batch_size == 0 {
            return Err(Error::BatchSize);
        }
        let wrong = course.order.iter().find(|&&row| row as usize >= n).map(|&row| row as usize);
        if course.order.len() != n || wrong.is_some() {
            return Err(Error::Rows { argument: "order", expected: n, got: wrong.unwrap_or(course.order.len()) });
        }
        self.rouse(course.batch_size, usize::MAX);
        while course.losses.len() < epochs {
            let Course { order, twister, spare, .. } = course;
            let mut progress = match course.progress.take() {
                Some(progress) => progress,
                None => {
                    if let Some(twister) = twister {
                        twister.shuffle(order, spare);
                    }
                    Progress::default()
                }
            };
            if !self.sklearn_epoch(ws, data, (order, course.batch_size), recipe, &mut progress, keep_going)? {
                course.progress = Some(progress);
                return Ok(false);
            }
            let loss = progress.loss_sum / n as f64;
            course.losses.push(loss);
            if course.patience.ends(loss) {
                break;
            }
            // An epoch may be one step: who waits to interrupt must be heard here too.
            if course.losses.len() < epochs && !keep_going() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes on with an epoch until it is finished (true) or `keep_going` says no (false).
    fn sklearn_epoch(
        &mut self,
        ws: &mut Workspace<T>,
        data: &Batch<'_, T>,
        (order, batch_size): (&[u32], usize),
        recipe: &Recipe,
        progress: &mut Progress,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<bool, Error> {
        let (n, all) = (data.x.rows(), self.machine);
        while progress.next_row < n {
            let start = progress.next_row;
            let len = batch_size.min(n - start);
            let picks = Picks::Index(&order[start..start + len]);
            self.machine = all.with_threads(self.plan.threads_for(len, all.threads()));
            let loss = self.sklearn_step(ws, data, picks, recipe);
            self.machine = all;
            progress.loss_sum += loss? * len as f64;
            progress.next_row = start + len;
            if progress.next_row < n && !keep_going() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The loss of a batch and its gradient without dropout, `flat` in the order of the parameters. With `strict` the value
    /// of squared errors is their mean over outputs while the gradient is that of their sum, as scikit-learn has it;
    /// without, both are of the sum.
    ///
    /// # Errors
    /// Whatever is wrong with the batch, [`Error::Memory`].
    ///
    /// # Panics
    /// Where `flat` is not `n_parameters` long.
    pub fn sklearn_gradient(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        alpha: f64,
        strict: bool,
        flat: &mut [T],
    ) -> Result<f64, Error> {
        self.check_batch(batch)?;
        let picks = Picks::all(batch.x.rows());
        let weight = batch.weight_sum(picks);
        let loss = self.sklearn_whole_gradient(ws, batch, picks, weight, (strict, false))?;
        let l2 = alpha / weight;
        let mut penalty = 0.0;
        for (dense, place) in self.sklearn_layers(l2) {
            penalty += dense.penalty(self.machine, place, &self.parameters, &mut ws.gradient);
        }
        self.plan.unpack(&ws.gradient, flat);
        Ok(loss + penalty)
    }

    /// The gradient of the rows that are picked without the penalty, in `ws.gradient`; returns their loss without it.
    fn sklearn_whole_gradient(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        weight: f64,
        (strict, training): (bool, bool),
    ) -> Result<f64, Error> {
        if let Some((loss, _)) = self.narrow_gradient(ws, batch, picks, |losses| self.sklearn_sum(losses, strict))? {
            return Ok(loss);
        }
        self.start_batch(ws, picks.len(), training, false)?;
        self.sum_of_gradients(ws, picks, |ws, tile| self.sklearn_tile(ws, batch, tile, weight, strict))
    }

    /// One update; returns the batch's loss before it.
    fn sklearn_step(
        &mut self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        recipe: &Recipe,
    ) -> Result<f64, Error> {
        let rows = picks.len();
        let weight = batch.weight_sum(picks);
        if weight == 0.0 {
            return Ok(0.0);
        }
        let l2 = recipe.alpha / weight;
        let narrow = self.narrow_formulas(batch, rows).filter(|_| rows <= self.plan.tile);
        let (way, loss) = if let Some(formulas) = narrow {
            let memory = Memory::first(&mut ws.narrow, &self.plan, rows)?;
            self.narrow_tile(memory, batch, picks, formulas, rows, Some(T::MAX))?;
            (Way::Narrow, self.sklearn_sum(memory.narrow.losses(rows), recipe.strict) / weight)
        } else if rows <= self.plan.tile {
            self.start_batch(ws, rows, true, false)?;
            (Way::Sums, self.sklearn_tile(ws, batch, picks, weight, recipe.strict)?)
        } else {
            (Way::Gradient, self.sklearn_whole_gradient(ws, batch, picks, weight, (recipe.strict, true))?)
        };
        let mut penalty = 0.0;
        for (dense, place) in self.sklearn_layers(l2) {
            penalty += dense.penalty_value(place, &self.parameters);
        }
        self.steps += 1;
        match recipe.rule {
            Rule::Sgd { momentum, nesterov } => {
                let (follow, ahead) = if nesterov { (momentum, -recipe.learning_rate) } else { (1.0, 0.0) };
                let rule = Momentum { l2: 0.0, keep: momentum, push: -recipe.learning_rate, follow, ahead };
                self.sklearn_update(ws, rows, way, [Momentum { l2, ..rule }, rule]);
            }
            Rule::Adam { beta_1, beta_2, epsilon } => {
                let corrected = |beta: f64| 1.0 - beta.powf(self.steps as f64);
                let step = recipe.learning_rate * corrected(beta_2).sqrt() / corrected(beta_1);
                let eps = nonzero::<T>(epsilon);
                let rule = Moments { l2: 0.0, keep: 1.0, step, beta_1, beta_2, root: 1.0, eps };
                self.sklearn_update(ws, rows, way, [Moments { l2, ..rule }, rule]);
            }
        }
        Ok(loss + penalty)
    }

    /// Updates weights by the first rule and biases by the second.
    fn sklearn_update<U: kernels::Update>(
        &mut self,
        ws: &mut Workspace<T>,
        rows: usize,
        way: Way,
        [rule, of_bias]: [U; 2],
    ) {
        let Network { machine, parameters, states, .. } = self;
        let machine = *machine;
        if let (Way::Narrow, Some(lane)) = (way, ws.narrow.first_mut()) {
            return lane.memory.narrow.update(machine, parameters, states, rows, [rule, of_bias]);
        }
        // One moment is not worth the code of every product: see `RulePass`.
        let from_memory = U::STATES == 1 || way == Way::Gradient;
        if from_memory && way == Way::Sums {
            self.gradients(ws, rows, false);
        }
        for l in (0..self.plan.places.len()).rev() {
            let Some(place) = &self.plan.places[l] else { continue };
            if from_memory {
                let (parameters, states, w) = (&mut self.parameters, &mut self.states, place.w.clone());
                elementwise::update_part(machine, parameters, states, w.clone(), &ws.gradient[w], rule);
            } else {
                self.bias_gradient(ws, l, place, rows, false);
                let Workspace { a, d, thin, columns, gradient: _, .. } = ws;
                let Factors { number, vector } = self.factors(l, place, rows, [a, d], thin, &mut columns[0]);
                let (parameters, states) = (&mut self.parameters, &mut self.states);
                product::update_weight(
                    machine,
                    number,
                    vector,
                    parameters,
                    states,
                    place.w.clone(),
                    place.stride,
                    rule,
                );
            }
            if let Some(b) = place.b.clone() {
                let (parameters, states) = (&mut self.parameters, &mut self.states);
                elementwise::update_part(machine, parameters, states, b.clone(), &ws.gradient[b], of_bias);
            }
        }
    }

    /// Σ of the losses of rows without weights, for losses that narrow networks have.
    fn sklearn_sum(&self, losses: &[T], strict: bool) -> f64 {
        match self.spec.loss.link() {
            Link::Softmax => {
                let (least, most) = clip::<T>();
                sum_of(losses, |loss: T| loss.to_f64().clamp(least, most))
            }
            _ => sum_of(losses, T::to_f64) / self.sklearn_divisor(strict),
        }
    }

    /// Forward and back: the tile's part in the mean loss of a batch whose weights sum to `weight`.
    fn sklearn_tile(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        tile: Picks<'_>,
        weight: f64,
        strict: bool,
    ) -> Result<f64, Error> {
        // scikit-learn sums Poisson losses over outputs, ours is their mean: each row counts k times.
        let times = if matches!(self.spec.loss, Loss::Poisson(_)) { self.n_outputs() as f64 } else { 1.0 };
        let weight_sum = weight / times;
        let sum = self.tile_deltas(ws, batch, tile, weight_sum)?;
        let sum = match self.spec.loss.link() {
            Link::Softmax | Link::Sigmoid => self.sklearn_clipped(ws, batch, tile),
            _ => sum / self.sklearn_divisor(strict),
        };
        Ok(sum / weight_sum)
    }

    /// What the value of a loss without clipping is divided by and its gradient is not.
    fn sklearn_divisor(&self, strict: bool) -> f64 {
        if strict && matches!(self.spec.loss, Loss::HalfSquaredError(_)) { self.n_outputs() as f64 } else { 1.0 }
    }

    /// Σ wᵢ lᵢ of the rows of `tile`, each probability held in [eps, 1 − eps].
    fn sklearn_clipped(&self, ws: &Workspace<T>, batch: &Batch<'_, T>, tile: Picks<'_>) -> f64 {
        let (least, most) = clip::<T>();
        let (last, k) = (self.spec.layers.len(), self.n_outputs());
        let stride = self.plan.strides[last];
        let several = k > 1 && self.spec.loss.link() == Link::Sigmoid;
        let losses = tile.iter().zip(&ws.row_loss).enumerate().map(|(i, (row, &loss))| {
            let loss = if several && loss > most {
                // Only here can one of the outputs have reached the limit.
                let (a, y) = (&ws.a[last][i * stride..][..k], &ws.y[i * stride..][..k]);
                a.iter().zip(y).map(|(a, y)| binary(a.to_f64(), y.to_f64()).clamp(least, most)).sum()
            } else if several {
                loss
            } else {
                loss.clamp(least, most)
            };
            loss * batch.sample_weight.map_or(1.0, |weights| weights[row])
        });
        losses.sum()
    }

    /// The dense layers with a penalty of `l2`, and their places.
    fn sklearn_layers(&self, l2: f64) -> impl Iterator<Item = (Dense, &Place)> {
        self.spec.layers.iter().zip(&self.plan.places).filter_map(move |pair| match pair {
            (Layer::Dense(dense), Some(place)) => Some((Dense { l2, ..*dense }, place)),
            _ => None,
        })
    }
}

/// Losses of probabilities held in [eps, 1 − eps].
fn clip<T: Real>() -> (f64, f64) {
    let eps = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    (-(-eps).ln_1p(), -eps.ln())
}

/// −ln of the probability that the raw output `a` gives to `y`, 0 or 1.
fn binary(a: f64, y: f64) -> f64 {
    let wrong = if y > 0.5 { -a } else { a };
    wrong.max(0.0) + (-wrong.abs()).exp().ln_1p()
}
