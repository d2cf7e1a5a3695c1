//! gaussian_nll:  for 2m outputs μ_1 … μ_m, s_1 … s_m:  v = eˢ + eps,  l = (1/m) Σ_j ½ (ln v_j + (y_j − μ_j)² / v_j),
//! dl/dμ = (μ − y) / v / m,  dl/ds = ½ (1 − (y − μ)² / v) eˢ / v / m.
//! The negative logarithm of the normal density, without the constant ½ ln 2π.   Nix & Weigend 1994; torch's
//! GaussianNLLLoss takes v itself.
//!
//! With r = exp(−|s − ln eps|), which never overflows: ln v = max(s, ln eps) + ln(1 + r), and
//! eˢ / v = sigmoid(s − ln eps), which is 1 / (1 + r) or r / (1 + r). (y − μ)² / v is computed as
//! (y − μ) · ((y − μ) / v), because the square may overflow where the quotient does not.

use super::{Link, RowLoss, TileLoss, TileTargets};
use crate::check::positive;
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Negative logarithm of the normal density, from means and logarithms of variances.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianNll {
    /// Added to every variance, > 0, so that the loss of a perfect mean stays finite.
    pub eps: f64,
}

impl GaussianNll {
    /// (l, dl/dμ, dl/ds) for one target.
    fn of_target(self, mean: f64, s: f64, y: f64) -> (f64, f64, f64) {
        let ln_eps = self.eps.ln();
        let r = (-(s - ln_eps).abs()).exp();
        let ln_v = s.max(ln_eps) + r.ln_1p();
        let share = if s > ln_eps { 1.0 / (1.0 + r) } else { r / (1.0 + r) };
        let d = mean - y;
        let d_mean = d / (s.exp() + self.eps);
        (0.5 * (ln_v + d * d_mean), d_mean, 0.5 * (1.0 - d * d_mean) * share)
    }
}

impl RowLoss for GaussianNll {
    fn link(self) -> Link {
        Link::MeanVariance { eps: self.eps }
    }

    fn targets(self, outputs: usize) -> usize {
        outputs / 2
    }

    fn check(self) -> Result<(), String> {
        positive("eps", self.eps)
    }

    fn check_outputs(self, outputs: usize) -> Result<(), String> {
        if outputs.is_multiple_of(2) {
            return Ok(());
        }
        Err(format!(
            "needs an even number of outputs, the means and then the logarithms of the variances, got {outputs}"
        ))
    }

    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        let TileLoss { scale, mut d, row_loss, .. } = out;
        let TileTargets::Values(y) = y else { unreachable!("labels are refused before any work") };
        let m = y.columns();
        let share = 1.0 / m as f64;
        for (i, loss) in row_loss.iter_mut().enumerate() {
            let (mean, s) = a.row(i).split_at(m);
            let (d_mean, d_s) = d.row_mut(i).split_at_mut(m);
            let mut sum = 0.0;
            for (j, y) in y.row(i).iter().enumerate() {
                let (l, slope_mean, slope_s) = self.of_target(mean[j].to_f64(), s[j].to_f64(), y.to_f64());
                sum += l;
                d_mean[j] = T::from_f64(share * slope_mean) * scale[i];
                d_s[j] = T::from_f64(share * slope_s) * scale[i];
            }
            *loss = share * sum;
        }
    }
}
