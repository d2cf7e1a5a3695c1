//! amsgrad:  m and v as adam's,  v_max = max(v_max, v),
//! w ← w − learning_rate · m̂ / (√v̂_max + eps),  v̂_max = v_max / (1 − β₂ᵗ).
//! Reddi, Kale and Kumar 2018, algorithm 2, with torch's bias corrections; the paper has none.

use super::{Apply, Method, Rule, change, check_moments, correction, grown, mean, nonzero};
use chainrule_kernels::{self as kernels, Real, Vector};
use serde::{Deserialize, Serialize};

/// Adam with the largest v so far in place of v, so that the divisor never falls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmsGrad {
    /// Decay of m, the moving average of g, in [0, 1).
    pub beta_1: f64,
    /// Decay of v, the moving average of g², in [0, 1).
    pub beta_2: f64,
    /// Added to √v̂_max, > 0.
    pub eps: f64,
}

#[derive(Clone, Copy)]
struct Step {
    step: f64,
    beta_1: f64,
    beta_2: f64,
    root: f64,
    eps: f64,
}

impl kernels::Update for Step {
    const STATES: usize = 3;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [m, v, v_max]: [V; 3], g: V) -> (V, [V; 3]) {
        let m = mean(m, g, self.beta_1);
        let v = mean(v, g * g, self.beta_2);
        let v_max = v_max.max(v);
        let denominator = v_max.sqrt().fma(v.like(self.root), v.like(self.eps));
        ((m / denominator).fma(m.like(-self.step), w), [m, v, v_max])
    }
}

impl Rule for Step {}

impl Method for AmsGrad {
    fn state_names(&self) -> &'static [&'static str] {
        &["m", "v", "v_max"]
    }

    fn rule<T: Real, A: Apply>(&self, t: u64, learning_rate: f64, apply: A) -> A::Out {
        apply.apply(Step {
            step: learning_rate / correction(self.beta_1, t),
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            root: 1.0 / correction(self.beta_2, t).sqrt(),
            eps: nonzero::<T>(self.eps),
        })
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        grown(most, change::<T>(most, learning_rate / (1.0 - self.beta_1), self.eps), 1.0, n)
    }

    fn check(&self) -> Result<(), String> {
        check_moments(self.beta_1, self.beta_2, self.eps)
    }
}
