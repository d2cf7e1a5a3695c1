//! What a step minimises, and by what rule: all in which the training of this library and that of scikit-learn differ.

use super::sklearn;
use crate::optimizer::{Apply, AskFuses, Fuses, Optimizer};
use crate::pass::Tile;
use crate::tensor::{Group, Tensor};
use crate::{Batch, Real};

/// The form of the loss of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Objective {
    /// Alpha and the update rule of scikit-learn, in place of the layers' own penalties and the optimizer.
    pub(crate) sklearn: Option<sklearn::Hyperparameters>,
    /// Losses of a row are held in this range.
    pub(crate) clip: Option<(f64, f64)>,
    /// How often a row counts; a batch of several tiles is the sum of the means of its tiles.
    pub(crate) times: Option<f64>,
    /// The value of the loss is divided by this, its gradient is not.
    pub(crate) divisor: f64,
    /// Whether a loss or a gradient that is not finite is refused.
    pub(crate) is_checked: bool,
}

impl Objective {
    /// That of this library: Σ wᵢ lᵢ / Σ wᵢ + Σ ½ l2 ‖w‖².
    pub(crate) const OWN: Objective =
        Objective { sklearn: None, clip: None, times: None, divisor: 1.0, is_checked: true };

    /// The rule of an update, which is `optimizer`'s unless scikit-learn's hyperparameters say otherwise.
    pub(crate) fn rule<'a>(&'a self, optimizer: &'a Optimizer) -> UpdateRule<'a> {
        self.sklearn.as_ref().map_or(UpdateRule::Of(optimizer), UpdateRule::Sklearn)
    }

    /// The factor of ½ ‖w‖² for a tensor, in a batch whose weights sum to `weight`.
    pub(crate) fn l2(&self, tensor: &Tensor, weight: f64) -> f64 {
        match self.sklearn {
            None => tensor.declared.l2,
            Some(sklearn) if tensor.declared.group == Group::Weight => sklearn.alpha / weight,
            Some(_) => 0.0,
        }
    }

    /// Whether weights are penalised, where the layers say `own`.
    pub(crate) fn has_penalty(&self, own: bool) -> bool {
        self.sklearn.map_or(own, |sklearn| sklearn.alpha != 0.0)
    }

    /// What the weights of the rows are divided by, in a batch whose weights sum to `weight`.
    pub(crate) fn scale(&self, weight: f64) -> f64 {
        weight / self.times.unwrap_or(1.0)
    }

    /// The part of a tile in the sum over tiles, from its Σ wᵢ lᵢ, layer by layer.
    pub(crate) fn of_tile(&self, sum: f64, weight: f64) -> f64 {
        let value = self.value(sum);
        if self.times.is_some() { value / self.scale(weight) } else { value }
    }

    /// The loss of a batch from the sum over its tiles, layer by layer.
    pub(crate) fn of_batch(&self, sum: f64, weight: f64) -> f64 {
        if self.times.is_some() { sum } else { sum / weight }
    }

    /// Σ wᵢ lᵢ of the rows of a tile in a small network.
    #[inline(always)]
    pub(crate) fn of_rows<T: Real>(&self, batch: &Batch<'_, T>, tile: Tile<'_>, losses: &[T]) -> f64 {
        match self.clip {
            None => self.value(batch.weighted_sum(tile.picks, losses, T::to_f64)),
            Some((least, most)) => {
                let clipped = |loss: T| loss.to_f64().clamp(least, most);
                self.value(batch.weighted_sum(tile.picks, losses, clipped))
            }
        }
    }

    /// A sum of losses over the divisor. A division that changes nothing would still take 2 % of the shortest steps.
    #[inline(always)]
    fn value(&self, sum: f64) -> f64 {
        if self.divisor == 1.0 { sum } else { sum / self.divisor }
    }
}

/// Where the rule of an update comes from.
#[derive(Clone, Copy)]
pub(crate) enum UpdateRule<'a> {
    Of(&'a Optimizer),
    Sklearn(&'a sklearn::Hyperparameters),
}

impl UpdateRule<'_> {
    /// Works out the rule of the `t`-th update, counted from 1, and hands it to `apply`.
    pub(crate) fn rule<T: Real, A: Apply>(&self, t: u64, apply: A) -> A::Out {
        match self {
            UpdateRule::Of(optimizer) => optimizer.rule::<T, A>(t, apply),
            UpdateRule::Sklearn(hyperparameters) => hyperparameters.rule::<T, A>(t, apply),
        }
    }

    /// Where the rules fuse.
    pub(crate) fn fuses<T: Real>(&self) -> Fuses {
        self.rule::<T, _>(1, AskFuses)
    }
}
