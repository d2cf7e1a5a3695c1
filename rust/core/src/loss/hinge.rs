//! hinge:  l = (1/k) Σ_j max(0, 1 − y_j a_j) with y = ±1,  dl/da_j = −y_j / k where y_j a_j < 1, else 0. An output
//! counts until it lies on the right side of 0 with a margin of 1.   Cortes & Vapnik 1995; Keras's Hinge.

use super::{Domain, RowLoss, TileLoss, TileTargets, mean_over_outputs};
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Margins that are too small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hinge {}

impl RowLoss for Hinge {
    fn domain(self) -> Domain {
        Domain::Sides
    }

    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        mean_over_outputs(a, y, out, |a, y| {
            let lack = 1.0 - y * a;
            // So that NaN stays.
            if lack <= 0.0 { (0.0, 0.0) } else { (lack, -y) }
        });
    }
}
