//! scikit-learn's update rules, with the penalty's l2 · w added to the gradient in the same pass.

use chainrule_kernels::{Real, Update, Vector};

/// v ← momentum · v − learning_rate · g,  w ← w + look · v − ahead · g.
#[derive(Clone, Copy)]
pub(super) struct Momentum {
    l2: f64,
    learning_rate: f64,
    momentum: f64,
    look: f64,
    ahead: f64,
}

impl Momentum {
    pub(super) fn new(learning_rate: f64, momentum: f64, nesterov: bool) -> Self {
        let (look, ahead) = if nesterov { (momentum, learning_rate) } else { (1.0, 0.0) };
        Momentum { l2: 0.0, learning_rate, momentum, look, ahead }
    }

    /// The same where l2 · w is to be added to g.
    pub(super) fn with_penalty(self, l2: f64) -> Self {
        Momentum { l2, ..self }
    }
}

impl Update for Momentum {
    const STATES: usize = 1;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [v, ..]: [V; 3], g: V) -> (V, [V; 3]) {
        let g = w.fma(w.like(self.l2), g);
        let v = g.fma(g.like(-self.learning_rate), v * v.like(self.momentum));
        let step = g.fma(g.like(-self.ahead), v * v.like(self.look));
        (w + step, [v; 3])
    }
}

/// m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  w ← w − step · m / (√v + epsilon).
#[derive(Clone, Copy)]
pub(super) struct Moments {
    l2: f64,
    beta_1: f64,
    beta_2: f64,
    step: f64,
    epsilon: f64,
}

impl Moments {
    pub(super) fn new<T: Real>(learning_rate: f64, beta_1: f64, beta_2: f64, epsilon: f64, t: u64) -> Self {
        let corrected = |beta: f64| 1.0 - beta.powf(t as f64);
        let step = learning_rate * corrected(beta_2).sqrt() / corrected(beta_1);
        // Never so small that it is 0 as a `T`: where g and the moments are 0, in padding too, 0 / 0 would be NaN.
        let epsilon = epsilon.max((T::from_f64(4.0) / T::MAX).to_f64());
        Moments { l2: 0.0, beta_1, beta_2, step, epsilon }
    }

    /// The same where l2 · w is to be added to g.
    pub(super) fn with_penalty(self, l2: f64) -> Self {
        Moments { l2, ..self }
    }
}

impl Update for Moments {
    const STATES: usize = 2;
    #[inline(always)]
    fn update<V: Vector>(self, w: V, [m, v, spare]: [V; 3], g: V) -> (V, [V; 3]) {
        let g = w.fma(w.like(self.l2), g);
        let m = g.fma(g.like(1.0 - self.beta_1), m * m.like(self.beta_1));
        let v = (g * g).fma(g.like(1.0 - self.beta_2), v * v.like(self.beta_2));
        let step = m / (v.sqrt() + v.like(self.epsilon));
        (step.fma(step.like(-self.step), w), [m, v, spare])
    }
}
