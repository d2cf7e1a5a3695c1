//! sgd:  v = momentum · v + g,  w ← w − learning_rate · v;  with nesterov w ← w − learning_rate · (g + momentum · v).
//! The article's gradient descent where momentum is 0.   Polyak 1964; Nesterov in the form of Sutskever et al. 2013.

use super::{RulePass, Update};
use crate::check::fraction;
use chainrule_kernels::{self as kernels, Buffer, Real, Target, Vector, elementwise};
use serde::{Deserialize, Serialize};

/// Gradient descent, with momentum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// Step size, > 0.
    pub learning_rate: f64,
    /// Share of the last velocity that is kept, in [0, 1).
    pub momentum: f64,
    /// Whether to look ahead by momentum · v.
    pub nesterov: bool,
}

/// w ← w − learning_rate · g.
#[derive(Clone, Copy)]
pub(crate) struct Plain {
    learning_rate: f64,
}

impl Plain {
    /// w ← w + g, to the bit: for sums.
    pub(crate) const ADD: Plain = Plain { learning_rate: -1.0 };
}

impl kernels::Update for Plain {
    const STATES: usize = 0;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, states: [V; 3], g: V) -> (V, [V; 3]) {
        (g.fma(g.like(-self.learning_rate), w), states)
    }
}

#[derive(Clone, Copy)]
struct Momentum<const NESTEROV: bool> {
    learning_rate: f64,
    momentum: f64,
}

impl<const NESTEROV: bool> kernels::Update for Momentum<NESTEROV> {
    const STATES: usize = 1;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [v, ..]: [V; 3], g: V) -> (V, [V; 3]) {
        let v = v.fma(v.like(self.momentum), g);
        let step = if NESTEROV { v.fma(v.like(self.momentum), g) } else { v };
        (step.fma(w.like(-self.learning_rate), w), [v; 3])
    }
}

impl Update for Sgd {
    fn state_names(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["velocity"] }
    }

    fn learning_rate(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    fn update<T: Real>(&self, target: Target, _t: u64, w: &mut [T], states: &mut [Buffer<T>], g: &[T]) {
        let &Sgd { learning_rate, momentum, nesterov } = self;
        match (momentum == 0.0, nesterov) {
            (true, _) => elementwise::update(target, w, states, g, Plain { learning_rate }),
            (false, false) => {
                let rule = Momentum::<false> { learning_rate, momentum };
                elementwise::update(target, w, states, g, rule);
            }
            (false, true) => {
                let rule = Momentum::<true> { learning_rate, momentum };
                elementwise::update(target, w, states, g, rule);
            }
        }
    }

    fn fused<T: Real>(&self, _t: u64, pass: impl RulePass) -> bool {
        let plain = self.momentum == 0.0;
        if plain {
            pass.run(Plain { learning_rate: self.learning_rate });
        }
        plain
    }

    fn check(&self) -> Result<(), String> {
        fraction("momentum", self.momentum)?;
        if self.nesterov && self.momentum == 0.0 {
            return Err("nesterov needs a momentum greater than 0".into());
        }
        Ok(())
    }
}
