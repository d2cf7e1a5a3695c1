//! rprop:  s ← s · eta_plus where g · g_previous > 0,  s · eta_minus where it is < 0,  s where it is 0;  s is clamped
//! to [step_min, step_max];  g ← 0 where the sign of g has turned;  w ← w − s · sign(g).
//!
//! Each parameter has a step size s of its own. It grows while g keeps its sign and shrinks when the sign turns.
//! Riedmiller and Braun 1993, in the form without weight backtracking (Igel and Hüsken 2000, iRprop−), as torch's. For
//! full-batch training only: between mini-batches the sign also turns because the rows differ.

use super::{Apply, Method, Rule, grown, sign};
use crate::check::positive;
use chainrule_kernels::{self as kernels, Real, Vector};
use serde::{Deserialize, Serialize};

/// Steps with the sign of the gradient, and a size for each parameter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rprop {
    /// Factor of the step size where the sign of g has turned, in (0, 1).
    pub eta_minus: f64,
    /// Factor of the step size where the sign of g is the same, > 1.
    pub eta_plus: f64,
    /// Smallest step size, > 0.
    pub step_min: f64,
    /// Largest step size, ≥ `step_min`.
    pub step_max: f64,
}

/// One step. Step sizes are stored as 0 before the first step, which adds the initial size `start`; later steps add 0.
#[derive(Clone, Copy)]
struct Step {
    start: f64,
    eta_minus: f64,
    eta_plus: f64,
    step_min: f64,
    step_max: f64,
}

impl kernels::Update for Step {
    const STATES: usize = 2;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [previous, size, spare]: [V; 3], g: V) -> (V, [V; 3]) {
        let zero = g.like(0.0);
        // The product of the signs: the product of the gradients may underflow to 0.
        let turn = sign(g) * sign(previous);
        let turned = zero.gt(turn);
        let kept = V::select(turn.gt(zero), g.like(self.eta_plus), g.like(1.0));
        let size = (size + size.like(self.start)) * V::select(turned, g.like(self.eta_minus), kept);
        let size = size.max(size.like(self.step_min)).min(size.like(self.step_max));
        let g = V::select(turned, zero, g);
        (w - sign(g) * size, [g, size, spare])
    }
}

impl Rule for Step {}

impl Method for Rprop {
    fn state_names(&self) -> &'static [&'static str] {
        &["previous_gradient", "step_size"]
    }

    fn rule<T: Real, A: Apply>(&self, t: u64, learning_rate: f64, apply: A) -> A::Out {
        apply.apply(Step {
            start: if t == 1 { learning_rate } else { 0.0 },
            eta_minus: self.eta_minus,
            eta_plus: self.eta_plus,
            step_min: self.step_min,
            // An infinite step size times a sign of 0 would be NaN.
            step_max: self.step_max.min(T::MAX.to_f64()),
        })
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        // A factor that is infinite as a T, times a size of 0, would be NaN.
        grown(most, learning_rate.max(self.step_max).max(self.eta_plus), 1.0, n)
    }

    fn check(&self) -> Result<(), String> {
        if !(self.eta_minus > 0.0 && self.eta_minus < 1.0) {
            return Err(format!("eta_minus must be greater than 0 and less than 1, got {}", self.eta_minus));
        }
        if !(self.eta_plus.is_finite() && self.eta_plus > 1.0) {
            return Err(format!("eta_plus must be finite and greater than 1, got {}", self.eta_plus));
        }
        positive("step_min", self.step_min)?;
        positive("step_max", self.step_max)?;
        if self.step_min > self.step_max {
            return Err(format!("step_min must be at most step_max, {}, got {}", self.step_max, self.step_min));
        }
        Ok(())
    }
}
