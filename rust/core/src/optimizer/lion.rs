//! lion:  w ← w − learning_rate · (sign(β₁ m + (1 − β₁) g) + weight_decay · w),  then m = β₂ m + (1 − β₂) g.
//! Chen et al. 2023, algorithm 2. Not in torch.

use super::{Apply, Method, Rule, grown, mean, sign};
use crate::check::{fraction, not_negative};
use chainrule_kernels::{self as kernels, Real, Vector};
use serde::{Deserialize, Serialize};

/// Steps of one size, with the sign of a momentum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lion {
    /// Weight of m in the direction of a step, in [0, 1); g has the weight 1 − beta_1.
    pub beta_1: f64,
    /// Decay of m, the moving average of g, in [0, 1).
    pub beta_2: f64,
    /// Share of each parameter that an update subtracts, per unit of learning rate; ≥ 0.
    pub weight_decay: f64,
}

#[derive(Clone, Copy)]
struct Step {
    keep: f64,
    learning_rate: f64,
    beta_1: f64,
    beta_2: f64,
}

impl kernels::Update for Step {
    const STATES: usize = 1;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [m, ..]: [V; 3], g: V) -> (V, [V; 3]) {
        let direction = sign(mean(m, g, self.beta_1));
        let m = mean(m, g, self.beta_2);
        let w = w * w.like(self.keep);
        (direction.fma(w.like(-self.learning_rate), w), [m; 3])
    }
}

impl Rule for Step {}

impl Method for Lion {
    fn state_names(&self) -> &'static [&'static str] {
        &["m"]
    }

    fn rule<T: Real, A: Apply>(&self, _t: u64, learning_rate: f64, apply: A) -> A::Out {
        let &Lion { beta_1, beta_2, weight_decay } = self;
        apply.apply(Step { keep: 1.0 - learning_rate * weight_decay, learning_rate, beta_1, beta_2 })
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        grown(most, learning_rate, 1.0 - learning_rate * self.weight_decay, n)
    }

    fn check(&self) -> Result<(), String> {
        fraction("beta_1", self.beta_1)?;
        fraction("beta_2", self.beta_2)?;
        not_negative("weight_decay", self.weight_decay)
    }
}
