//! adam:  m = β₁ m + (1 − β₁) g,  v = β₂ v + (1 − β₂) g²,
//! w ← w − learning_rate · m̂ / (√v̂ + eps),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ).   Kingma and Ba 2015, algorithm 1.

use super::{Apply, Fuses, Method, Rule, change, check_moments, correction, grown, mean, nonzero};
use chainrule_kernels::{self as kernels, Real, Vector};
use serde::{Deserialize, Serialize};

/// Adaptive moment estimation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// Decay of m, the moving average of g, in [0, 1).
    pub beta_1: f64,
    /// Decay of v, the moving average of g², in [0, 1).
    pub beta_2: f64,
    /// Added to √v̂, > 0.
    pub eps: f64,
}

/// w ← keep · w − step · m / (root · √v + eps), with g + l2 · w for g: the rule of Adam and its relatives. `step` and
/// `root` hold the bias corrections. The relatives share one rule because each rule is compiled into many kernels.
#[derive(Clone, Copy)]
pub(crate) struct Moments {
    pub(crate) l2: f64,
    pub(crate) keep: f64,
    pub(crate) step: f64,
    pub(crate) beta_1: f64,
    pub(crate) beta_2: f64,
    pub(crate) root: f64,
    pub(crate) eps: f64,
}

impl kernels::Update for Moments {
    const STATES: usize = 2;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [m, v, spare]: [V; 3], g: V) -> (V, [V; 3]) {
        let g = w.fma(w.like(self.l2), g);
        let m = mean(m, g, self.beta_1);
        let v = mean(v, g * g, self.beta_2);
        // √v̂ = root · √v with root = 1 / √(1 − β₂ᵗ);
        // learning_rate · m̂ = step · m with step = learning_rate / (1 − β₁ᵗ).
        let denominator = v.sqrt().fma(v.like(self.root), v.like(self.eps));
        let w = w * w.like(self.keep);
        ((m / denominator).fma(m.like(-self.step), w), [m, v, spare])
    }
}

impl Rule for Moments {
    const FUSES: Fuses = Fuses::Everywhere;
    fn with_l2(self, l2: f64) -> Self {
        Moments { l2, ..self }
    }
}

impl Adam {
    /// The rule of the `t`-th update. It multiplies every parameter by `keep` first.
    pub(super) fn moments<T: Real>(&self, keep: f64, t: u64, learning_rate: f64) -> Moments {
        Moments {
            l2: 0.0,
            keep,
            step: learning_rate / correction(self.beta_1, t),
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            root: 1.0 / correction(self.beta_2, t).sqrt(),
            eps: nonzero::<T>(self.eps),
        }
    }
}

impl Method for Adam {
    fn state_names(&self) -> &'static [&'static str] {
        &["m", "v"]
    }

    fn rule<T: Real, A: Apply>(&self, t: u64, learning_rate: f64, apply: A) -> A::Out {
        apply.apply(self.moments::<T>(1.0, t, learning_rate))
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        grown(most, change::<T>(most, learning_rate / (1.0 - self.beta_1), self.eps), 1.0, n)
    }

    fn check(&self) -> Result<(), String> {
        check_moments(self.beta_1, self.beta_2, self.eps)
    }
}
