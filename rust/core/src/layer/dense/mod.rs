//! dense:  z = x w + b,  a = f(z);  backward  d_w = xᵀ delta,  d_b = Σ_rows delta,  d_x = delta wᵀ.

mod form;

use super::{
    At, By, Factors, Keeps, LayerMemory, LayerPlan, Products, Propagate, Scratch, Slope, WayBack, packed, packed_mut,
};
use crate::Real;
use crate::activation::{self, Activation, Identity, Saves, Transfer};
use crate::check::not_negative;
use crate::init::Init;
use crate::limits::Limits;
use crate::tensor::{Declared, First, Group};
use chainrule_kernels::{Machine, Matrix, MatrixMut, product, rows, squares, stride};
use serde::{Deserialize, Serialize};

pub(crate) use form::Form;

/// A layer in which every unit sees every input.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// Number of outputs, ≥ 1.
    pub units: usize,
    /// f.
    pub activation: Activation,
    /// Whether there is a b.
    pub bias: bool,
    /// First weights.
    pub init: Init,
    /// ½ · l2 · ‖w‖² is added to the loss, ≥ 0.
    pub l2: f64,
}

/// Positions in the list of tensors.
const W: usize = 0;
const B: usize = 1;

impl Dense {
    /// Whether a = z.
    fn is_plain(&self) -> bool {
        matches!(self.activation, Activation::Identity(_))
    }

    /// b, where there is one.
    fn b<'a, T: Real>(at: At<'a, T>) -> Option<&'a [T]> {
        at.plan.tensors.get(B).map(|b| &at.parameters[b.at.clone()])
    }
}

impl Propagate for Dense {
    fn n_out(&self, _n_in: usize) -> usize {
        self.units
    }

    fn check(&self) -> Result<(), String> {
        if self.units == 0 {
            return Err("units must be at least 1, got 0".into());
        }
        not_negative("l2", self.l2)?;
        self.init.check()?;
        self.activation.check()
    }

    fn tensors(&self, n_in: usize) -> Vec<Declared> {
        let weight = Declared { l2: self.l2, ..Declared::matrix("weight", n_in, self.units, First::Drawn(self.init)) };
        let bias = self.bias.then(|| Declared::vector("bias", self.units, Group::Bias, First::Zeros));
        [weight].into_iter().chain(bias).collect()
    }

    fn keeps<T: Real>(&self, plan: &LayerPlan) -> Keeps {
        let z = (self.activation.saves() == Saves::Input).then_some(self.units);
        let w_t = if plan.form == Form::Rows { plan.n_out * stride::<T>(plan.n_in) } else { 0 };
        Keeps { a_row: z.into_iter().collect(), a_batch: 0, back: w_t }
    }

    fn output(&self) -> Option<(&Activation, usize)> {
        Some((&self.activation, self.units))
    }

    fn form(&self, n_in: usize, is_last: bool, limits: &Limits) -> Form {
        Form::of(n_in, self.units, is_last && self.is_plain(), limits)
    }

