//! Activation functions a = f(z), each with its slope da/dz.
//!
//! To add one: a file beside this one, a line in the list below, and its twin in the Python reference.

use chainrule_kernels::{Factor, Machine, Map, Map2, Matrix, MatrixMut, Real, Vector, elementwise, product};

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

/// What forward propagation keeps of a layer, because the slope is computed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saves {
    /// a, which is there anyway: it is the input of the layer above.
    Output,
    /// z, in memory of its own.
    Input,
}

/// Beyond this |z| the exponentials of an activation are 0 in every type. Limited to it, z times such a 0 is 0, which is
/// the limit for z → ±∞.
const FAR: f64 = 1e4;

/// An activation that treats each unit alone.
///
/// Both formulas must be `#[inline(always)]`: they are compiled once for each target inside the kernels' loops.
pub(crate) trait Elementwise: Copy + Send + Sync {
    /// Whether a = z, so that nothing has to be done.
    const IDENTITY: bool = false;
    /// Whether both formulas are a few instructions, and used often: see [`Map::FUSED`].
    const FUSED: bool = Self::IDENTITY;
    /// Whether the slope is a function of a or of z.
    const SAVES: Saves = Saves::Output;
    /// a = f(z).
    fn value<V: Vector>(self, z: V) -> V;
    /// da/dz as a function of what is saved. Finite for z = 0, which is what the padding of a layer holds: the delta there
    /// is 0 · slope and must be 0.
    fn slope<V: Vector>(self, saved: V) -> V;
    /// What is wrong with the parameters, if anything.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Memory that a transfer may use for itself.
pub(crate) struct Scratch<'a, T> {
    /// Of the shape of a; holds z afterwards where the transfer saves its input.
    pub(crate) z: MatrixMut<'a, T>,
    /// One number a row.
    pub(crate) row: &'a mut [T],
}

/// What forward and backward propagation ask of any activation.
pub(crate) trait Transfer: Copy {
    /// What `saved` is below.
    const SAVES: Saves;

    /// a = f(x w + b).
    fn forward<T: Real>(
        self,
        machine: Machine,
        x: Matrix<'_, T>,
        w: Matrix<'_, T>,
        b: Option<&[T]>,
        a: MatrixMut<'_, T>,
        scratch: Scratch<'_, T>,
    );

    /// delta = ∂L/∂z from d = ∂L/∂a, in place.
    fn delta<T: Real>(self, machine: Machine, saved: Matrix<'_, T>, d: MatrixMut<'_, T>);

    /// The delta of the layer with this activation from that of the layer above: d = (delta wᵀ) ⊙ f'(z).
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

    /// What is wrong with the parameters, if anything.
    fn check(&self) -> Result<(), String>;
}

/// a = f(z), as the kernels take it.
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

/// d ⊙ f'(z), as the kernels take it.
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

/// f'(z), as the kernels take it.
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
        b: Option<&[T]>,
        mut a: MatrixMut<'_, T>,
        scratch: Scratch<'_, T>,
    ) {
        match A::SAVES {
            Saves::Output => product::forward(machine, x, w, b, Value(self), a),
            Saves::Input => {
                let mut z = scratch.z;
                product::forward(machine, x, w, b, Value(Identity {}), z.reborrow());
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
    /// What forward propagation keeps for the slope.
    pub(crate) fn saves(&self) -> Saves {
        fn ask<F: Transfer>(_: &F) -> Saves {
            F::SAVES
        }
        each_activation!(self, f => ask(f))
    }

    /// What is wrong with the parameters, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        each_activation!(self, f => Transfer::check(f))
    }
}

#[cfg(test)]
mod tests;
