//! Optimizers: update rules w ← rule(w, g), each with the moments that it keeps. g is the gradient of w.
//!
//! Rules and defaults are torch's where torch has them. To add one: a file beside this one, a line in the list below,
//! and its twin in the Python reference. Every rule must leave w at 0 where w, g and all moments are 0, so that padding
//! stays 0.

use crate::bounds::largest_gradient;
use crate::check::{fraction, positive};
use crate::schedule::Schedule;
use chainrule_kernels::{self as kernels, Buffer, Machine, Real, Vector, elementwise};
use serde::{Deserialize, Serialize};

crate::kind::kind! {
    /// An update rule with its hyperparameters, except the learning rate.
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

/// An optimizer: an update rule, and the learning rate as a function of the update.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    /// Step size of each update, > 0.
    pub learning_rate: Schedule,
    /// The update rule and its other hyperparameters.
    #[serde(flatten)]
    pub method: Methods,
}

/// The interface of training to any method.
pub(crate) trait Method {
    /// The names of the moments. Each has as many numbers as the parameters, all 0 before the first update.
    fn state_names(&self) -> &'static [&'static str];

    /// Computes the constants of the `t`-th update, counted from 1, and passes the rule to `apply`.
    fn rule<T: Real, A: Apply>(&self, t: u64, learning_rate: f64, apply: A) -> A::Out;

    /// At least the largest parameter after `n` updates with rates up to `learning_rate`, where before them all parameters
    /// and moments are within ± `most`, and so is every gradient. Moments stay within that too, or within `most`².
    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64;

    /// Refuses hyperparameters that are out of range.
    fn check(&self) -> Result<(), String>;
}

/// The rule of one update: a method with all its constants computed.
pub(crate) trait Rule: kernels::Update {
    /// The kernels that apply this rule to gradients in registers. All others need the gradient in memory.
    const FUSES: Fuses = Fuses::Nowhere;

    /// The same rule with g + l2 · w for g. A rule that is never fused reads a gradient that holds the penalty already.
    #[must_use]
    fn with_l2(self, l2: f64) -> Self {
        debug_assert!(l2 == 0.0, "a rule that is not fused");
        self
    }
}

/// The kernels that a rule is compiled into, to use gradients in registers. Each of the two groups costs some 60 KB of
/// code for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Fuses {
    Nowhere,
    InSmallNetworks,
    Everywhere,
}

/// An action on the rule of an update, generic over its type.
pub(crate) trait Apply {
    type Out;
    fn apply<R: Rule>(self, rule: R) -> Self::Out;
}

/// w ← rule(w, g) for all parameters, from a gradient in memory.
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

/// Returns the `FUSES` of a rule.
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

    /// The names of the moments. Each has as many numbers as the parameters.
    pub fn state_names(&self) -> &'static [&'static str] {
        each_method!(&self.method, m => m.state_names())
    }

    /// Computes the constants of the `t`-th update, counted from 1, and passes the rule to `apply`.
    pub(crate) fn rule<T: Real, A: Apply>(&self, t: u64, apply: A) -> A::Out {
        let learning_rate = self.learning_rate.at(t);
        each_method!(&self.method, m => m.rule::<T, A>(t, learning_rate, apply))
    }

    /// The kernels that apply this optimizer's rule to gradients in registers.
    pub(crate) fn fuses(&self) -> Fuses {
        self.rule::<f32, _>(1, AskFuses)
    }

    /// Whether the `n` updates after the `t`-th leave finite numbers for certain, if before them all parameters and moments
    /// are at most [`largest_gradient`] in size.
    pub(crate) fn stays_finite<T: Real>(&self, t: u64, n: u64) -> bool {
        let rate = (1..=n).map(|i| self.learning_rate.at(t.saturating_add(i))).fold(0.0, f64::max);
        let most = largest_gradient::<T>().to_f64();
        each_method!(&self.method, m => m.largest::<T>(most, rate, n as f64)) <= 0.25 * T::MAX.to_f64()
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        self.learning_rate.check()?;
        each_method!(&self.method, m => m.check())
    }
}

/// decay · old + (1 − decay) · new: an exponential moving average.
#[inline(always)]
fn mean<V: Vector>(old: V, new: V, decay: f64) -> V {
    new.fma(new.like(1.0 - decay), old * old.like(decay))
}

/// −1, 0 or 1.
#[inline(always)]
fn sign<V: Vector>(x: V) -> V {
    // `copysign` alone turns ±0 into ±1; parameters without a gradient, padding among them, would then drift.
    V::select(x.eq(x.like(0.0)), x, x.like(1.0).copysign(x))
}

/// 1 − βᵗ: the total weight of t gradients in a moving average that started at 0. Dividing by it corrects that bias.
fn correction(beta: f64, t: u64) -> f64 {
    1.0 - beta.powf(t as f64)
}

/// (most + n · change) · keepⁿ: a parameter after `n` updates that multiply it by `keep` and add at most `change`.
fn grown(most: f64, change: f64, keep: f64, n: f64) -> f64 {
    (most + n * change) * keep.abs().max(1.0).powf(n)
}

/// At least the largest |step · (m / (√v + eps))| where |m| ≤ `most`; and at least either factor, which must be finite
/// as a T.
fn change<T: Real>(most: f64, step: f64, eps: f64) -> f64 {
    step.max(1.0) * (most / nonzero::<T>(eps)).max(1.0)
}

/// `eps`, but at least the smallest normal number of `T`. An eps that rounds to 0 would give 0 / 0 = NaN wherever g and
/// the moments are 0, as in padding.
pub(crate) fn nonzero<T: Real>(eps: f64) -> f64 {
    eps.max((T::from_f64(4.0) / T::MAX).to_f64()) // 4 / MAX is the smallest normal number
}

/// Refuses values that are out of range for Adam and its relatives.
fn check_moments(beta_1: f64, beta_2: f64, eps: f64) -> Result<(), String> {
    fraction("beta_1", beta_1)?;
    fraction("beta_2", beta_2)?;
    positive("eps", eps)
}
