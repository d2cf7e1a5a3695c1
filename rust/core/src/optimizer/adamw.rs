//! adamw:  w ← (1 − learning_rate · weight_decay) w, then a step of Adam. The decay is decoupled from the gradient
//! and takes every parameter, biases too, as torch's.   Loshchilov and Hutter 2019, algorithm 2.

use super::{Adam, Moments, RulePass, Update};
use crate::check::not_negative;
use chainrule_kernels::{Buffer, Machine, Real, elementwise};
use serde::{Deserialize, Serialize};

/// Adam with decoupled weight decay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamW {
    /// Step size, > 0.
    pub learning_rate: f64,
    /// Decay of the mean of g, in [0, 1).
    pub beta_1: f64,
    /// Decay of the mean of g², in [0, 1).
    pub beta_2: f64,
    /// Added to √v̂, > 0.
    pub eps: f64,
    /// Share of each parameter that a step of size 1 takes away, ≥ 0.
    pub weight_decay: f64,
}

impl AdamW {
    fn adam(&self) -> Adam {
        Adam { learning_rate: self.learning_rate, beta_1: self.beta_1, beta_2: self.beta_2, eps: self.eps }
    }

    fn rule<T: Real>(&self, t: u64) -> Moments {
        self.adam().rule::<T>(1.0 - self.learning_rate * self.weight_decay, t)
    }
}

impl Update for AdamW {
    fn state_names(&self) -> &'static [&'static str] {
        self.adam().state_names()
    }

    fn learning_rate(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    fn update<T: Real>(&self, machine: Machine, t: u64, w: &mut [T], states: &mut [Buffer<T>], g: &[T]) {
        elementwise::update(machine, w, states, g, self.rule::<T>(t));
    }

    fn fused<T: Real>(&self, t: u64, pass: impl RulePass) -> bool {
        pass.run(self.rule::<T>(t));
        true
    }

    fn check(&self) -> Result<(), String> {
        self.adam().check()?;
        not_negative("weight_decay", self.weight_decay)
    }
}
