//! adagrad:  v = min(v + g², largest number),  w ← w − learning_rate · g / (√v + eps).
//! Duchi, Hazan and Singer 2011, figure 1, with a diagonal matrix. eps is outside the root, as torch's.

use super::{Apply, Method, Rule, change, grown, nonzero};
use crate::check::positive;
use chainrule_kernels::{self as kernels, Real, Vector};
use serde::{Deserialize, Serialize};

/// Gradient steps divided by the root of the sum of all past g².
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adagrad {
    /// Added to √v, > 0.
    pub eps: f64,
}

#[derive(Clone, Copy)]
struct Step {
    learning_rate: f64,
    eps: f64,
    most: f64,
}

impl kernels::Update for Step {
    const STATES: usize = 1;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [v, ..]: [V; 3], g: V) -> (V, [V; 3]) {
        let v = g.fma(g, v).min(v.like(self.most));
        let step = g / (v.sqrt() + v.like(self.eps));
        (step.fma(g.like(-self.learning_rate), w), [v; 3])
    }
}

impl Rule for Step {}

impl Method for Adagrad {
    fn state_names(&self) -> &'static [&'static str] {
        &["v"]
    }

    fn rule<T: Real, A: Apply>(&self, _t: u64, learning_rate: f64, apply: A) -> A::Out {
        apply.apply(Step { learning_rate, eps: nonzero::<T>(self.eps), most: T::MAX.to_f64() })
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        // |g| ≤ √v, but where g² underflows. There |g| < 1 / most.
        grown(most, 2.0 * change::<T>(1.0 / most, learning_rate, self.eps), 1.0, n)
    }

    fn check(&self) -> Result<(), String> {
        positive("eps", self.eps)
    }
}
