//! hinge:  l = (1/k) Σ_j max(0, 1 − y_j a_j) with y = ±1,  dl/da_j = −y_j / k where y_j a_j < 1, else 0. The loss of an
//! output is 0 once it lies on the right side of 0 by a margin of 1.   Cortes & Vapnik 1995; Keras's Hinge.

use super::{Domain, RowLoss, TileLoss, TileTargets, mean_over_outputs};
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Hinge loss: the amounts by which margins fall short of 1.
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
            // NaN is not ≤ 0, so it propagates.
            if lack <= 0.0 { (0.0, 0.0) } else { (lack, -y) }
        });
    }
}
