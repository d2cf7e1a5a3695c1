//! binary_cross_entropy:  p = sigmoid(a),  l = −Σ_j [y_j ln p_j + (1 − y_j) ln(1 − p_j)],  dl/da_j = p_j − y_j.
//!
//! From the raw output: l = Σ_j max(a, 0) − a y + ln(1 + exp(−|a|)), without an exponential of a positive number or a
//! logarithm of a rounded probability. It sums over outputs; torch's BCEWithLogitsLoss takes their mean.

use super::{Domain, Link, RowLoss, TileLoss, TileTargets, sum_over_outputs, weighted};
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Cross-entropy of independent binary outputs, from logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryCrossEntropy {}

impl RowLoss for BinaryCrossEntropy {
    fn link(self) -> Link {
        Link::Sigmoid
    }

    fn domain(self) -> Domain {
        Domain::Fractions
    }

    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        sum_over_outputs(a, y, out, |a, y| {
            let e = (-a.abs()).exp();
            // max(a, 0) − a y = |a| · lack, where lack is the distance of y from 1 if a > 0, else from 0. It is 0 where
            // the sign of a is right, even if a is infinite.
            let lack = if a > 0.0 { 1.0 - y } else { y };
            let p = if a >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) };
            (weighted(lack, a.abs()) + e.ln_1p(), p - y)
        });
    }
}
