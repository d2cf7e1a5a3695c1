//! cross_entropy:  p = softmax(a),  l = −Σ_j y_j ln p_j,  dl/da_j = p_j Σ_k y_k − y_j.
//! A label c stands for y_c = 1 and 0 elsewhere. label_smoothing ε replaces y by (1 − ε) y + ε / k, for k classes.
//! Bishop 2006, §4.3.4; Szegedy et al. 2016, §7.
//!
//! From the raw output: −ln p_j = ln Σ_k exp(a_k) − a_j, and ln Σ exp(a) = c + ln Σ exp(a − c) with c = max a. The
//! largest term is exp(0), so nothing overflows.

use super::{Columns, Domain, Link, RowLoss, TileLoss, TileTargets, weighted};
use crate::check::fraction;
use chainrule_kernels::{Machine, Matrix, Real, rows};
use serde::{Deserialize, Serialize};

/// Cross-entropy of class probabilities, from logits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropy {
    /// ε, the share of y that is spread evenly over all classes, in [0, 1).
    pub label_smoothing: f64,
}

impl RowLoss for CrossEntropy {
    fn link(self) -> Link {
        Link::Softmax
    }

    fn domain(self) -> Domain {
        Domain::Probabilities
    }

    fn check(self) -> Result<(), String> {
        let smoothing = self.label_smoothing;
        fraction("label_smoothing", smoothing)
    }

    fn evaluate<T: Real>(self, machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        evaluate(self.label_smoothing, machine, a, y, out);
    }

    fn columns(self, labels: bool, _outputs: usize) -> Option<Columns> {
        (labels && self.label_smoothing == 0.0).then_some(Columns::CrossEntropy)
    }
}

/// The loss and its derivative for each row.
pub(super) fn evaluate<T: Real>(
    label_smoothing: f64,
    machine: Machine,
    a: Matrix<'_, T>,
    y: TileTargets<'_, T>,
    out: TileLoss<'_, T>,
) {
    let TileLoss { scale, mut d, row_loss, scratch: log_sum_exp } = out;
    rows::softmax(machine, a, d.reborrow(), log_sum_exp);
    let (keep, all) = (1.0 - label_smoothing, label_smoothing / a.columns() as f64);
    let (keep_t, all_t) = (T::from_f64(keep), T::from_f64(all));
    for (i, loss) in row_loss.iter_mut().enumerate() {
        let (a, d, scale) = (a.row(i), d.row_mut(i), scale[i]);
        let surprise = |a: T| (log_sum_exp[i] - a).to_f64();
        match y {
            TileTargets::Labels(labels) => {
                let label = labels[i] as usize;
                *loss = keep * surprise(a[label]);
                if all > 0.0 {
                    *loss += all * a.iter().map(|&a| surprise(a)).sum::<f64>();
                }
                d.iter_mut().for_each(|d| *d = (*d - all_t) * scale);
                d[label] -= keep_t * scale;
            }
            TileTargets::Values(y) => {
                let y = y.row(i).iter().map(|&y| keep_t * y + all_t);
                let sum = y.clone().fold(T::default(), |sum, y| sum + y);
                let mut l = 0.0;
                for ((d, &a), y) in d.iter_mut().zip(a).zip(y) {
                    l += weighted(y.to_f64(), surprise(a));
                    *d = (*d * sum - y) * scale;
                }
                *loss = l;
            }
        }
    }
}
