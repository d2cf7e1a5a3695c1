//! quantile:  l = (1/k) Σ_j max(q d_j, (q − 1) d_j) with d = y − a,  dl/da_j = −q/k where a_j < y_j, (1 − q)/k where
//! a_j > y_j, 0 where a_j = y_j. The q-quantile of y minimizes it; for q = ½ it is half of absolute_error.
//! Koenker & Bassett 1978, the "check" or pinball loss; scikit-learn's mean_pinball_loss.

use super::{RowLoss, TileLoss, TileTargets, mean_over_outputs};
use crate::check::within;
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Pinball loss; a quantile of y minimizes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// q, the share of targets below the best prediction, in (0, 1).
    pub quantile: f64,
}

impl RowLoss for Quantile {
    fn check(self) -> Result<(), String> {
        let q = self.quantile;
        within("quantile", q, 0.0 < q && q < 1.0, "greater than 0 and less than 1")
    }

    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        let Quantile { quantile: q } = self;
        mean_over_outputs(a, y, out, |a, y| {
            let d = y - a;
            let slope = if d > 0.0 {
                -q
            } else if d < 0.0 {
                1.0 - q
            } else {
                0.0
            };
            (f64::max(q * d, (q - 1.0) * d), slope)
        });
    }
}
