//! radam:  m, v and m̂ as adam's,  ρ_∞ = 2 / (1 − β₂) − 1,  ρ_t = ρ_∞ − 2 t β₂ᵗ / (1 − β₂ᵗ),
//!
//! ```text
//! ρ_t > 5    w ← w − learning_rate · m̂ · r √(1 − β₂ᵗ) / (√v + eps),
//!            r² = (ρ_t − 4)(ρ_t − 2) ρ_∞ / ((ρ_∞ − 4)(ρ_∞ − 2) ρ_t)
//! else       w ← w − learning_rate · m̂
//! ```
//!
//! The first steps have too few gradients to estimate v, and do without it.   Liu et al. 2020, algorithm 2, with
//! torch's bound of 5 (the paper's is 4) and torch's eps.

use super::adam::Moments;
use super::{Apply, Method, change, check_moments, correction, grown, nonzero};
use chainrule_kernels::Real;
use serde::{Deserialize, Serialize};

/// Adam that uses v only once its variance is small.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RAdam {
    /// Decay of m, the moving average of g, in [0, 1).
    pub beta_1: f64,
    /// Decay of v, the moving average of g², in [0, 1).
    pub beta_2: f64,
    /// Added to √v, > 0.
    pub eps: f64,
}

impl RAdam {
    /// r √(1 − β₂ᵗ), or None if ρ_t ≤ 5.
    fn rectification(&self, t: u64) -> Option<f64> {
        let old = self.beta_2.powf(t as f64);
        let rho_inf = 2.0 / (1.0 - self.beta_2) - 1.0;
        let rho = rho_inf - 2.0 * t as f64 * old / (1.0 - old);
        let r2 = (rho - 4.0) * (rho - 2.0) * rho_inf / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho);
        (rho > 5.0).then(|| (r2 * (1.0 - old)).sqrt())
    }
}

impl Method for RAdam {
    fn state_names(&self) -> &'static [&'static str] {
        &["m", "v"]
    }

    fn rule<T: Real, A: Apply>(&self, t: u64, learning_rate: f64, apply: A) -> A::Out {
        let step = learning_rate / correction(self.beta_1, t);
        // root = 0 and eps = 1 make the divisor 1: w ← w − step · m.
        let (step, root, eps) = match self.rectification(t) {
            Some(r) => (step * r, 1.0, nonzero::<T>(self.eps)),
            None => (step, 0.0, 1.0),
        };
        apply.apply(Moments { l2: 0.0, keep: 1.0, step, beta_1: self.beta_1, beta_2: self.beta_2, root, eps })
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        // The first updates divide by 1.
        grown(most, change::<T>(most, learning_rate / (1.0 - self.beta_1), self.eps.min(1.0)), 1.0, n)
    }

    fn check(&self) -> Result<(), String> {
        check_moments(self.beta_1, self.beta_2, self.eps)
    }
}
