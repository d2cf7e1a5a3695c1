//! adadelta:  v = rho · v + (1 − rho) g²,  Δ = g √(u + eps) / √(v + eps),  u = rho · u + (1 − rho) Δ²,
//! w ← w − learning_rate · Δ.   Zeiler 2012, algorithm 1, where learning_rate is 1.

use super::{Update, mean, nonzero};
use crate::check::{fraction, positive};
use chainrule_kernels::{self as kernels, Buffer, Machine, Real, Vector, elementwise};
use serde::{Deserialize, Serialize};

/// Steps in units of the parameter: past updates over past gradients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adadelta {
    /// Step size, > 0.
    pub learning_rate: f64,
    /// Decay of both means, in [0, 1).
    pub rho: f64,
    /// Added to u and v inside the roots, > 0.
    pub eps: f64,
}

impl kernels::Update for Adadelta {
    const STATES: usize = 2;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [v, u, spare]: [V; 3], g: V) -> (V, [V; 3]) {
        let v = mean(v, g * g, self.rho);
        // Two roots: the quotient inside of one may underflow.
        let delta = (u + u.like(self.eps)).sqrt() / (v + v.like(self.eps)).sqrt() * g;
        let u = mean(u, delta * delta, self.rho);
        (delta.fma(g.like(-self.learning_rate), w), [v, u, spare])
    }
}

impl Update for Adadelta {
    fn state_names(&self) -> &'static [&'static str] {
        &["v", "u"]
    }

    fn learning_rate(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    fn update<T: Real>(&self, machine: Machine, _t: u64, w: &mut [T], states: &mut [Buffer<T>], g: &[T]) {
        let rule = Adadelta { eps: nonzero::<T>(self.eps), ..*self };
        elementwise::update(machine, w, states, g, rule);
    }

    fn check(&self) -> Result<(), String> {
        fraction("rho", self.rho)?;
        positive("eps", self.eps)
    }
}
