//! adamw:  w ← (1 − learning_rate · weight_decay) w, then a step of Adam. The decay is decoupled from the gradient. It
//! applies to every parameter, biases included, as torch's.   Loshchilov and Hutter 2019, algorithm 2.

use super::{Adam, Apply, Method, grown};
use crate::check::not_negative;
use chainrule_kernels::Real;
use serde::{Deserialize, Serialize};

/// Adam with decoupled weight decay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamW {
    /// Decay of m, the moving average of g, in [0, 1).
    pub beta_1: f64,
    /// Decay of v, the moving average of g², in [0, 1).
    pub beta_2: f64,
    /// Added to √v̂, > 0.
    pub eps: f64,
    /// Share of each parameter that an update subtracts, per unit of learning rate; ≥ 0.
    pub weight_decay: f64,
}

impl AdamW {
    fn adam(&self) -> Adam {
        Adam { beta_1: self.beta_1, beta_2: self.beta_2, eps: self.eps }
    }
}

impl Method for AdamW {
    fn state_names(&self) -> &'static [&'static str] {
        self.adam().state_names()
    }

    fn rule<T: Real, A: Apply>(&self, t: u64, learning_rate: f64, apply: A) -> A::Out {
        apply.apply(self.adam().moments::<T>(1.0 - learning_rate * self.weight_decay, t, learning_rate))
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        let adam = self.adam().largest::<T>(most, learning_rate, n);
        grown(adam, 0.0, 1.0 - learning_rate * self.weight_decay, n)
    }

    fn check(&self) -> Result<(), String> {
        self.adam().check()?;
        not_negative("weight_decay", self.weight_decay)
    }
}
