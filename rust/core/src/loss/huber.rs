//! huber:  l = (1/k) Σ_j h(d_j) with d = a − y,  h(d) = ½ d² where |d| ≤ delta, else delta (|d| − ½ delta);
//! h'(d) = min(max(d, −delta), delta). The loss of an outlier grows with its distance, not with the square.
//! Huber 1964.

use super::{RowLoss, TileLoss, TileTargets, mean_over_outputs};
use crate::check::positive;
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Quadratic near the target, linear far from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Huber {
    /// The distance from the target where the quadratic part ends, > 0.
    pub delta: f64,
}

impl RowLoss for Huber {
    fn check(self) -> Result<(), String> {
        positive("delta", self.delta)
    }

    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        let Huber { delta } = self;
        mean_over_outputs(a, y, out, |a, y| {
            let d = a - y;
            let l = if d.abs() <= delta { 0.5 * d * d } else { delta * (d.abs() - 0.5 * delta) };
            (l, d.clamp(-delta, delta))
        });
    }
}
