//! adagrad:  v = v + g²,  w ← w − learning_rate · g / (√v + eps).   Duchi, Hazan and Singer 2011, figure 1, with a diagonal
//! matrix; eps outside the root as torch's.

use super::{Update, nonzero};
use crate::check::positive;
use chainrule_kernels::{self as kernels, Buffer, Machine, Real, Vector, elementwise};
use serde::{Deserialize, Serialize};

/// Division by the root of the sum of all squares so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adagrad {
    /// Step size, > 0.
    pub learning_rate: f64,
    /// Added to √v, > 0.
    pub eps: f64,
}

impl kernels::Update for Adagrad {
    const STATES: usize = 1;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [v, ..]: [V; 3], g: V) -> (V, [V; 3]) {
        let v = g.fma(g, v);
        let step = g / (v.sqrt() + v.like(self.eps));
        (step.fma(g.like(-self.learning_rate), w), [v; 3])
    }
}

impl Update for Adagrad {
    fn state_names(&self) -> &'static [&'static str] {
        &["v"]
    }

    fn learning_rate(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    fn update<T: Real>(&self, machine: Machine, _t: u64, w: &mut [T], states: &mut [Buffer<T>], g: &[T]) {
        let rule = Adagrad { eps: nonzero::<T>(self.eps), ..*self };
        elementwise::update(machine, w, states, g, rule);
    }

    fn check(&self) -> Result<(), String> {
        positive("eps", self.eps)
    }
}
