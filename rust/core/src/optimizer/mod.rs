//! Optimizers: how a gradient g changes the parameters w, with the moments that each keeps.
//!
//! The update rules and defaults are torch's where torch has them. To add one: a file beside this one, a line in the list
//! below, and its twin in the Python reference. A rule leaves a parameter that is 0 at 0 where g and all its moments are:
//! so the padding between rows stays 0.

use crate::check::{fraction, positive};
use chainrule_kernels::{self as kernels, Buffer, Machine, Real, Vector};

crate::registry::kind! {
    /// An optimizer with its hyperparameters.
    Optimizer by "name", each_optimizer, ($) {
        sgd::{Sgd => "sgd"},
        adam::{Adam => "adam"},
        adamw::{AdamW => "adamw"},
        amsgrad::{AmsGrad => "amsgrad"},
        adamax::{Adamax => "adamax"},
        nadam::{NAdam => "nadam"},
        radam::{RAdam => "radam"},
        rmsprop::{RmsProp => "rmsprop"},
        adagrad::{Adagrad => "adagrad"},
        adadelta::{Adadelta => "adadelta"},
        rprop::{Rprop => "rprop"},
        lion::{Lion => "lion"},
    }
}

pub(crate) use adam::Moments;
pub(crate) use sgd::{Momentum, Plain};

#[cfg(test)]
mod tests;

/// What training asks of any optimizer.
pub(crate) trait Update {
    /// Names of the moments that are kept, each as long as the parameters, zero at first.
    fn state_names(&self) -> &'static [&'static str];

    /// The step size, which may be changed between steps.
    fn learning_rate(&mut self) -> &mut f64;

    /// One update, the `t`-th counted from 1, of all parameters at once.
    fn update<T: Real>(&self, machine: Machine, t: u64, w: &mut [T], states: &mut [Buffer<T>], g: &[T]);

    /// Gives the rule of the `t`-th update to `pass`, which applies it to each part of the gradient as soon as its sums are
    /// there; false, and nothing done, for rules that are not worth the code (some 60 KB each).
    fn fused<T: Real>(&self, _t: u64, _pass: impl RulePass) -> bool {
        false
    }

    /// What is wrong with the hyperparameters, if anything (but for the learning rate).
    fn check(&self) -> Result<(), String>;
}

/// What is done with the rule of an update once the optimizer has worked it out.
pub(crate) trait RulePass {
    /// Whether rules of one moment are worth the code there.
    const ONE_MOMENT: bool;

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

    pub(crate) fn update<T: Real>(&self, machine: Machine, t: u64, w: &mut [T], states: &mut [Buffer<T>], g: &[T]) {
        each_optimizer!(self, o => o.update(machine, t, w, states, g));
    }

    /// As [`Update::fused`].
    pub(crate) fn fused<T: Real>(&self, t: u64, pass: impl RulePass) -> bool {
        each_optimizer!(self, o => o.fused::<T>(t, pass))
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let rate = self.learning_rate();
        if !(rate.is_finite() && rate > 0.0) {
            return Err(crate::Error::LearningRate { value: rate }.to_string());
        }
        each_optimizer!(self, o => o.check())
    }
}

/// decay · old + (1 − decay) · new: a running mean.
#[inline(always)]
fn mean<V: Vector>(old: V, new: V, decay: f64) -> V {
    new.fma(new.like(1.0 - decay), old * old.like(decay))
}

/// −1, 0 or 1.
#[inline(always)]
fn sign<V: Vector>(x: V) -> V {
    // `copysign` alone makes ±1 of ±0, and what has no gradient, padding too, would drift.
    V::select(x.eq(x.like(0.0)), x, x.like(1.0).copysign(x))
}

/// 1 − βᵗ: the share of t steps in a running mean that started at 0.
fn correction(beta: f64, t: u64) -> f64 {
    1.0 - beta.powf(t as f64)
}

/// `eps`, but never so small that it is 0 as a `T`: where g and the moments are 0, in padding too, 0 / 0 would be NaN.
pub(crate) fn nonzero<T: Real>(eps: f64) -> f64 {
    eps.max((T::from_f64(4.0) / T::MAX).to_f64()) // the smallest number that is not subnormal
}

/// What all of Adam's kin ask of their numbers.
fn check_moments(beta_1: f64, beta_2: f64, eps: f64) -> Result<(), String> {
    fraction("beta_1", beta_1)?;
    fraction("beta_2", beta_2)?;
    positive("eps", eps)
}
