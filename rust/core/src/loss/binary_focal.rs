//! binary_focal:  p = sigmoid(a),  l = Σ_j [alpha y_j f(ln p_j) + (1 − alpha) (1 − y_j) f(ln(1 − p_j))],
//! dl/da = alpha y g(ln p) (1 − p) − (1 − alpha) (1 − y) g(ln(1 − p)) p,  with f of focal.rs, g = f' and
//! d ln p / da = 1 − p. It sums over outputs, as binary_cross_entropy does.
//! Lin et al. 2017, §3; torchvision's sigmoid_focal_loss where y is 0 or 1.
//!
//! ln p = min(a, 0) − ln(1 + exp(−|a|)); ln(1 − p) is the same with −a for a.

use super::{Domain, Link, RowLoss, TileLoss, TileTargets, focal::focused, sum_over_outputs, weighted};
use crate::check::{not_negative, within};
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Cross-entropy of independent binary outputs, from logits, with less weight on outputs that are already right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryFocal {
    /// Exponent of 1 − p, ≥ 0. The larger it is, the less right outputs count.
    pub gamma: f64,
    /// Weight of y = 1, in [0, 1]; y = 0 has the weight 1 − alpha.
    pub alpha: f64,
}

impl RowLoss for BinaryFocal {
    fn link(self) -> Link {
        Link::Sigmoid
    }

    fn domain(self) -> Domain {
        Domain::Fractions
    }

    fn check(self) -> Result<(), String> {
        not_negative("gamma", self.gamma)?;
        within("alpha", self.alpha, (0.0..=1.0).contains(&self.alpha), "from 0 to 1")
    }

    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        let BinaryFocal { gamma, alpha } = self;
        sum_over_outputs(a, y, out, |a, y| {
            let e = (-a.abs()).exp();
            let (near, far) = (1.0 / (1.0 + e), e / (1.0 + e));
            let (p, q) = if a >= 0.0 { (near, far) } else { (far, near) };
            let (yes, g_yes) = focused(gamma, a.min(0.0) - e.ln_1p());
            let (no, g_no) = focused(gamma, (-a).min(0.0) - e.ln_1p());
            let (w_yes, w_no) = (alpha * y, (1.0 - alpha) * (1.0 - y));
            (weighted(w_yes, yes) + weighted(w_no, no), w_yes * g_yes * q - w_no * g_no * p)
        });
    }
}
