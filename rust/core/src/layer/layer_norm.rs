//! layer_norm:  x̂ = (x − mean(x)) / √(var(x) + eps) over the units of a row,  a = gain ⊙ x̂ + shift;
//! backward  d_gain = Σ_rows delta ⊙ x̂,  d_shift = Σ_rows delta,  d_x = (g − mean(g) − x̂ mean(g ⊙ x̂)) / √(var(x) + eps)
//! with g = delta ⊙ gain.   Ba, Kiros and Hinton 2016; eps and first values are torch's, which calls gain and shift weight
//! and bias.
//!
//! delta is ∂L/∂a here: the gradient of the gain is made of it, and ∂L/∂x̂ = gain ⊙ delta would lose it where a gain is 0.

use super::{At, By, Keeps, LayerMemory, LayerPlan, Propagate, Scratch, Slope, Times, WayBack};
use crate::Real;
use crate::check::within;
use crate::tensor::{Declared, First, Group};
use chainrule_kernels::{Matrix, MatrixMut, elementwise, normalize, normalize_back, rows};
use serde::{Deserialize, Serialize};

/// A layer that brings the units of each row to mean 0 and variance 1, then scales and shifts each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNorm {
    /// Added to the variance, > 0 and finite in f32 too.
    pub eps: f64,
}

/// Positions in the list of tensors.
const GAIN: usize = 0;
const SHIFT: usize = 1;

impl LayerNorm {
    /// gain or shift, padding included.
    fn tensor<'a, T: Real>(at: At<'a, T>, position: usize) -> &'a [T] {
        &at.parameters[at.plan.tensors[position].at.clone()]
    }
}

impl Propagate for LayerNorm {
    fn n_out(&self, n_in: usize) -> usize {
        n_in
    }

    fn check(&self) -> Result<(), String> {
        within("eps", self.eps, (1e-45..=3e38).contains(&self.eps), "from 1e-45 to 3e38, as float32 has it")
    }

    fn tensors(&self, n_in: usize) -> Vec<Declared> {
        vec![
            Declared::vector("gain", n_in, Group::Weight, First::Ones),
            Declared::vector("shift", n_in, Group::Bias, First::Zeros),
        ]
    }

    /// x̂, and 1 / √(var + eps) of each row.
    fn keeps<T: Real>(&self, plan: &LayerPlan) -> Keeps {
        Keeps { a_row: vec![plan.n_in, 1], ..Keeps::default() }
    }

    fn forward<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &mut LayerMemory<T>,
        _scratch: &mut Scratch<T>,
        x: MatrixMut<'_, T>,
        a: By<MatrixMut<'_, T>>,
    ) {
        let a = a.in_rows();
        let (x_hat, root) = memory.matrix_and_numbers(x.rows(), x.columns());
        let tensors = (Self::tensor(at, GAIN), Self::tensor(at, SHIFT));
        normalize(at.machine, x.as_ref(), tensors, self.eps, x_hat, root, a);
    }

    /// x̂ and its gain.
    fn shown<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &LayerMemory<T>,
        _scratch: &mut Scratch<T>,
        x: Matrix<'_, T>,
        _a: Matrix<'_, T>,
        mut z: MatrixMut<'_, T>,
        mut slope: MatrixMut<'_, T>,
    ) {
        z.data_mut().copy_from_slice(memory.kept(0, x.rows(), x.columns()).data());
        (0..x.rows()).for_each(|i| slope.row_mut(i).copy_from_slice(&Self::tensor(at, GAIN)[..x.columns()]));
    }

    fn backward<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &mut LayerMemory<T>,
        _scratch: &mut Scratch<T>,
        WayBack { x, delta }: WayBack<'_, T>,
        below: Slope<'_, T>,
        mut d_x: MatrixMut<'_, T>,
    ) {
        let delta = delta.in_rows();
        let x_hat = memory.kept(0, x.rows(), x.columns());
        normalize_back(at.machine, delta, Self::tensor(at, GAIN), x_hat, memory.numbers(), d_x.reborrow());
        below.apply(at.machine, d_x);
    }

    fn sums<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &LayerMemory<T>,
        scratch: &mut Scratch<T>,
        WayBack { x, delta }: WayBack<'_, T>,
        accumulate: bool,
        gradient: &mut [T],
    ) -> T {
        let delta = delta.in_rows();
        let (rows, columns) = (x.rows(), x.columns());
        let [gain, shift] = [GAIN, SHIFT].map(|position| at.plan.tensors[position].at.clone());
        let mut product = super::packed_mut(&mut scratch.outputs, rows, columns);
        product.data_mut().copy_from_slice(delta.data());
        elementwise::map2(at.machine, product.data_mut(), memory.kept(0, rows, columns).data(), Times);
        rows::column_sums(at.machine, product.as_ref(), accumulate, &mut gradient[gain]);
        // |d_gain| ≤ ‖delta‖ ‖x̂‖, and Σ x̂² ≤ rows · columns, which is far below the bound.
        rows::column_sums(at.machine, delta, accumulate, &mut gradient[shift])
    }
}
