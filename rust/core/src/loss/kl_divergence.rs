//! kl_divergence:  p = softmax(a),  l = Σ_j y_j (ln y_j − ln p_j) with 0 ln 0 = 0,  dl/da_j = p_j Σ_k y_k − y_j.
//! It is cross_entropy minus the entropy of y, and so 0 where p = y.
//! Kullback & Leibler 1951; torch's KLDivLoss of the log-softmax, with reduction "batchmean".

use super::{Domain, Link, RowLoss, TileLoss, TileTargets, cross_entropy, weighted};
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Kullback-Leibler divergence of the predicted class probabilities from the targets, from logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KlDivergence {}

impl RowLoss for KlDivergence {
    fn link(self) -> Link {
        Link::Softmax
    }

    fn domain(self) -> Domain {
        Domain::Probabilities
    }

    fn evaluate<T: Real>(self, machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        let TileLoss { scale, mut d, row_loss, scratch } = out;
        let surprise = TileLoss { scale, d: d.reborrow(), row_loss: &mut *row_loss, scratch };
        cross_entropy::evaluate(0.0, machine, a, y, surprise);
        // A label has no entropy.
        if let TileTargets::Values(y) = y {
            for (i, loss) in row_loss.iter_mut().enumerate() {
                *loss += y.row(i).iter().map(|y| weighted(y.to_f64(), y.to_f64().ln())).sum::<f64>();
            }
        }
    }
}
