//! dropout:  a = mask ⊙ x,  mask = 1 / (1 − rate) with probability 1 − rate, else 0;  d_x = mask ⊙ d_a.
//! Outside training a = x.   Srivastava et al. 2014, in the inverted form, which leaves prediction alone.
//!
//! A unit is kept where its 32 random bits, a number of (seed, layer, update, row, unit), are at least rate · 2³²: forward
//! and backward see the same mask, and so does whoever resumes.

use crate::check::fraction;
use crate::rng::Counter;
use chainrule_kernels::{Machine, Map2, Matrix, MatrixMut, Real, Vector, elementwise};
use serde::{Deserialize, Serialize};

/// A layer that drops units at random while training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Share of units dropped, in [0, 1).
    pub rate: f64,
}

#[derive(Clone, Copy)]
struct Times;

impl Map2 for Times {
    #[inline(always)]
    fn map<V: Vector>(self, x: V, y: V) -> V {
        x * y
    }
}

impl Dropout {
    pub(crate) fn check(&self) -> Result<(), String> {
        fraction("rate", self.rate)
    }

    /// Draws the mask of some rows of a batch, from its row `first` on.
    pub(crate) fn draw<T: Real>(&self, counter: Counter, first: usize, mut mask: MatrixMut<'_, T>) {
        let kept = T::from_f64(1.0 / (1.0 - self.rate));
        let threshold = (self.rate * f64::from(2.0f32.powi(32))) as u32;
        for i in 0..mask.rows() {
            for (unit, value) in mask.row_mut(i).iter_mut().enumerate() {
                let is_kept = counter.bits((first + i) as u64, unit as u64) >= threshold;
                *value = if is_kept { kept } else { T::ZERO };
            }
        }
    }

    /// a = mask ⊙ x, or x where there is no mask; d_x from d_a in the same way.
    pub(crate) fn forward<T: Real>(
        &self,
        machine: Machine,
        x: Matrix<'_, T>,
        mask: Option<Matrix<'_, T>>,
        mut a: MatrixMut<'_, T>,
    ) {
        a.data_mut().copy_from_slice(x.data());
        if let Some(mask) = mask {
            elementwise::map2(machine, a.data_mut(), mask.data(), Times);
        }
    }
}
