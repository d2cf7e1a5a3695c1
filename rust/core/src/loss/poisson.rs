//! poisson:  λ = eᵃ,  l = (1/k) Σ_j (λ_j − y_j a_j),  dl/da_j = (λ_j − y_j) / k.
//! The negative logarithm of the Poisson probability of the count y_j at the rate λ_j, without the constant ln y_j!.
//! McCullagh & Nelder 1989, ch. 6; torch's PoissonNLLLoss with its defaults.

use super::{Domain, Link, RowLoss, TileLoss, TileTargets, mean_over_outputs, weighted};
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Negative logarithm of the Poisson probability of counts, from the logarithms of their rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poisson {}

impl RowLoss for Poisson {
    fn link(self) -> Link {
        Link::Exp
    }

    fn domain(self) -> Domain {
        Domain::Counts
    }

    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        mean_over_outputs(a, y, out, |a, y| {
            let rate = a.exp();
            (rate - weighted(y, a), rate - y)
        });
    }
}
