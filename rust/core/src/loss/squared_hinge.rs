//! squared_hinge:  l = (1/k) Σ_j max(0, 1 − y_j a_j)² with y = ±1,  dl/da_j = −(2/k) y_j max(0, 1 − y_j a_j).
//! Unlike hinge it has no kink.   Keras's SquaredHinge.

use super::{Domain, RowLoss, TileLoss, TileTargets, mean_over_outputs};
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Squared hinge loss: the squares of the amounts by which margins fall short of 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SquaredHinge {}

impl RowLoss for SquaredHinge {
    fn domain(self) -> Domain {
        Domain::Sides
    }

    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        mean_over_outputs(a, y, out, |a, y| {
            let lack = 1.0 - y * a;
            // NaN is not ≤ 0, so it propagates.
            if lack <= 0.0 { (0.0, 0.0) } else { (lack * lack, -2.0 * y * lack) }
        });
    }
}
