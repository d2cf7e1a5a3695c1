//! cross_entropy:  p = softmax(a),  l = −Σ_j y_j ln p_j,  dl/da_j = p_j Σ_k y_k − y_j. Labels c stand for y_c = 1.
//!
//! From the raw output: −ln p_j = log Σ_k exp(a_k) − a_j, and log Σ exp(a) = c + log Σ exp(a − c) with c = max a:
//! the largest term is exp(0), nothing overflows.   Bishop 2006, §4.3.4.

use super::{Link, RowLoss, TileLoss, TileTargets, weighted};
use chainrule_kernels::{Matrix, Real, Target, rows};
use serde::{Deserialize, Serialize};

/// Cross-entropy of class probabilities, from logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropy {}

impl RowLoss for CrossEntropy {
    fn link(self) -> Link {
        Link::Softmax
    }

    fn takes_labels(self) -> bool {
        true
    }

    fn allows(self, y: f64) -> bool {
        y >= 0.0
    }

    fn takes(self) -> &'static str {
        "probabilities of at least 0"
    }

    fn evaluate<T: Real>(self, target: Target, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        let TileLoss { scale, mut d, row_loss, scratch: log_sum_exp } = out;
        rows::softmax(target, a, d.reborrow(), log_sum_exp);
        for (i, loss) in row_loss.iter_mut().enumerate() {
            let (a, d, scale) = (a.row(i), d.row_mut(i), scale[i]);
            match y {
                TileTargets::Labels(labels) => {
                    let label = labels[i] as usize;
                    *loss = (log_sum_exp[i] - a[label]).to_f64();
                    d.iter_mut().for_each(|d| *d *= scale);
                    d[label] -= scale;
                }
                TileTargets::Values(y) => {
                    let y = y.row(i);
                    let sum = y.iter().fold(T::default(), |sum, &y| sum + y);
                    let mut l = 0.0;
                    for ((d, &a), &y) in d.iter_mut().zip(a).zip(y) {
                        l += weighted(y.to_f64(), (log_sum_exp[i] - a).to_f64());
                        *d = (*d * sum - y) * scale;
                    }
                    *loss = l;
                }
            }
        }
    }
}
