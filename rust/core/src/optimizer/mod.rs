//! Optimizers: how a gradient g changes the parameters w, with the moments that each keeps.
//!
//! The update rules and defaults are torch's. To add one: a file beside this one, a line in the list below, and its
//! twin in the Python reference.

use chainrule_kernels::{self as kernels, Buffer, Real, Target};

crate::registry::kind! {
    /// An optimizer with its hyperparameters.
    Optimizer by "name", each_optimizer, ($) {
        sgd::{Sgd => "sgd"},
        adam::{Adam => "adam"},
        adamw::{AdamW => "adamw"},
        rmsprop::{RmsProp => "rmsprop"},
    }
}

/// What training asks of any optimizer.
pub(crate) trait Update {
    /// Names of the moments that are kept, each as long as the parameters, zero at first.
    fn state_names(&self) -> &'static [&'static str];

    /// The step size, which may be changed between steps.
    fn learning_rate(&mut self) -> &mut f64;

    /// One update, the `t`-th counted from 1, of all parameters at once.
    fn update<T: Real>(&self, target: Target, t: u64, w: &mut [T], states: &mut [Buffer<T>], g: &[T]);

    /// Gives the rule of the `t`-th update to `pass`, which applies it to each part of the gradient as soon as its sums are
    /// there; false, and nothing done, for rules that are not worth the code (some 60 KB each).
    fn fused(&self, _t: u64, _pass: impl RulePass) -> bool {
        false
    }

    /// What is wrong with the hyperparameters, if anything (but for the learning rate).
    fn check(&self) -> Result<(), String>;
}

/// What is done with the rule of an update once the optimizer has worked it out.
pub(crate) trait RulePass {
    fn run(self, rule: impl kernels::Update);
}

impl Optimizer {
    /// Names of the moments that are kept, each as long as the parameters.
    pub fn state_names(&self) -> &'static [&'static str] {
        each_optimizer!(self, o => o.state_names())
    }

    /// Step size, > 0, per step.
    pub fn learning_rate(&self) -> f64 {
        let mut copy = *self;
        *copy.learning_rate_mut()
    }

    pub(crate) fn learning_rate_mut(&mut self) -> &mut f64 {
        each_optimizer!(self, o => o.learning_rate())
    }

    pub(crate) fn update<T: Real>(&self, target: Target, t: u64, w: &mut [T], states: &mut [Buffer<T>], g: &[T]) {
        each_optimizer!(self, o => o.update(target, t, w, states, g));
    }

    /// As [`Update::fused`].
    pub(crate) fn fused(&self, t: u64, pass: impl RulePass) -> bool {
        each_optimizer!(self, o => o.fused(t, pass))
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let rate = self.learning_rate();
        if !(rate.is_finite() && rate > 0.0) {
            return Err(crate::Error::LearningRate { value: rate }.to_string());
        }
        each_optimizer!(self, o => o.check())
    }
}

/// Refuses a decay rate outside [0, 1).
fn fraction(name: &str, value: f64) -> Result<(), String> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(format!("{name} must be at least 0 and less than 1, got {value}"))
}

/// Refuses what is not finite and greater than zero.
fn positive(name: &str, value: f64) -> Result<(), String> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(format!("{name} must be finite and greater than 0, got {value}"))
}
