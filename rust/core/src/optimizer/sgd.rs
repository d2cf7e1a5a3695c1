//! sgd:  v = momentum · v + g,  w ← w − learning_rate · v;  with nesterov  w ← w − learning_rate · (g + momentum · v).
//! With momentum 0 it is the article's gradient descent.   Polyak 1964; Nesterov in the form of Sutskever et al. 2013.

use super::{Apply, Fuses, Method, Rule, grown};
use crate::check::fraction;
use chainrule_kernels::{self as kernels, Real, Vector};
use serde::{Deserialize, Serialize};

/// Stochastic gradient descent, with momentum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// Decay of the velocity v, in [0, 1).
    pub momentum: f64,
    /// Whether to use Nesterov's form, which looks ahead along v. It needs momentum > 0.
    pub nesterov: bool,
}

/// w ← w − learning_rate · (g + l2 · w).
#[derive(Clone, Copy)]
pub(crate) struct Plain {
    learning_rate: f64,
    l2: f64,
}

impl Plain {
    /// w ← w + g, exactly. The gradients of tiles are added with it, because a rule of their own would cost 60 KB of
    /// code.
    pub(crate) const ADD: Plain = Plain { learning_rate: -1.0, l2: 0.0 };
}

impl kernels::Update for Plain {
    const STATES: usize = 0;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, states: [V; 3], g: V) -> (V, [V; 3]) {
        let g = w.fma(w.like(self.l2), g);
        (g.fma(g.like(-self.learning_rate), w), states)
    }
}

impl Rule for Plain {
    const FUSES: Fuses = Fuses::Everywhere;
    fn with_l2(self, l2: f64) -> Self {
        Plain { l2, ..self }
    }
}

/// v ← keep · v + push · g,  w ← w + follow · v + ahead · g,  with g + l2 · w for g: momentum in every convention. All
/// conventions share one rule because each rule is compiled into many kernels.
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

impl Rule for Momentum {
    const FUSES: Fuses = Fuses::InSmallNetworks;
    fn with_l2(self, l2: f64) -> Self {
        Momentum { l2, ..self }
    }
}

impl Method for Sgd {
    fn state_names(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["velocity"] }
    }

    fn rule<T: Real, A: Apply>(&self, _t: u64, learning_rate: f64, apply: A) -> A::Out {
        if self.momentum == 0.0 {
            return apply.apply(Plain { learning_rate, l2: 0.0 });
        }
        let (follow, ahead) = if self.nesterov { (self.momentum, 1.0) } else { (1.0, 0.0) };
        let [follow, ahead] = [follow, ahead].map(|share| -learning_rate * share);
        apply.apply(Momentum { l2: 0.0, keep: self.momentum, push: 1.0, follow, ahead })
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        // Velocities are sums of up to n gradients, and of what they were before.
        let velocity = if self.momentum == 0.0 { most } else { (n + 2.0) * most };
        grown(most, learning_rate * velocity, 1.0, n)
    }

    fn check(&self) -> Result<(), String> {
        fraction("momentum", self.momentum)?;
        if self.nesterov && self.momentum == 0.0 {
            return Err("nesterov needs a momentum greater than 0".into());
        }
        Ok(())
    }
}
