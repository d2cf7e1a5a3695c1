//! log_cosh:  l = (1/k) Σ_j ln cosh d_j with d = a − y,  dl/da_j = (1/k) tanh d_j. It is near ½ d² for small d, near
//! |d| − ln 2 for large d.   Keras's LogCosh.
//!
//! ln cosh d = |d| + ln(1 + exp(−2|d|)) − ln 2 never overflows, but loses all its digits for small d. There it is
//! computed as ½ ln(1 + sinh² d), since cosh² = 1 + sinh².

use super::{RowLoss, TileLoss, TileTargets, mean_over_outputs};
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Mean logarithm of the hyperbolic cosine of the differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogCosh {}

impl RowLoss for LogCosh {
    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        mean_over_outputs(a, y, out, |a, y| {
            let d = a - y;
            let l = if d.abs() < 1.0 {
                0.5 * d.sinh().powi(2).ln_1p()
            } else {
                d.abs() + (-2.0 * d.abs()).exp().ln_1p() - std::f64::consts::LN_2
            };
            (l, d.tanh())
        });
    }
}
