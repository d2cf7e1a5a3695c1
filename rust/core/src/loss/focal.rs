//! focal:  p = softmax(a),  l = Σ_j y_j f(ln p_j)  with f(ln p) = (1 − p)^gamma (−ln p),
//! dl/da_k = y_k g_k − p_k Σ_j y_j g_j  with g = df / d ln p.   Lin et al. 2017, §3.2; Keras's
//! CategoricalFocalCrossentropy with alpha 1.
//!
//! It is cross_entropy with less weight on rows that are already right: the factor (1 − p)^gamma vanishes as p → 1.
//! g = −(1 − p)^gamma [1 + gamma p (−ln p) / (1 − p)], and d ln p_j / da_k = 1{j = k} − p_k.

use super::{Domain, Link, RowLoss, TileLoss, TileTargets, weighted};
use crate::check::not_negative;
use chainrule_kernels::{Machine, Matrix, Real, rows};
use serde::{Deserialize, Serialize};

/// Cross-entropy of class probabilities, from logits, with less weight on rows that are already right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Focal {
    /// Exponent of 1 − p, ≥ 0. The larger it is, the less right rows count; 0 gives cross_entropy.
    pub gamma: f64,
}

/// (f, g): f(ln p) = (1 − p)^gamma (−ln p) and its derivative by ln p.
pub(super) fn focused(gamma: f64, log_p: f64) -> (f64, f64) {
    // 1 − p = −expm1(ln p) keeps its digits where p is near 1.
    let (p, rest) = (log_p.exp(), -log_p.exp_m1());
    // p (−ln p) / (1 − p), with its limits at the ends: 0 at p = 0, 1 at p = 1.
    let bend = if rest == 0.0 { 1.0 } else { weighted(p, -log_p / rest) };
    let focus = rest.powf(gamma);
    (weighted(focus, -log_p), -focus * (1.0 + gamma * bend))
}

impl RowLoss for Focal {
    fn link(self) -> Link {
        Link::Softmax
    }

    fn domain(self) -> Domain {
        Domain::Probabilities
    }

    fn check(self) -> Result<(), String> {
        not_negative("gamma", self.gamma)
    }

    fn evaluate<T: Real>(self, machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        let TileLoss { scale, mut d, row_loss, scratch: log_sum_exp } = out;
        rows::softmax(machine, a, d.reborrow(), log_sum_exp);
        for (i, loss) in row_loss.iter_mut().enumerate() {
            let (a, d, scale) = (a.row(i), d.row_mut(i), scale[i]);
            let of_class = |a: T| focused(self.gamma, (a - log_sum_exp[i]).to_f64());
            match y {
                TileTargets::Labels(labels) => {
                    let label = labels[i] as usize;
                    let (l, g) = of_class(a[label]);
                    *loss = l;
                    let g = T::from_f64(g) * scale;
                    d.iter_mut().for_each(|d| *d *= -g);
                    d[label] += g;
                }
                TileTargets::Values(y) => {
                    let (mut l, mut sum) = (0.0, 0.0);
                    for (&a, y) in a.iter().zip(y.row(i)) {
                        let (l_j, g_j) = of_class(a);
                        l += weighted(y.to_f64(), l_j);
                        sum += y.to_f64() * g_j;
                    }
                    *loss = l;
                    // g is computed a second time rather than stored: targets are rarely probabilities.
                    for ((d, &a), y) in d.iter_mut().zip(a).zip(y.row(i)) {
                        *d = T::from_f64(y.to_f64() * of_class(a).1 - d.to_f64() * sum) * scale;
                    }
                }
            }
        }
    }
}