    fn forward<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &mut LayerMemory<T>,
        scratch: &mut Scratch<T>,
        x: MatrixMut<'_, T>,
        a: By<MatrixMut<'_, T>>,
    ) {
        let w = at.plan.tensors[W].matrix(at.parameters);
        let b = Self::b(at);
        match a {
            By::Rows(a) => {
                let (rows, n_out) = (a.rows(), a.columns());
                let z = match self.activation.saves() {
                    Saves::Output => packed_mut(&mut scratch.outputs, rows, n_out),
                    Saves::Input => memory.kept_mut(0, rows, n_out),
                };
                let scratch = activation::Scratch { z, row: &mut scratch.row[..rows] };
                self.activation.forward(at.machine, x.as_ref(), w, b.into(), a, scratch);
            }
            By::Columns(a_t) => {
                let (n_in, rows) = (x.columns(), x.rows());
                let x = cleared_padding(x);
                let x_t = &mut scratch.columns[0];
                product::transpose(at.machine, x.as_ref(), packed_mut(x_t, n_in, rows));
                product::forward_transposed(at.machine, w, packed(x_t, n_in, rows), b, a_t);
            }
        }
    }

    fn slope<'a, T: Real>(&self, _at: At<'_, T>, memory: &'a LayerMemory<T>, a: Matrix<'a, T>) -> Slope<'a, T> {
        match self.activation.saves() {
            _ if self.is_plain() => Slope::One,
            Saves::Output => Slope::Of(self.activation, a),
            Saves::Input => Slope::Of(self.activation, memory.kept(0, a.rows(), a.columns())),
        }
    }

    /// z = x w + b and f'(z).
    fn shown<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &LayerMemory<T>,
        scratch: &mut Scratch<T>,
        x: Matrix<'_, T>,
        a: Matrix<'_, T>,
        mut z: MatrixMut<'_, T>,
        slope: MatrixMut<'_, T>,
    ) {
        self.slope(at, memory, a).write(at.machine, slope);
        if self.is_plain() {
            return z.data_mut().copy_from_slice(a.data());
        }
        let w = at.plan.tensors[W].matrix(at.parameters);
        let unused = packed_mut(&mut scratch.outputs, a.rows(), a.columns());
        let scratch = activation::Scratch { z: unused, row: &mut scratch.row[..a.rows()] };
        Identity {}.forward(at.machine, x, w, Self::b(at).into(), z, scratch);
    }

    /// Writes the copy of wᵀ that deltas go back through.
    fn start_back<T: Real>(&self, at: At<'_, T>, memory: &mut LayerMemory<T>) {
        if at.plan.form == Form::Rows {
            let w_t = packed_mut(&mut memory.back, at.plan.n_out, at.plan.n_in);
            product::transpose(at.machine, at.plan.tensors[W].matrix(at.parameters), w_t);
        }
    }

    fn backward<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &mut LayerMemory<T>,
        scratch: &mut Scratch<T>,
        WayBack { x, delta }: WayBack<'_, T>,
        below: Slope<'_, T>,
        mut d_x: MatrixMut<'_, T>,
    ) {
        let (n_in, n_out, rows) = (at.plan.n_in, at.plan.n_out, d_x.rows());
        let w = at.plan.tensors[W].matrix(at.parameters);
        match (delta, at.plan.form) {
            (By::Columns(delta_t), _) => below.product(at.machine, delta_t.transposed(), w, x, d_x),
            (By::Rows(delta), Form::InPlace) => {
                // d_xᵀ = w deltaᵀ: each number of w is read once, in order.
                let [delta_t, d_x_t] = &mut scratch.columns;
                product::transpose(at.machine, delta, packed_mut(delta_t, n_out, rows));
                let mut d_x_t = packed_mut(d_x_t, n_in, rows);
                product::backward_weight(at.machine, w.transposed(), packed(delta_t, n_out, rows), d_x_t.reborrow());
                product::transpose(at.machine, d_x_t.as_ref(), d_x.reborrow());
                below.apply(at.machine, d_x);
            }
            (By::Rows(delta), _) => {
                let w_t = packed(&memory.back, n_out, n_in);
                below.product(at.machine, delta.into(), w_t, x, d_x);
            }
        }
    }

    fn sums<T: Real>(
        &self,
        at: At<'_, T>,
        _memory: &LayerMemory<T>,
        scratch: &mut Scratch<T>,
        WayBack { delta, .. }: WayBack<'_, T>,
        accumulate: bool,
        gradient: &mut [T],
    ) -> T {
        let d_b = at.plan.tensors.get(B).map(|b| &mut gradient[b.at.clone()]);
        match (delta, d_b) {
            (By::Rows(delta), Some(d_b)) => rows::column_sums(at.machine, delta, accumulate, d_b),
            (By::Rows(delta), None) => squares(at.machine, delta.data()),
            (By::Columns(delta), Some(d_b)) => rows::row_sums(at.machine, delta, accumulate, d_b),
            (By::Columns(delta), None) => rows::row_sums(at.machine, delta, false, &mut scratch.columns[1]),
        }
    }

    fn products<T: Real>(
        &self,
        machine: Machine,
        plan: &LayerPlan,
        _memory: &LayerMemory<T>,
        scratch: &mut Scratch<T>,
        WayBack { x, delta }: WayBack<'_, T>,
        take: &mut Products<'_, T>,
    ) {
        let w = &plan.tensors[W];
        match (delta, plan.form) {
            (By::Columns(delta), _) => take(w, Factors { broadcast: delta.transposed(), vector: x }),
            (By::Rows(delta), Form::InPlace) => {
                // Reading a large x in the order of its columns is slow, so it is transposed first.
                let (n_in, rows) = (x.columns(), x.rows());
                product::transpose(machine, x, packed_mut(&mut scratch.columns[0], n_in, rows));
                let x_t = packed(&scratch.columns[0], n_in, rows);
                take(w, Factors { broadcast: x_t.transposed(), vector: delta });
            }
            (By::Rows(delta), _) => take(w, Factors { broadcast: x.into(), vector: delta }),
        }
    }
}

/// The same with zeros in the padding. That of a sigmoid holds ½, which would reach the padding of weights in columns. All
/// of it holds the same.
fn cleared_padding<T: Real>(mut a: MatrixMut<'_, T>) -> MatrixMut<'_, T> {
    let (columns, stride) = (a.columns(), a.stride());
    if columns < stride && a.data().get(columns).is_some_and(|&x| x != T::ZERO) {
        a.data_mut().chunks_exact_mut(stride).for_each(|row| row[columns..].fill(T::ZERO));
    }
    a
}
