//! softmax:  a_j = exp(z_j) / Σ_k exp(z_k) over the units of a layer.   Bridle 1990.
//!
//! delta_j = a_j (d_j − Σ_k d_k a_k) with d = ∂L/∂a. Each a depends on every z: ∂a_k/∂z_j = a_k (1{j = k} − a_j), and
//! delta_j = Σ_k d_k ∂a_k/∂z_j. The Jacobian is never formed.

use super::{Identity, Saves, Scratch, Transfer, Value};
use chainrule_kernels::product::{self, Start};
use chainrule_kernels::{Factor, Machine, Map, Matrix, MatrixMut, Real, Vector, elementwise, rows};
use serde::{Deserialize, Serialize};

/// a_j = exp(z_j) / Σ_k exp(z_k).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {}

/// The diagonal of the Jacobian, a (1 − a).
#[derive(Clone, Copy)]
struct Diagonal;

impl Map for Diagonal {
    #[inline(always)]
    fn map<V: Vector>(self, a: V) -> V {
        a * (a.like(1.0) - a)
    }
}

impl Transfer for Softmax {
    const SAVES: Saves = Saves::Output;

    fn forward<T: Real>(
        self,
        machine: Machine,
        x: Matrix<'_, T>,
        w: Matrix<'_, T>,
        b: Start<'_, T>,
        a: MatrixMut<'_, T>,
        mut scratch: Scratch<'_, T>,
    ) {
        product::forward_from(machine, x, w, b, Value(Identity {}), scratch.z.reborrow());
        rows::softmax(machine, scratch.z.as_ref(), a, scratch.row);
    }

    fn delta<T: Real>(self, _machine: Machine, a: Matrix<'_, T>, mut d: MatrixMut<'_, T>) {
        for i in 0..d.rows() {
            let (a, d) = (a.row(i), d.row_mut(i));
            let dot = a.iter().zip(&*d).fold(T::default(), |sum, (&a, &d)| sum + a * d);
            for (d, &a) in d.iter_mut().zip(a) {
                *d = a * (*d - dot);
            }
        }
    }

    fn backward_input<T: Real>(
        self,
        machine: Machine,
        delta: Factor<'_, T>,
        w_t: Matrix<'_, T>,
        a: Matrix<'_, T>,
        mut d: MatrixMut<'_, T>,
    ) {
        Identity {}.backward_input(machine, delta, w_t, a, d.reborrow());
        self.delta(machine, a, d);
    }

    fn slope<T: Real>(self, machine: Machine, a: &[T], slope: &mut [T]) {
        elementwise::map_to(machine, a, slope, Diagonal);
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
