//! mse:  l = (1/k) Σ_j (a_j − y_j)²,  dl/da_j = (2/k) (a_j − y_j). With its mean over outputs it is torch's MSELoss.

use super::half_squared_error::{Square, squares};
use super::{Columns, RowLoss, TileLoss, TileTargets};
use chainrule_kernels::{Machine, Matrix, Real};
use serde::{Deserialize, Serialize};

/// Mean squared error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mse {}

impl RowLoss for Mse {
    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        squares(1.0 / a.columns() as f64, a, y, out);
    }

    fn columns(self, labels: bool, outputs: usize) -> Option<Columns> {
        (!labels).then(|| Columns::Sum(Square { factor: 1.0 / outputs as f64 }))
    }
}
