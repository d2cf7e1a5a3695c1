//! adamax:  m = β₁ m + (1 − β₁) g,  u = max(β₂ u, |g| + eps),  w ← w − learning_rate · m / ((1 − β₁ᵗ) u).
//! Kingma and Ba 2015, algorithm 2; eps as torch's, the paper has none.

use super::{Apply, Method, Rule, change, check_moments, correction, grown, mean, nonzero};
use chainrule_kernels::{self as kernels, Real, Vector};
use serde::{Deserialize, Serialize};

/// Adam with a decaying maximum of |g| in place of the root mean square.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adamax {
    /// Decay of m, the moving average of g, in [0, 1).
    pub beta_1: f64,
    /// Decay of u, the maximum of |g|, in [0, 1).
    pub beta_2: f64,
    /// Added to |g|, > 0.
    pub eps: f64,
}

#[derive(Clone, Copy)]
struct Step {
    step: f64,
    beta_1: f64,
    beta_2: f64,
    eps: f64,
}

impl kernels::Update for Step {
    const STATES: usize = 2;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [m, u, spare]: [V; 3], g: V) -> (V, [V; 3]) {
        let m = mean(m, g, self.beta_1);
        let u = (u * u.like(self.beta_2)).max(g.abs() + g.like(self.eps));
        ((m / u).fma(m.like(-self.step), w), [m, u, spare])
    }
}

impl Rule for Step {}

impl Method for Adamax {
    fn state_names(&self) -> &'static [&'static str] {
        &["m", "u"]
    }

    fn rule<T: Real, A: Apply>(&self, t: u64, learning_rate: f64, apply: A) -> A::Out {
        apply.apply(Step {
            step: learning_rate / correction(self.beta_1, t),
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            eps: nonzero::<T>(self.eps),
        })
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        // eps is added to a moment, so it must be finite as a T.
        grown(most, change::<T>(most, learning_rate / (1.0 - self.beta_1), self.eps).max(self.eps), 1.0, n)
    }

    fn check(&self) -> Result<(), String> {
        check_moments(self.beta_1, self.beta_2, self.eps)
    }
}
