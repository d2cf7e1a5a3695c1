//! Training exactly as scikit-learn trains, for `chainrule.sklearn` only: its penalty, its loss and its update rules.
//!
//! Forward, backward and kernels are those of every network. Four things differ:
//!
//! - The caller supplies the order of the rows.
//! - The penalty of a batch is ½ · alpha · ‖w‖² / Σ wᵢ.
//! - Losses are clipped, as if probabilities were clipped to [eps, 1 − eps].
//! - The loss of an epoch weights each batch by its number of rows.
//!
//! No option of a [`Spec`](crate::Spec) leads here.

mod shuffle;

use crate::fit::{Objective, Progress};
use crate::loss::{Link, Loss};
use crate::optimizer::{Apply, Moments, Momentum, nonzero};
use crate::pass::{Model, Tile};
use crate::{Batch, Error, Network, Real, Workspace};
pub use shuffle::Twister;

/// The hyperparameters of scikit-learn's updates and penalty, with scikit-learn's names.
#[derive(Clone, Copy, Debug)]
pub struct Hyperparameters {
    /// ½ · alpha · ‖w‖² / Σ wᵢ is added to the loss of a batch.
    pub alpha: f64,
    /// Step size of each update.
    pub learning_rate: f64,
    /// The update rule. The network's optimizer must have the same number of moments.
    pub rule: Rule,
    /// See [`Network::sklearn_gradient`].
    pub strict: bool,
}

/// An update rule in scikit-learn's form.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// v = momentum · v − learning_rate · g,  w ← w + v, or w + momentum · v − learning_rate · g.
    Sgd {
        /// Decay of the velocity v.
        momentum: f64,
        /// Whether to use the second form.
        nesterov: bool,
    },
    /// w ← w − learning_rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + epsilon).
    Adam {
        /// Decay of m, the moving average of g.
        beta_1: f64,
        /// Decay of v, the moving average of g².
        beta_2: f64,
        /// Added to √v.
        epsilon: f64,
    },
}

/// The rule by which training ends early.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Each epoch must lower the best loss by at least this.
    pub tol: f64,
    /// Consecutive epochs that may fail to do so.
    pub most: f64,
    /// Lowest loss so far.
    pub best: f64,
    /// Consecutive epochs that have failed to do so.
    pub missed: u64,
    /// Whether to continue after a loss that is not finite, as scikit-learn does.
    pub strict: bool,
}

impl Patience {
    /// Records the loss of an epoch. Returns whether training ends.
    fn ends(&mut self, loss: f64) -> bool {
        // The comparison is scikit-learn's: NaN is not greater, so a loss of NaN resets the count.
        self.missed = if loss > self.best - self.tol { self.missed + 1 } else { 0 };
        if loss < self.best {
            self.best = loss;
        }
        self.missed as f64 > self.most || !(self.strict || loss.is_finite())
    }
}

/// A run of several epochs, and its position in it.
#[derive(Debug)]
pub struct Epochs {
    /// The rows of the data, in the order of training.
    pub order: Vec<u32>,
    /// Shuffles the order before each epoch. None keeps the order.
    pub twister: Option<Twister>,
    /// Rows in a batch; the last batch may have fewer.
    pub batch_size: usize,
    /// The rule by which training ends early.
    pub patience: Patience,
    /// The losses of the epochs since the last [`start`](Epochs::start).
    pub losses: Vec<f64>,
    spare: Vec<u32>,
    progress: Option<Progress>,
}

impl Epochs {
    /// Epochs over `n` rows, in the order of the data.
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
        Ok(Epochs { order, twister, batch_size, patience, losses: Vec::new(), spare, progress: None })
    }

    /// Clears the losses and drops an unfinished epoch.
    pub fn start(&mut self) {
        self.losses.clear();
        self.progress = None;
    }
}

impl Hyperparameters {
    /// Computes the constants of the `t`-th update, counted from 1, and passes the rule to `apply`.
    pub(crate) fn rule<T: Real, A: Apply>(&self, t: u64, apply: A) -> A::Out {
        match self.rule {
            Rule::Sgd { momentum, nesterov } => {
                let (follow, ahead) = if nesterov { (momentum, -self.learning_rate) } else { (1.0, 0.0) };
                apply.apply(Momentum { l2: 0.0, keep: momentum, push: -self.learning_rate, follow, ahead })
            }
            Rule::Adam { beta_1, beta_2, epsilon } => {
                let corrected = |beta: f64| 1.0 - beta.powf(t as f64);
                let step = self.learning_rate * corrected(beta_2).sqrt() / corrected(beta_1);
                let eps = nonzero::<T>(epsilon);
                apply.apply(Moments { l2: 0.0, keep: 1.0, step, beta_1, beta_2, root: 1.0, eps })
            }
        }
    }

