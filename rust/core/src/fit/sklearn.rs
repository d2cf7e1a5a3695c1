//! The objective and the rules of scikit-learn, as values that a step takes: its scalings of penalty and loss, its form of
//! the updates.

use super::Objective;
use crate::loss::{Link, Loss};
use crate::optimizer::{Apply, Moments, Momentum, nonzero};
use crate::pass::{Model, Tile};
use crate::{Batch, Real, Workspace};

/// The hyperparameters of scikit-learn's updates and penalty, with scikit-learn's names.
#[derive(Clone, Copy, Debug)]
pub struct Hyperparameters {
    /// ½ · alpha · ‖w‖² / Σ wᵢ is added to the loss of a batch.
    pub alpha: f64,
    /// Step size of each update.
    pub learning_rate: f64,
    /// The update rule. The network's optimizer must have the same number of moments.
    pub rule: Rule,
    /// See [`Network::sklearn_gradient`](crate::Network::sklearn_gradient).
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
    pub(crate) fn objective<T: Real>(self, loss: &Loss, k: usize) -> Objective {
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
