//! Training exactly as scikit-learn trains, for `chainrule.sklearn` only: its penalty, its loss and its update rules;
//! and predictions with the weights of its estimators, in predictor.rs.
//!
//! Forward, backward and kernels are those of every network. Four things differ:
//!
//! - The caller supplies the order of the rows.
//! - The penalty of a batch is ½ · alpha · ‖w‖² / Σ wᵢ.
//! - Losses are clipped, as if probabilities were clipped to [eps, 1 − eps].
//! - The loss of an epoch weights each batch by its number of rows.
//!
//! No option of a [`Spec`](crate::Spec) leads here.

mod predictor;
mod shuffle;

use crate::fit::Progress;
pub use crate::fit::{Hyperparameters, Rule};
use crate::{Batch, Error, Network, Real, Workspace};
pub use predictor::{Inputs, Memory, Predictor, Weights};
pub use shuffle::Twister;

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
