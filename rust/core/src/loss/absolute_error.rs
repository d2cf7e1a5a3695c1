//! absolute_error:  l = (1/k) Σ_j |a_j − y_j|,  dl/da_j = ±1/k on either side of y_j, 0 where a_j = y_j. Its minimum is
//! the median. The mean over outputs is torch's L1Loss.   Laplace; Bloomfield & Steiger 1983.

use super::{RowLoss, TileLoss, TileTargets, mean_over_outputs};
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// The mean of absolute differences.
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