    /// The objective of a network with `loss` and `k` outputs.
    fn objective<T: Real>(self, loss: &Loss, k: usize) -> Objective {
        // scikit-learn reports the mean of squared errors over outputs, and follows the gradient of their sum.
        let is_mean = self.strict && matches!(loss, Loss::HalfSquaredError(_));
        Objective {
            sklearn: Some(self),
            clip: matches!(loss.link(), Link::Softmax | Link::Sigmoid).then(clip::<T>),
            // scikit-learn sums Poisson losses over outputs. Ours is their mean, so each row counts k times.
            times: Some(if matches!(loss, Loss::Poisson(_)) { k as f64 } else { 1.0 }),
            divisor: if is_mean { k as f64 } else { 1.0 },
            is_checked: false,
        }
    }
}

impl<T: Real> Network<T> {
    /// Continues `epochs` over `data`. Returns true once `most` epochs have been made since the start or patience has
    /// run out, and false if `keep_going` returned false; call it again then. A batch whose weights are all zero
    /// changes nothing.
    ///
    /// # Errors
    /// Any fault of the data; [`Error::Rows`] if `order` is not an order of its rows. The epoch under way is not
    /// counted.
    pub fn sklearn_epochs(
        &mut self,
        ws: &mut Workspace<T>,
        data: &Batch<'_, T>,
        epochs: &mut Epochs,
        most: usize,
        hyperparameters: &Hyperparameters,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<bool, Error> {
        self.check_batch(data)?;
        let (n, batch_size) = (data.x.rows(), epochs.batch_size);
        if batch_size == 0 {
            return Err(Error::BatchSize);
        }
        let wrong = epochs.order.iter().find(|&&row| row as usize >= n).map(|&row| row as usize);
        if epochs.order.len() != n || wrong.is_some() {
            return Err(Error::Rows { argument: "order", expected: n, got: wrong.unwrap_or(epochs.order.len()) });
        }
        let objective = hyperparameters.objective::<T>(&self.spec.loss, self.n_outputs());
        self.model().rouse(batch_size, usize::MAX);
        while epochs.losses.len() < most {
            let Epochs { order, twister, spare, progress, .. } = epochs;
            let mut here = progress.take().unwrap_or_else(|| {
                if let Some(twister) = twister {
                    twister.shuffle(order, spare);
                }
                Progress::new(n, batch_size)
            });
            if !self.batches(ws, data, Some(order), &mut here, &objective, 1, keep_going)? {
                epochs.progress = Some(here);
                return Ok(false);
            }
            let loss = here.loss();
            epochs.losses.push(loss);
            if epochs.patience.ends(loss) {
                break;
            }
            // An epoch may be a single step, so a caller must be able to interrupt between epochs too.
            if epochs.losses.len() < most && !keep_going() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the loss of a batch; writes its gradient, without dropout, to `flat` in the order of the parameters.
    ///
    /// With `strict`, squared errors are as scikit-learn's: the value is their mean over outputs, the gradient is that
    /// of their sum. Without it, both are of the sum.
    ///
    /// # Errors
    /// Any fault of the batch; [`Error::Memory`].
    ///
    /// # Panics
    /// If `flat` does not have `n_parameters` numbers.
    pub fn sklearn_gradient(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        alpha: f64,
        strict: bool,
        flat: &mut [T],
    ) -> Result<f64, Error> {
        // The rule is never used, so any will do.
        let rule = Rule::Sgd { momentum: 0.0, nesterov: false };
        let hyperparameters = Hyperparameters { alpha, learning_rate: 1.0, rule, strict };
        let objective = hyperparameters.objective::<T>(&self.spec.loss, self.n_outputs());
        self.gradient_of(ws, batch, false, &objective, flat)
    }
}

/// Σ wᵢ lᵢ over the rows of `tile`, each lᵢ clipped to least … most; of several sigmoid outputs, the loss of each
/// output.
pub(crate) fn clipped<T: Real>(
    model: &Model<'_, T>,
    ws: &Workspace<T>,
    batch: &Batch<'_, T>,
    tile: Tile<'_>,
    (least, most): (f64, f64),
) -> f64 {
    let chain = &model.plan.chain;
    let (last, k) = (chain.layers.len(), model.plan.n_outputs());
    let stride = chain.strides[last];
    let several = k > 1 && model.spec.loss.link() == Link::Sigmoid;
    let losses = tile.picks.iter().zip(&ws.head.row_loss).enumerate().map(|(i, (row, &loss))| {
        let loss = if several && loss > most {
            // The loss of an output is at most that of the row, so only here can one of them exceed the limit.
            let (a, y) = (&ws.chain.a[last][i * stride..][..k], &ws.head.y[i * stride..][..k]);
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

/// The smallest and the largest loss of a probability in [eps, 1 − eps].
fn clip<T: Real>() -> (f64, f64) {
    let eps = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    (-(-eps).ln_1p(), -eps.ln())
}

/// −ln p(y), where the raw output `a` gives y = 1 the probability sigmoid(a), and y is 0 or 1.
fn binary(a: f64, y: f64) -> f64 {
    let wrong = if y > 0.5 { -a } else { a };
    wrong.max(0.0) + (-wrong.abs()).exp().ln_1p()
}
