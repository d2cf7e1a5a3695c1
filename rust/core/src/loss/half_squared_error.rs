//! half_squared_error:  l = ½ Σ_j (a_j − y_j)²,  dl/da_j = a_j − y_j. The loss of textbooks. The article's error is the
//! derivative with the opposite sign, y_j − a_j.

use super::{Columns, RowLoss, TileLoss, TileTargets};
use chainrule_kernels::{Machine, Matrix, Real, Term, Vector};
use serde::{Deserialize, Serialize};

/// Half the sum of squared differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfSquaredError {}

impl RowLoss for HalfSquaredError {
    fn evaluate<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
        squares(0.5, a, y, out);
    }

    fn columns(self, labels: bool, _outputs: usize) -> Option<Columns> {
        (!labels).then_some(Columns::Sum(Square { factor: 0.5 }))
    }
}

/// The term of one output in [`squares`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Square {
    pub(crate) factor: f64,
}

impl Term for Square {
    #[inline(always)]
    fn term<V: Vector>(self, a: V, y: V) -> (V, V) {
        let difference = a - y;
        (difference * difference * a.like(self.factor), difference * a.like(2.0 * self.factor))
    }
}

/// l = factor · Σ_j (a_j − y_j)²,  dl/da_j = 2 · factor · (a_j − y_j).
pub(super) fn squares<T: Real>(factor: f64, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>) {
    let TileLoss { scale, mut d, row_loss, .. } = out;
    let TileTargets::Values(y) = y else { unreachable!("labels are refused before any work") };
    let double = T::from_f64(2.0 * factor);
    for (i, loss) in row_loss.iter_mut().enumerate() {
        let factor_i = double * scale[i];
        let mut sum = 0.0;
        for ((d, &a), &y) in d.row_mut(i).iter_mut().zip(a.row(i)).zip(y.row(i)) {
            let difference = a - y;
            sum += difference.to_f64() * difference.to_f64();
            *d = difference * factor_i;
        }
        *loss = factor * sum;
    }
}
