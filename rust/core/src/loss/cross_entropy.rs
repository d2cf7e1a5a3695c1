//! cross_entropy:  p = softmax(a),  l = −Σ_j y_j ln p_j,  dl/da_j = p_j Σ_k y_k − y_j. Labels c stand for y_c = 1.
//!
//! From the raw output: −ln p_j = log Σ_k exp(a_k) − a_j, and log Σ exp(a) = c + log Σ exp(a − c) with c = max a:
//! the largest term is exp(0), nothing overflows.   Bishop 2006, §4.3.4.

use super::{Link, RowLoss, TileLoss, TileTargets};
use crate::Error;
use chainrule_kernels::{Matrix, Real, Target, columns, rows};
use serde::{Deserialize, Serialize};

/// How far from 1 the probabilities of a row may sum: float32 rows of some thousand classes stay within it.
const SUM_TOLERANCE: f64 = 1e-4;

/// Cross-entropy of class probabilities, from logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropy {}

impl RowLoss for CrossEntropy {
    const LINK: Link = Link::Softmax;
    const LABELS: bool = true;
    const MIN_OUTPUTS: usize = 2;

    fn check<T: Real>(self, values: &[T], row: usize) -> Result<(), Error> {
        if let Some(column) = values.iter().position(|v| *v < T::default()) {
            return Err(Error::TargetRange {
                loss: "cross_entropy",
                value: values[column].to_f64(),
                row,
                column,
                range: "probabilities of at least 0",
            });
        }
        let sum: f64 = values.iter().map(|v| v.to_f64()).sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(Error::TargetSum { sum, row });
        }
        Ok(())
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
                        l += (y * (log_sum_exp[i] - a)).to_f64();
                        *d = (*d * sum - y) * scale;
                    }
                    *loss = l;
                }
            }
        }
    }

    fn has_columns(self, labels: bool) -> bool {
        labels
    }

    fn evaluate_columns<T: Real>(self, target: Target, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        let TileLoss { scale, mut d, row_loss, scratch: log_sum_exp } = out;
        let TileTargets::Labels(labels) = y else { unreachable!("asked for without has_columns") };
        columns::softmax(target, a, scale, d.reborrow(), log_sum_exp);
        let (a_stride, d_stride) = (a.stride(), d.stride());
        let (a, d) = (a.data(), d.data_mut());
        let rows = row_loss.iter_mut().zip(labels).zip(&*log_sum_exp).zip(scale);
        for (i, (((loss, &label), &log_sum_exp), &scale)) in rows.enumerate() {
            let label = label as usize;
            *loss = (log_sum_exp - a[label * a_stride + i]).to_f64();
            d[label * d_stride + i] -= scale;
        }
    }
}
