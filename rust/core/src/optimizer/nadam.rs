//! nadam:  m and v as adam's,  μᵢ = β₁ (1 − ½ · 0.96^(i · momentum_decay)),  P_t = μ₁ μ₂ … μ_t,
//! w ← w − learning_rate · (g (1 − μ_t) / (1 − P_t) + m μ_{t+1} / (1 − P_{t+1})) / (√v̂ + eps).
//! It is Adam with Nesterov's look ahead along m.   Dozat 2016, algorithm 2, in torch's form.

use super::{Apply, Method, Rule, change, check_moments, correction, grown, mean, nonzero};
use crate::check::not_negative;
use chainrule_kernels::{self as kernels, Real, Vector};
use serde::{Deserialize, Serialize};

/// Adam with Nesterov's momentum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NAdam {
    /// Decay of m, the moving average of g, in [0, 1).
    pub beta_1: f64,
    /// Decay of v, the moving average of g², in [0, 1).
    pub beta_2: f64,
    /// Added to √v̂, > 0.
    pub eps: f64,
    /// Rate at which μ rises from ½ β₁ to β₁, ≥ 0.
    pub momentum_decay: f64,
}

#[derive(Clone, Copy)]
struct Step {
    step_g: f64,
    step_m: f64,
    beta_1: f64,
    beta_2: f64,
    root: f64,
    eps: f64,
}

impl kernels::Update for Step {
    const STATES: usize = 2;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [m, v, spare]: [V; 3], g: V) -> (V, [V; 3]) {
        let m = mean(m, g, self.beta_1);
        let v = mean(v, g * g, self.beta_2);
        let denominator = v.sqrt().fma(v.like(self.root), v.like(self.eps));
        let ahead = g.fma(g.like(self.step_g), m * m.like(self.step_m));
        (w - ahead / denominator, [m, v, spare])
    }
}

impl NAdam {
    /// μᵢ.
    fn momentum(&self, i: f64) -> f64 {
        self.beta_1 * (1.0 - 0.5 * 0.96f64.powf(i * self.momentum_decay))
    }

    /// P_t = β₁ᵗ Π (1 − ½ qⁱ)  over i = 1 … t, with q = 0.96^momentum_decay.
    ///
    /// torch carries P from step to step. Here it is a function of t, so that only t has to be saved. The loop is
    /// short. With the usual values the factors shrink P within 60 steps until 1 − P rounds to 1; with small q they
    /// soon round to 1 themselves. No β₁ and momentum_decay need more than some 2700 factors.
    fn product(&self, t: u64) -> f64 {
        let q = 0.96f64.powf(self.momentum_decay);
        let (mut factors, mut power) = (1.0, 1.0);
        for _ in 0..t {
            power *= q;
            factors *= 1.0 - 0.5 * power;
            if factors < f64::powi(2.0, -60) || power < f64::powi(2.0, -54) {
                break;
            }
        }
        self.beta_1.powf(t as f64) * factors
    }
}

impl Rule for Step {}

impl Method for NAdam {
    fn state_names(&self) -> &'static [&'static str] {
        &["m", "v"]
    }

    fn rule<T: Real, A: Apply>(&self, t: u64, learning_rate: f64, apply: A) -> A::Out {
        let (now, next) = (self.momentum(t as f64), self.momentum(t as f64 + 1.0));
        let product = self.product(t);
        apply.apply(Step {
            step_g: learning_rate * (1.0 - now) / (1.0 - product),
            step_m: learning_rate * next / (1.0 - product * next),
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            root: 1.0 / correction(self.beta_2, t).sqrt(),
            eps: nonzero::<T>(self.eps),
        })
    }

    fn largest<T: Real>(&self, most: f64, learning_rate: f64, n: f64) -> f64 {
        // The steps multiply g and m before the division, which makes them smaller where eps > 1.
        grown(most, 2.0 * change::<T>(most, learning_rate / (1.0 - self.beta_1), self.eps.min(1.0)), 1.0, n)
    }

    fn check(&self) -> Result<(), String> {
        check_moments(self.beta_1, self.beta_2, self.eps)?;
        not_negative("momentum_decay", self.momentum_decay)
    }
}
