//! Optimizers: how a gradient g changes the parameters w, with the moments that each keeps.
//!
//! The update rules and defaults are torch's where torch has them. To add one: a file beside this one, a line in the list
//! below, and its twin in the Python reference. A rule leaves a parameter that is 0 at 0 where g and all its moments are:
//! so the padding between rows stays 0.

use crate::check::{fraction, positive};
use crate::schedule::Schedule;
use chainrule_kernels::{self as kernels, Buffer, Machine, Real, Vector, elementwise};
use serde::{Deserialize, Serialize};

crate::kind::kind! {
    /// An update rule with its hyperparameters, but for the learning rate.
    #[derive(Copy)]
    Methods by "name", each_method, ($) {
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

/// An optimizer: its method, and the learning rate as a function of the update.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    /// Step size, > 0, per update.
    pub learning_rate: Schedule,
    /// The rest.
    #[serde(flatten)]
    pub method: Methods,
}

/// What training asks of any method.
pub(crate) trait Method {
    /// Names of the moments that are kept, each as long as the parameters, zero at first.
    fn state_names(&self) -> &'static [&'static str];

    /// Works out the rule of the `t`-th update, counted from 1, and hands it to `apply`.
    fn rule<T: Real, A: Apply>(&self, t: u64, learning_rate: f64, apply: A) -> A::Out;

    /// What is wrong with the hyperparameters, if anything.
    fn check(&self) -> Result<(), String>;
}

/// The rule of one update: a method with its numbers worked out.
pub(crate) trait Rule: kernels::Update {
    /// Where the rule is compiled into the kernels that make a gradient. Elsewhere it reads the gradient from memory.
    const FUSES: Fuses = Fuses::Nowhere;

    /// The same rule along g + l2 · w. Rules that fuse nowhere find the penalty in the gradient.
    #[must_use]
    fn with_l2(self, l2: f64) -> Self {
        debug_assert!(l2 == 0.0, "a rule that is not fused");
        self
    }
}

/// Which kernels take a gradient from registers: a rule costs some 60 KB of code in each group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Fuses {
    Nowhere,
    InSmallNetworks,
    Everywhere,
}

/// What is done with the rule of an update.
pub(crate) trait Apply {
    type Out;
    fn apply<R: Rule>(self, rule: R) -> Self::Out;
}

/// w ← rule(w, g) of all parameters at once, from a gradient in memory.
pub(crate) struct FromMemory<'a, T> {
    pub(crate) machine: Machine,
    pub(crate) parameters: &'a mut [T],
    pub(crate) states: &'a mut [Buffer<T>],
    pub(crate) gradient: &'a [T],
}

impl<T: Real> Apply for FromMemory<'_, T> {
    type Out = ();
    fn apply<R: Rule>(self, rule: R) {
        elementwise::update(self.machine, self.parameters, self.states, self.gradient, rule);
    }
}

/// Asks a rule where it fuses.
pub(crate) struct AskFuses;

impl Apply for AskFuses {
    type Out = Fuses;
    fn apply<R: Rule>(self, _: R) -> Fuses {
        R::FUSES
    }
}

impl Optimizer {
    /// Every name in the list.
    pub const NAMES: &'static [&'static str] = Methods::NAMES;

    /// The name of the method.
    pub fn name(&self) -> &'static str {
        self.method.name()
    }

    /// Names of the moments that are kept, each as long as the parameters.
    pub fn state_names(&self) -> &'static [&'static str] {
        each_method!(&self.method, m => m.state_names())
    }

    /// Works out the rule of the `t`-th update, counted from 1, and hands it to `apply`.
    pub(crate) fn rule<T: Real, A: Apply>(&self, t: u64, apply: A) -> A::Out {
        let learning_rate = self.learning_rate.at(t);
        each_method!(&self.method, m => m.rule::<T, A>(t, learning_rate, apply))
    }

    /// Where the rules of this optimizer fuse.
    pub(crate) fn fuses(&self) -> Fuses {
        self.rule::<f32, _>(1, AskFuses)
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        self.learning_rate.check()?;
        each_method!(&self.method, m => m.check())
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
