//! dense:  z = x w + b,  a = f(z);  backward  d_w = xᵀ delta,  d_b = Σ_rows delta,  d_x = delta wᵀ.

use crate::activation::{Activation, Scratch, Transfer, each_activation};
use crate::check::not_negative;
use crate::init::Init;
use crate::optimizer::Plain;
use chainrule_kernels::{Factor, Machine, Map2, Matrix, MatrixMut, Real, Vector, elementwise, product};
use serde::{Deserialize, Serialize};
use std::ops::Range;

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

/// Where a dense layer's parameters are in the flat buffer: w row by row at `stride`, then b.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) n_in: usize,
    pub(crate) n_out: usize,
    /// Whether wᵀ is stored in place of w: see [`Plan`](crate::plan::Plan).
    pub(crate) thin: bool,
    /// Whether deltas go back through w itself, with the rows in columns: see [`Plan`](crate::plan::Plan).
    pub(crate) wide: bool,
    pub(crate) stride: usize,
    pub(crate) w: Range<usize>,
    pub(crate) b: Option<Range<usize>>,
}

impl Place {
    /// Rows and columns of what is stored.
    fn shape(&self) -> (usize, usize) {
        if self.thin { (self.n_out, self.n_in) } else { (self.n_in, self.n_out) }
    }

    /// w in a flat buffer; wᵀ of a thin layer.
    pub(crate) fn w<'a, T: Real>(&self, flat: &'a [T]) -> Matrix<'a, T> {
        let (rows, columns) = self.shape();
        Matrix::new(&flat[self.w.clone()], rows, columns, self.stride)
    }

    /// d_w in the flat `gradient`, added to what is there where `accumulate`.
    pub(crate) fn weight_gradient<T: Real>(
        &self,
        machine: Machine,
        factors: Factors<'_, T>,
        accumulate: bool,
        gradient: &mut [T],
    ) {
        let (Factors { number, vector }, w) = (factors, self.w.clone());
        if accumulate {
            return product::update_weight(machine, number, vector, gradient, &mut [], w, self.stride, Plain::ADD);
        }
        let (rows, columns) = self.shape();
        let d_w = MatrixMut::new(&mut gradient[w], rows, columns, self.stride);
        product::backward_weight(machine, number, vector, d_w);
    }

    /// b in a flat buffer.
    pub(crate) fn b<'a, T: Real>(&self, flat: &'a [T]) -> Option<&'a [T]> {
        self.b.clone().map(|b| &flat[b])
    }
}

/// What the gradient of a layer is made of: d_w = numberᵀ vector, as w is stored.
#[derive(Clone, Copy)]
pub(crate) struct Factors<'a, T> {
    /// x, or delta for a thin layer; in the order of reading where it is large.
    pub(crate) number: Factor<'a, T>,
    /// delta, or x for a thin layer.
    pub(crate) vector: Matrix<'a, T>,
}

/// g + l2 · w.
#[derive(Clone, Copy)]
struct AddPenalty {
    l2: f64,
}

impl Map2 for AddPenalty {
    #[inline(always)]
    fn map<V: Vector>(self, g: V, w: V) -> V {
        w.fma(w.like(self.l2), g)
    }
}

impl Dense {
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.units == 0 {
            return Err("units must be at least 1, got 0".into());
        }
        not_negative("l2", self.l2)?;
        self.init.check()?;
        self.activation.check()
    }

    /// a = f(x w + b), w as it is stored for layers that are not thin.
    pub(crate) fn forward<T: Real>(
        &self,
        machine: Machine,
        place: &Place,
        parameters: &[T],
        x: Matrix<'_, T>,
        a: MatrixMut<'_, T>,
        scratch: Scratch<'_, T>,
    ) {
        let (w, b) = (place.w(parameters), place.b(parameters));
        each_activation!(self.activation, f => f.forward(machine, x, w, b, a, scratch));
    }

    /// Adds the derivative of ½ · l2 · ‖w‖² to d_w and returns its value.
    pub(crate) fn penalty<T: Real>(
        &self,
        machine: Machine,
        place: &Place,
        parameters: &[T],
        gradient: &mut [T],
    ) -> f64 {
        if self.l2 == 0.0 {
            return 0.0;
        }
        let w = &parameters[place.w.clone()];
        elementwise::map2(machine, &mut gradient[place.w.clone()], w, AddPenalty { l2: self.l2 });
        self.penalty_value(place, parameters)
    }

    /// ½ · l2 · ‖w‖².
    pub(crate) fn penalty_value<T: Real>(&self, place: &Place, parameters: &[T]) -> f64 {
        if self.l2 == 0.0 {
            return 0.0;
        }
        // Eight sums side by side, or each addition would wait for the one before. Padding adds zeros.
        let mut sums = [0.0f64; 8];
        for chunk in parameters[place.w.clone()].chunks_exact(8) {
            for (sum, w) in sums.iter_mut().zip(chunk) {
                *sum += w.to_f64() * w.to_f64();
            }
        }
        0.5 * self.l2 * sums.iter().sum::<f64>()
    }
}
