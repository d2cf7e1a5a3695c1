//! The one fusion between layers: the slope of the layer below, applied to the sums that are passed down to it.

use crate::Real;
use crate::activation::{Activation, Identity, Transfer, each_activation};
use chainrule_kernels::{Factor, Machine, Map2, Matrix, MatrixMut, Vector, elementwise, product};

/// What ∂L/∂a of a layer is multiplied by to give its delta.
#[derive(Clone, Copy)]
pub(crate) enum Slope<'a, T> {
    /// Nothing: delta is ∂L/∂a.
    One,
    /// f'(z) of an activation, from what it saved.
    Of(Activation, Matrix<'a, T>),
    /// A matrix, such as a mask.
    Times(Matrix<'a, T>),
}

/// x ⊙ y.
#[derive(Clone, Copy)]
pub(crate) struct Times;

impl Map2 for Times {
    #[inline(always)]
    fn map<V: Vector>(self, x: V, y: V) -> V {
        x * y
    }
}

impl<T: Real> Slope<'_, T> {
    /// Writes the slope itself: of activations whose units depend on each other, the diagonal of the Jacobian.
    pub(crate) fn write(self, machine: Machine, mut slope: MatrixMut<'_, T>) {
        match self {
            Slope::One => slope.data_mut().fill(T::ONE),
            Slope::Of(activation, saved) => {
                each_activation!(activation, f => f.slope(machine, saved.data(), slope.data_mut()));
            }
            Slope::Times(factor) => slope.data_mut().copy_from_slice(factor.data()),
        }
    }

    /// d ← d ⊙ slope.
    pub(crate) fn apply(self, machine: Machine, mut d: MatrixMut<'_, T>) {
        match self {
            Slope::One => {}
            Slope::Of(activation, saved) => each_activation!(activation, f => f.delta(machine, saved, d)),
            Slope::Times(factor) => elementwise::map2(machine, d.data_mut(), factor.data(), Times),
        }
    }

    /// d_x ← (delta wᵀ) ⊙ slope. `x` has the shape of d_x, and is not read.
    pub(crate) fn product(
        self,
        machine: Machine,
        delta: Factor<'_, T>,
        w_t: Matrix<'_, T>,
        x: Matrix<'_, T>,
        d_x: MatrixMut<'_, T>,
    ) {
        match self {
            Slope::One => Identity {}.backward_input(machine, delta, w_t, x, d_x),
            Slope::Of(activation, saved) => {
                each_activation!(activation, f => f.backward_input(machine, delta, w_t, saved, d_x));
            }
            Slope::Times(factor) => product::backward_input(machine, delta, w_t, Times, factor, d_x),
        }
    }
}
