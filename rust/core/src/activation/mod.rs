//! Activation functions a = f(z), each with its slope da/dz.
//!
//! To add one: a file beside this one, a line in the list below, and its twin in the Python reference.

use chainrule_kernels::product::{self, Start};
use chainrule_kernels::{Factor, Machine, Map, Map2, Matrix, MatrixMut, Real, Vector, elementwise};

crate::kind::kind! {
    /// An activation function.
    #[derive(Copy)]
    Activation by "name", each_activation, ($) {
        identity::{Identity => "identity"},
        sigmoid::{Sigmoid => "sigmoid"},
        tanh::{Tanh => "tanh"},
        relu::{Relu => "relu"},
        leaky_relu::{LeakyRelu => "leaky_relu"},
        elu::{Elu => "elu"},
        selu::{Selu => "selu"},
        softplus::{Softplus => "softplus"},
        silu::{Silu => "silu"},
        gelu::{Gelu => "gelu"},
        gelu_tanh::{GeluTanh => "gelu_tanh"},
        mish::{Mish => "mish"},
        softsign::{Softsign => "softsign"},
        hard_sigmoid::{HardSigmoid => "hard_sigmoid"},
        hard_tanh::{HardTanh => "hard_tanh"},
        hard_silu::{HardSilu => "hard_silu"},
        softmax::{Softmax => "softmax"},
    }
}

/// The matrix that a layer keeps from forward propagation to compute its slope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saves {
    /// a. It costs no memory: a is kept anyway, as the input of the layer above.
    Output,
    /// z, in a buffer of its own.
    Input,
}

/// The bound of z before z is multiplied by e^−|z|. For |z| > FAR the exponential is 0 in every type, and z · 0 = 0 is
/// the right limit for z → ±∞. Without the bound, ∞ · 0 would be NaN.
const FAR: f64 = 1e4;

/// An elementwise activation: each a depends on one z.
///
/// Both formulas must be `#[inline(always)]`: they are compiled inside the kernels' loops, once for each instruction
/// set.
pub(crate) trait Elementwise: Copy + Send + Sync {
    /// Whether a = z; the kernels then skip the formula.
    const IDENTITY: bool = false;
    /// Whether both formulas are applied in registers: see [`Map::FUSED`].
    const FUSED: bool = Self::IDENTITY;
    /// The argument of `slope`: a or z.
    const SAVES: Saves = Saves::Output;
    /// a = f(z).
    fn value<V: Vector>(self, z: V) -> V;
    /// da/dz as a function of the saved number. It must be finite at z = 0: padding holds z = 0 and d = 0, and its
    /// delta d · slope must be 0.
    fn slope<V: Vector>(self, saved: V) -> V;
    /// Refuses parameters that are out of range.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Working memory of a [`Transfer`].
pub(crate) struct Scratch<'a, T> {
    /// Shape of a. Holds z afterwards if the activation saves its input.
    pub(crate) z: MatrixMut<'a, T>,
    /// One number for each row.
    pub(crate) row: &'a mut [T],
}

/// The interface of forward and backward propagation to any activation.
pub(crate) trait Transfer: Copy {
    /// Whether `saved` below is a or z.
    const SAVES: Saves;

    /// a = f(x w + b). If the sums of earlier steps are in their place ([`Start::Sums`]), that is `scratch.z` if `SAVES`
    /// is z, else a.
    fn forward<T: Real>(
        self,
        machine: Machine,
        x: Matrix<'_, T>,
        w: Matrix<'_, T>,
        b: Start<'_, T>,
        a: MatrixMut<'_, T>,
        scratch: Scratch<'_, T>,
    );

    /// delta = ∂L/∂z from d = ∂L/∂a, in place.
    fn delta<T: Real>(self, machine: Machine, saved: Matrix<'_, T>, d: MatrixMut<'_, T>);

    /// d = (delta wᵀ) ⊙ f'(z): the delta of the layer with this activation, from the delta and `w_t` of the layer
    /// above.
    fn backward_input<T: Real>(
        self,
        machine: Machine,
        delta: Factor<'_, T>,
        w_t: Matrix<'_, T>,
        saved: Matrix<'_, T>,
        d: MatrixMut<'_, T>,
    );

