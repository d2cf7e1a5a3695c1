//! rmsprop:  v = rho · v + (1 − rho) g²,  w ← w − learning_rate · g / (√v + eps).
//! Tieleman and Hinton 2012, lecture 6e. eps is outside the root, as torch's.

use super::{Apply, Method, Rule, change, grown, mean, nonzero};
use crate::check::{fraction, positive};
use chainrule_kernels::{self as kernels, Real, Vector};
use serde::{Deserialize, Serialize};

/// Gradient steps divided by the root mean square of recent gradients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsProp {
    /// Decay of v, the moving average of g², in [0, 1).
    pub rho: f64,
    /// Added to √v, > 0.
    pub eps: f64,
}

#[derive(Clone, Copy)]
struct Step {
    learning_rate: f64,
    rho: f64,
    eps: f64,
}

impl kernels::Update for Step {
    const STATES: usize = 1;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [v, ..]: [V; 3], g: V) -> (V, [V; 3]) {
        let v = mean(v, g * g, self.rho);
        let step = g / (v.sqrt() + v.like(self.eps));
        (step.fma(g.like(-self.learning_rate), w), [v; 3])
    }
}

impl Rule for Step {}

impl Method for RmsProp {
    fn state_names(&self) -> &'static [&'static str] {
        &["v"]
    }

    fn rule<T: Real, A: Apply>(&self, _t: u64, learning_rate: f64, apply: A) -> A::Out {
        apply.apply(Step { learning_rate, rho: self.rho, eps: nonzero::<T>(self.eps) })
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        grown(most, change::<T>(most, learning_rate, self.eps), 1.0, n)
    }

    fn check(&self) -> Result<(), String> {
        fraction("rho", self.rho)?;
        positive("eps", self.eps)
    }
}
