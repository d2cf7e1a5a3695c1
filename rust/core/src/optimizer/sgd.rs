//! sgd:  v = momentum · v + g,  w ← w − learning_rate · v;  with nesterov w ← w − learning_rate · (g + momentum · v).
//! The article's gradient descent where momentum is 0.   Polyak 1964; Nesterov in the form of Sutskever et al. 2013.

use super::{RulePass, Update};
use crate::check::fraction;
use chainrule_kernels::{self as kernels, Buffer, Machine, Real, Vector, elementwise};
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

/// v ← keep · v + push · g,  w ← w + follow · v + ahead · g  along g + l2 · w: heavy balls of every convention. One rule for
/// all, for each is compiled into many kernels.
#[derive(Clone, Copy)]
pub(crate) struct Momentum {
    pub(crate) l2: f64,
    pub(crate) keep: f64,
    pub(crate) push: f64,
    pub(crate) follow: f64,
    pub(crate) ahead: f64,
}

impl kernels::Update for Momentum {
    const STATES: usize = 1;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [v, ..]: [V; 3], g: V) -> (V, [V; 3]) {
        let g = w.fma(w.like(self.l2), g);
        let v = g.fma(g.like(self.push), v * v.like(self.keep));
        let step = g.fma(g.like(self.ahead), v * v.like(self.follow));
        (w + step, [v; 3])
    }
}

impl Sgd {
    fn momentum(&self) -> Momentum {
        let (follow, ahead) = if self.nesterov { (self.momentum, 1.0) } else { (1.0, 0.0) };
        let [follow, ahead] = [follow, ahead].map(|share| -self.learning_rate * share);
        Momentum { l2: 0.0, keep: self.momentum, push: 1.0, follow, ahead }
    }
}

/// Gives the rule to passes that take it.
fn one_moment<P: RulePass>(pass: P, rule: Momentum) -> bool {
    if P::ONE_MOMENT {
        pass.run(rule);
    }
    P::ONE_MOMENT
}

impl Update for Sgd {
    fn state_names(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["velocity"] }
    }

    fn learning_rate(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    fn update<T: Real>(&self, machine: Machine, _t: u64, w: &mut [T], states: &mut [Buffer<T>], g: &[T]) {
        if self.momentum == 0.0 {
            return elementwise::update(machine, w, states, g, Plain { learning_rate: self.learning_rate });
        }
        elementwise::update(machine, w, states, g, self.momentum());
    }

    fn fused<T: Real>(&self, _t: u64, pass: impl RulePass) -> bool {
        if self.momentum == 0.0 {
            pass.run(Plain { learning_rate: self.learning_rate });
            return true;
        }
        one_moment(pass, self.momentum())
    }

    fn check(&self) -> Result<(), String> {
        fraction("momentum", self.momentum)?;
        if self.nesterov && self.momentum == 0.0 {
            return Err("nesterov needs a momentum greater than 0".into());
        }
        Ok(())
    }
}