    /// slope ← da_j/dz_j (the diagonal of the Jacobian where units depend on each other).
    fn slope<T: Real>(self, machine: Machine, saved: &[T], slope: &mut [T]);

    /// Refuses parameters that are out of range.
    fn check(&self) -> Result<(), String>;
}

/// a = f(z), as a formula for the kernels.
#[derive(Clone, Copy)]
pub(crate) struct Value<A>(pub(crate) A);

impl<A: Elementwise> Map for Value<A> {
    const IDENTITY: bool = A::IDENTITY;
    const FUSED: bool = A::FUSED;
    #[inline(always)]
    fn map<V: Vector>(self, z: V) -> V {
        self.0.value(z)
    }
}

/// d ⊙ f'(z), as a formula for the kernels.
#[derive(Clone, Copy)]
pub(crate) struct TimesSlope<A>(pub(crate) A);

impl<A: Elementwise> Map2 for TimesSlope<A> {
    const IDENTITY: bool = A::IDENTITY;
    const FUSED: bool = A::FUSED;
    #[inline(always)]
    fn map<V: Vector>(self, d: V, saved: V) -> V {
        d * self.0.slope(saved)
    }
}

/// f'(z), as a formula for the kernels.
#[derive(Clone, Copy)]
struct Slope<A>(A);

impl<A: Elementwise> Map for Slope<A> {
    #[inline(always)]
    fn map<V: Vector>(self, saved: V) -> V {
        self.0.slope(saved)
    }
}

impl<A: Elementwise> Transfer for A {
    const SAVES: Saves = A::SAVES;

    fn forward<T: Real>(
        self,
        machine: Machine,
        x: Matrix<'_, T>,
        w: Matrix<'_, T>,
        b: Start<'_, T>,
        mut a: MatrixMut<'_, T>,
        scratch: Scratch<'_, T>,
    ) {
        match A::SAVES {
            Saves::Output => product::forward_from(machine, x, w, b, Value(self), a),
            Saves::Input => {
                let mut z = scratch.z;
                product::forward_from(machine, x, w, b, Value(Identity {}), z.reborrow());
                elementwise::map_to(machine, z.as_ref().data(), a.data_mut(), Value(self));
            }
        }
    }

    fn delta<T: Real>(self, machine: Machine, saved: Matrix<'_, T>, mut d: MatrixMut<'_, T>) {
        if A::IDENTITY {
            return;
        }
        elementwise::map2(machine, d.data_mut(), saved.data(), TimesSlope(self));
    }

    fn backward_input<T: Real>(
        self,
        machine: Machine,
        delta: Factor<'_, T>,
        w_t: Matrix<'_, T>,
        saved: Matrix<'_, T>,
        d: MatrixMut<'_, T>,
    ) {
        product::backward_input(machine, delta, w_t, TimesSlope(self), saved, d);
    }

    fn slope<T: Real>(self, machine: Machine, saved: &[T], slope: &mut [T]) {
        elementwise::map_to(machine, saved, slope, Slope(self));
    }

    fn check(&self) -> Result<(), String> {
        Elementwise::check(self)
    }
}

impl Activation {
    /// a = f(x w + b): see [`Transfer::forward`].
    #[inline(never)] // compiled once for each type, not once for each caller
    pub(crate) fn forward<T: Real>(
        &self,
        machine: Machine,
        x: Matrix<'_, T>,
        w: Matrix<'_, T>,
        b: Start<'_, T>,
        a: MatrixMut<'_, T>,
        scratch: Scratch<'_, T>,
    ) {
        each_activation!(self, f => f.forward(machine, x, w, b, a, scratch));
    }

    /// Whether the slope is computed from a or from z.
    pub(crate) fn saves(&self) -> Saves {
        fn ask<F: Transfer>(_: &F) -> Saves {
            F::SAVES
        }
        each_activation!(self, f => ask(f))
    }

    /// Refuses parameters that are out of range.
    pub(crate) fn check(&self) -> Result<(), String> {
        each_activation!(self, f => Transfer::check(f))
    }
}

#[cfg(test)]
mod tests;
