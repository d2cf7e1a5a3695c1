//! Backpropagation: the error of the output, times slope, passed back by the chain rule.
//!
//! delta_L = ∂L/∂a_L ⊙ f'(z_L);  delta_l = (delta_{l+1} w_{l+1}ᵀ) ⊙ f'(z_l);  d_w_l = a_{l−1}ᵀ delta_l;
//! d_b_l = Σ_rows delta_l. Tiles of a batch add up in the order of the rows, in one chain for each number.

use crate::activation::{Activation, Identity, Transfer, each_activation};
use crate::data::{Selection, gather};
use crate::layer::Layer;
use crate::workspace::{view, view_mut};
use crate::{Batch, Error, Network, Real, Rows, Workspace};
use chainrule_kernels::{Matrix, product, stride};

/// Sees delta of each layer on the way back: (layer, delta).
pub(crate) type Observer<'a, T> = &'a mut dyn FnMut(usize, Matrix<'_, T>);

impl<T: Real> Network<T> {
    /// The loss of the rows of `selection`, its gradient in `ws.gradient`, and the sum of their weights.
    /// All weights zero: loss 0, gradient 0.
    pub(crate) fn batch_gradient(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        selection: Selection<'_>,
        training: bool,
    ) -> Result<(f64, f64), Error> {
        let weight_sum: f64 = selection.iter().map(|row| batch.weight(row)).sum();
        ws.reserve_gradient(&self.plan, false)?;
        if weight_sum == 0.0 {
            ws.gradient.fill(T::default());
            return Ok((0.0, 0.0));
        }
        let tile_rows = selection.len().min(self.plan.tile);
        ws.reserve_rows(&self.plan, &self.spec.layers, tile_rows)?;
        self.start_masks(ws, training);
        self.transpose_weights(ws, false);
        let mut loss = 0.0;
        for (t, tile) in selection.tiles(self.plan.tile).enumerate() {
            self.read_x(ws, batch.x, tile)?;
            self.forward_tile(ws, tile.len());
            loss += self.loss_tile(ws, batch, tile, weight_sum)?;
            self.backward_tile(ws, tile.len(), t > 0, false, &mut |_, _| ());
        }
        Ok((loss / weight_sum + self.add_penalty(ws), weight_sum))
    }

    /// The gradient that follows from a caller's d_output = ∂L/∂(raw output), penalties included: `flat` in the order
    /// of the parameters, `inputs` = ∂L/∂x of (n, n_inputs). With `training`, dropout uses the masks of the coming step.
    ///
    /// # Errors
    /// [`Error::Inputs`], [`Error::Outputs`], [`Error::Rows`], [`Error::Empty`], [`Error::NotFinite`], [`Error::Memory`].
    ///
    /// # Panics
    /// Where `flat` is not `n_parameters` long or `inputs` does not hold n · n_inputs values.
    pub fn backward(
        &self,
        workspace: &mut Workspace<T>,
        x: &dyn Rows<T>,
        d_output: &dyn Rows<T>,
        training: bool,
        flat: &mut [T],
        inputs: &mut [T],
    ) -> Result<(), Error> {
        self.check_x(x)?;
        if x.rows() == 0 {
            return Err(Error::Empty);
        }
        if d_output.rows() != x.rows() {
            return Err(Error::Rows { argument: "d_output", expected: x.rows(), got: d_output.rows() });
        }
        if d_output.columns() != self.n_outputs() {
            return Err(Error::Outputs { argument: "d_output", expected: self.n_outputs(), got: d_output.columns() });
        }
        let n_in = self.n_inputs();
        assert_eq!(Some(inputs.len()), x.rows().checked_mul(n_in));
        let ws = workspace;
        ws.reserve_gradient(&self.plan, true)?;
        ws.reserve_rows(&self.plan, &self.spec.layers, x.rows().min(self.plan.tile))?;
        self.start_masks(ws, training);
        self.transpose_weights(ws, true);
        let (k, stride_out) = (self.n_outputs(), self.plan.strides[self.spec.layers.len()]);
        let all = Selection::all(x.rows());
        for (t, tile) in all.tiles(self.plan.tile).enumerate() {
            let rows = tile.len();
            self.read_x(ws, x, tile)?;
            self.forward_tile(ws, rows);
            ws.d[0][..rows * stride_out].fill(T::default());
            let mut d = view_mut(&mut ws.d[0], rows, k, stride_out);
            gather("d_output", d_output, tile, &mut d)?;
            let at = self.backward_tile(ws, rows, t > 0, true, &mut |_, _| ());
            let d_x = view(&ws.d[at], rows, n_in, self.plan.strides[0]);
            for (i, row) in tile.iter().enumerate() {
                inputs[row * n_in..][..n_in].copy_from_slice(d_x.row(i));
            }
        }
        self.add_penalty(ws);
        self.plan.unpack(&ws.gradient, flat);
        Ok(())
    }

    /// Writes w_lᵀ of every layer that passes an error on.
    pub(crate) fn transpose_weights(&self, ws: &mut Workspace<T>, inputs: bool) {
        for (l, place) in self.plan.places.iter().enumerate() {
            if let (Some(place), true) = (place, l > 0 || inputs) {
                let (rows, columns) = (place.n_out, place.n_in);
                let w_t = view_mut(&mut ws.w_t[l], rows, columns, stride::<T>(columns));
                product::transpose(self.target, place.w(&self.parameters), w_t);
            }
        }
    }

    /// From ∂L/∂a of the output in `ws.d[0]` and what `forward_tile` left in `ws.a` and `ws.z` to the gradient,
    /// added up where `accumulate`. With `inputs`, goes on to ∂L/∂x and returns which of `ws.d` holds it.
    pub(crate) fn backward_tile(
        &self,
        ws: &mut Workspace<T>,
        rows: usize,
        accumulate: bool,
        inputs: bool,
        observe: Observer<'_, T>,
    ) -> usize {
        let plan = &self.plan;
        let layers = &self.spec.layers;
        // Where the error of the layer at hand lies, and whether it is delta already (its slope was applied with the
        // product above) or still ∂L/∂a.
        let mut at = 0;
        let mut is_delta = false;
        for (l, layer) in layers.iter().enumerate().rev() {
            let (n_in, stride_in) = (plan.units[l], plan.strides[l]);
            let (n_out, stride_out) = (plan.units[l + 1], plan.strides[l + 1]);
            let [first, second] = &mut ws.d;
            let (d, d_below) = if at == 0 { (first, second) } else { (second, first) };
            let x = view(&ws.a[l], rows, n_in, stride_in);
            match (layer, &plan.places[l]) {
                (Layer::Dense(dense), Some(place)) => {
                    if !is_delta {
                        let saved = self.saved(&ws.a, &ws.z, l, rows);
                        let d = view_mut(d, rows, n_out, stride_out);
                        each_activation!(dense.activation, f => f.delta(self.target, saved, d));
                    }
                    let delta = view(d, rows, n_out, stride_out);
                    observe(l, delta);
                    dense.gradient(self.target, place, x, delta, accumulate, &mut ws.gradient);
                    if l == 0 && !inputs {
                        break;
                    }
                    let w_t = view(&ws.w_t[l], n_out, n_in, stride::<T>(n_in));
                    let d_below = view_mut(d_below, rows, n_in, stride_in);
                    is_delta = match l.checked_sub(1).map(|below| &layers[below]) {
                        Some(Layer::Dense(below)) => {
                            let saved = self.saved(&ws.a, &ws.z, l - 1, rows);
                            each_activation!(below.activation, f => f.backward_input(self.target, delta, w_t, saved, d_below));
                            true
                        }
                        _ => {
                            Identity {}.backward_input(self.target, delta, w_t, x, d_below);
                            false
                        }
                    };
                    at = 1 - at;
                }
                (Layer::Dropout(dropout), _) => {
                    // Without a stream there was no mask: a = x, and the error passes as it is.
                    if ws.streams[l].is_some() {
                        let mask = view(&ws.mask[l], rows, n_in, stride_in);
                        dropout.backward(self.target, mask, view_mut(d, rows, n_in, stride_in));
                    }
                    observe(l, view(d, rows, n_in, stride_in));
                }
                (Layer::Dense(_), None) => unreachable!("a dense layer has parameters"),
            }
        }
        at
    }

    /// Adds the derivative of the penalties to the gradient and returns their value.
    fn add_penalty(&self, ws: &mut Workspace<T>) -> f64 {
        let mut value = 0.0;
        for (layer, place) in self.spec.layers.iter().zip(&self.plan.places) {
            if let (Layer::Dense(dense), Some(place)) = (layer, place) {
                value += dense.penalty(self.target, place, &self.parameters, &mut ws.gradient);
            }
        }
        value
    }
}
