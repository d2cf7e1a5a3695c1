//! absolute_error:  l = (1/k) Σ_j |a_j − y_j|,  dl/da_j = sign(a_j − y_j) / k, 0 where a_j = y_j.
//! The median of y minimizes it. With its mean over outputs it is torch's L1Loss.   Laplace; Bloomfield & Steiger 1983.

use super::{RowLoss, TileLoss, TileTargets, mean_over_outputs};
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Mean absolute error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsoluteError {}

impl RowLoss for AbsoluteError {
    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        mean_over_outputs(a, y, out, |a, y| {
            let d = a - y;
            (d.abs(), if d == 0.0 { 0.0 } else { d.signum() })
        });
    }
}
