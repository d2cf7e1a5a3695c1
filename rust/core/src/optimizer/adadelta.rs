//! adadelta:  v = rho · v + (1 − rho) g²,  Δ = g √(u + eps) / √(v + eps),  u = rho · u + (1 − rho) Δ²,
//! w ← w − learning_rate · Δ.   Zeiler 2012, algorithm 1, where learning_rate is 1.

use super::{Apply, Method, Rule, grown, mean, nonzero};
use crate::check::{fraction, positive};
use chainrule_kernels::{self as kernels, Real, Vector};
use serde::{Deserialize, Serialize};

/// Gradient steps scaled by the root mean square of past updates over that of past gradients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adadelta {
    /// Decay of both moving averages, in [0, 1).
    pub rho: f64,
    /// Added to u and v under the roots, > 0.
    pub eps: f64,
}

#[derive(Clone, Copy)]
struct Step {
    learning_rate: f64,
    rho: f64,
    eps: f64,
}

impl kernels::Update for Step {
    const STATES: usize = 2;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [v, u, spare]: [V; 3], g: V) -> (V, [V; 3]) {
        let v = mean(v, g * g, self.rho);
        // Two roots, because the quotient under a single root may underflow.
        let delta = (u + u.like(self.eps)).sqrt() / (v + v.like(self.eps)).sqrt() * g;
        let u = mean(u, delta * delta, self.rho);
        (delta.fma(g.like(-self.learning_rate), w), [v, u, spare])
    }
}

impl Rule for Step {}

impl Method for Adadelta {
    fn state_names(&self) -> &'static [&'static str] {
        &["v", "u"]
    }

    fn rule<T: Real, A: Apply>(&self, _t: u64, learning_rate: f64, apply: A) -> A::Out {
        apply.apply(Step { learning_rate, rho: self.rho, eps: nonzero::<T>(self.eps) })
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        // |g| / √(v + eps) ≤ 1 / √(1 − rho), so an update at most doubles u + eps.
        let u = (most + self.eps) * 2f64.powf(n + 1.0);
        grown(most, learning_rate.max(1.0) * (u / (1.0 - self.rho)).sqrt(), 1.0, n).max(u)
    }

    fn check(&self) -> Result<(), String> {
        fraction("rho", self.rho)?;
        positive("eps", self.eps)
    }
}
