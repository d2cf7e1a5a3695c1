//! binary_cross_entropy:  p = sigmoid(a),  l = −Σ_j [y_j ln p_j + (1 − y_j) ln(1 − p_j)],  dl/da_j = p_j − y_j.
//!
//! From the raw output: l = Σ_j max(a, 0) − a y + log(1 + exp(−|a|)); no exponential of a positive number, no
//! logarithm of a rounded probability. The sum over outputs, as torch's BCEWithLogitsLoss with its mean over
//! outputs undone.

use super::{Link, RowLoss, TileLoss, TileTargets};
use crate::Error;
use chainrule_kernels::{Matrix, Real, Target};
use serde::{Deserialize, Serialize};

/// Cross-entropy of independent yes-or-no outputs, from logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryCrossEntropy {}

impl RowLoss for BinaryCrossEntropy {
    const LINK: Link = Link::Sigmoid;

    fn check<T: Real>(self, values: &[T], row: usize) -> Result<(), Error> {
        let range = T::default()..=T::from_f64(1.0);
        match values.iter().position(|v| !range.contains(v)) {
            None => Ok(()),
            Some(column) => Err(Error::TargetRange {
                loss: "binary_cross_entropy",
                value: values[column].to_f64(),
                row,
                column,
                range: "values from 0 to 1",
            }),
        }
    }

    fn evaluate<T: Real>(self, _target: Target, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        let TileLoss { scale, mut d, row_loss, .. } = out;
        let TileTargets::Values(y) = y else { unreachable!("labels are refused before any work") };
        for (i, loss) in row_loss.iter_mut().enumerate() {
            let mut l = 0.0;
            for ((d, &a), &y) in d.row_mut(i).iter_mut().zip(a.row(i)).zip(y.row(i)) {
                let (a, y) = (a.to_f64(), y.to_f64());
                let e = (-a.abs()).exp();
                l += a.max(0.0) - a * y + e.ln_1p();
                let p = if a >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) };
                *d = T::from_f64(p - y) * scale[i];
            }
            *loss = l;
        }
    }
}
