//! Activation functions a = f(z), each with its slope da/dz.
//!
//! To add one: a file beside this one, a line in the list below, and its twin in the Python reference.

use chainrule_kernels::{Map, Map2, Matrix, MatrixMut, Real, Target, Vector, elementwise, product};

crate::registry::kind! {
    /// An activation function.
    Activation by "name", each_activation, ($) {
        identity::{Identity => "identity"},
        sigmoid::{Sigmoid => "sigmoid"},
        tanh::{Tanh => "tanh"},
        relu::{Relu => "relu"},
        leaky_relu::{LeakyRelu => "leaky_relu"},
        softmax::{Softmax => "softmax"},
    }
}

/// An activation that treats each unit alone; its slope is a function of its output a.
///
/// Both methods must be `#[inline(always)]`: they are compiled once for each target inside the kernels' loops.
pub(crate) trait Elementwise: Copy {
    /// Whether a = z, so that nothing has to be done.
    const IDENTITY: bool = false;
    /// a = f(z).
    fn value<V: Vector>(self, z: V) -> V;
    /// da/dz as a function of a.
    fn slope<V: Vector>(self, a: V) -> V;
    /// What is wrong with the parameters, if anything.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Memory that a transfer may use for itself.
pub(crate) struct Scratch<'a, T> {
    /// Of the shape of a.
    pub(crate) z: MatrixMut<'a, T>,
    /// One number a row.
    pub(crate) row: &'a mut [T],
}

/// What forward and backward propagation ask of any activation.
pub(crate) trait Transfer: Copy {
    /// a = f(x w + b).
    fn forward<T: Real>(
        self,
        target: Target,
        x: Matrix<'_, T>,
        w: Matrix<'_, T>,
        b: Option<&[T]>,
        a: MatrixMut<'_, T>,
        scratch: Scratch<'_, T>,
    );

    /// delta = ∂L/∂z from d = ∂L/∂a, in place.
    fn delta<T: Real>(self, target: Target, a: Matrix<'_, T>, d: MatrixMut<'_, T>);

    /// The delta of the layer with this activation from that of the layer above: d = (delta wᵀ) ⊙ f'(z).
    fn backward_input<T: Real>(
        self,
        target: Target,
        delta: Matrix<'_, T>,
        w_t: Matrix<'_, T>,
        a: Matrix<'_, T>,
        d: MatrixMut<'_, T>,
    );

    /// slope ← da_j/dz_j (the diagonal of the Jacobian where units depend on each other). `slope` comes as a copy of a.
    fn slope<T: Real>(self, target: Target, slope: &mut [T]);

    /// What is wrong with the parameters, if anything.
    fn check(&self) -> Result<(), String>;
}

/// a = f(z), as the kernels take it.
#[derive(Clone, Copy)]
struct Value<A>(A);

impl<A: Elementwise> Map for Value<A> {
    const IDENTITY: bool = A::IDENTITY;
    #[inline(always)]
    fn map<V: Vector>(self, z: V) -> V {
        self.0.value(z)
    }
}

/// d ⊙ f'(z), as the kernels take it.
#[derive(Clone, Copy)]
struct TimesSlope<A>(A);

impl<A: Elementwise> Map2 for TimesSlope<A> {
    const IDENTITY: bool = A::IDENTITY;
    #[inline(always)]
    fn map<V: Vector>(self, d: V, a: V) -> V {
        d * self.0.slope(a)
    }
}

/// f'(z) from a, as the kernels take it.
#[derive(Clone, Copy)]
struct Slope<A>(A);

impl<A: Elementwise> Map for Slope<A> {
    #[inline(always)]
    fn map<V: Vector>(self, a: V) -> V {
        self.0.slope(a)
    }
}

impl<A: Elementwise> Transfer for A {
    fn forward<T: Real>(
        self,
        target: Target,
        x: Matrix<'_, T>,
        w: Matrix<'_, T>,
        b: Option<&[T]>,
        a: MatrixMut<'_, T>,
        _scratch: Scratch<'_, T>,
    ) {
        product::forward(target, x, w, b, Value(self), a);
    }

    fn delta<T: Real>(self, target: Target, a: Matrix<'_, T>, mut d: MatrixMut<'_, T>) {
        if A::IDENTITY {
            return;
        }
        elementwise::map2(target, d.data_mut(), a.data(), TimesSlope(self));
    }

    fn backward_input<T: Real>(
        self,
        target: Target,
        delta: Matrix<'_, T>,
        w_t: Matrix<'_, T>,
        a: Matrix<'_, T>,
        d: MatrixMut<'_, T>,
    ) {
        product::backward_input(target, delta, w_t, TimesSlope(self), a, d);
    }

    fn slope<T: Real>(self, target: Target, slope: &mut [T]) {
        elementwise::map(target, slope, Slope(self));
    }

    fn check(&self) -> Result<(), String> {
        Elementwise::check(self)
    }
}

impl Activation {
    /// What is wrong with the parameters, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        each_activation!(self, f => Transfer::check(f))
    }
}
