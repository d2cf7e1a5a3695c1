//! rmsprop:  v = rho · v + (1 − rho) g²,  w ← w − learning_rate · g / (√v + eps).   Tieleman and Hinton 2012, lecture 6e;
//! eps outside the root as torch's.

use super::{Update, mean, nonzero};
use crate::check::{fraction, positive};
use chainrule_kernels::{self as kernels, Buffer, Machine, Real, Vector, elementwise};
use serde::{Deserialize, Serialize};

/// Division by a running root mean square.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsProp {
    /// Step size, > 0.
    pub learning_rate: f64,
    /// Decay of the mean of g², in [0, 1).
    pub rho: f64,
    /// Added to √v, > 0.
    pub eps: f64,
}

impl kernels::Update for RmsProp {
    const STATES: usize = 1;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [v, ..]: [V; 3], g: V) -> (V, [V; 3]) {
        let v = mean(v, g * g, self.rho);
        let step = g / (v.sqrt() + v.like(self.eps));
        (step.fma(g.like(-self.learning_rate), w), [v; 3])
    }
}

impl Update for RmsProp {
    fn state_names(&self) -> &'static [&'static str] {
        &["v"]
    }

    fn learning_rate(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    fn update<T: Real>(&self, machine: Machine, _t: u64, w: &mut [T], states: &mut [Buffer<T>], g: &[T]) {
        let rule = RmsProp { eps: nonzero::<T>(self.eps), ..*self };
        elementwise::update(machine, w, states, g, rule);
    }

    fn check(&self) -> Result<(), String> {
        fraction("rho", self.rho)?;
        positive("eps", self.eps)
    }
}
