//! Backpropagation: the error of the output, times slope, passed back by the chain rule.
//!
//! delta_L = ∂L/∂a_L ⊙ f'(z_L);  delta_l = (delta_{l+1} w_{l+1}ᵀ) ⊙ f'(z_l);  d_w_l = a_{l−1}ᵀ delta_l;
//! d_b_l = Σ_rows delta_l. A tile's sums are a chain over its rows for each number; the tiles of a batch add up in order.

use crate::activation::{Activation, Identity, Transfer, each_activation};
use crate::data::gather;
use crate::forward::sum_of;
use crate::layer::{Factors, Layer, Place};
use crate::tiles::General;
use crate::workspace::{packed, packed_mut, view, view_mut};
use crate::{Batch, Error, Network, Real, Rows, Workspace};
use chainrule_kernels::{Buffer, Picks, product, rows, squares};

impl<T: Real> Network<T> {
    /// The loss of the rows that are picked, its gradient in `ws.gradient`, and the sum of their weights.
    /// All weights zero: loss 0, gradient 0.
    pub(crate) fn batch_gradient(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        training: bool,
    ) -> Result<(f64, f64), Error> {
        if let Some(done) = self.narrow_gradient(ws, batch, picks, |losses| sum_of(losses, T::to_f64))? {
            return Ok(done);
        }
        let weight_sum = batch.weight_sum(picks);
        self.start_batch(ws, picks.len(), training, false)?;
        if weight_sum == 0.0 {
            ws.gradient.fill(T::ZERO);
            return Ok((0.0, 0.0));
        }
        let loss = self.sum_of_gradients(ws, picks, |ws, tile| self.tile_deltas(ws, batch, tile, weight_sum))?;
        Ok((loss / weight_sum + self.add_penalty(ws), weight_sum))
    }

    /// The gradient of the rows that are picked in `ws.gradient`, tile by tile or tiles side by side. `deltas` goes forward and
    /// back, and returns the loss of a tile; returns the sum of them.
    pub(crate) fn sum_of_gradients(
        &self,
        ws: &mut Workspace<T>,
        picks: Picks<'_>,
        deltas: impl Fn(&mut Workspace<T>, Picks<'_>) -> Result<f64, Error> + Sync,
    ) -> Result<f64, Error> {
        if self.plan.side_by_side(picks.len(), self.machine.threads()) {
            let Workspace { lanes, gradient, .. } = ws;
            return self.sum_of_tiles(&General { network: self, deltas }, lanes, picks, gradient);
        }
        let mut loss = 0.0;
        for (t, tile) in picks.tiles(self.plan.tile).enumerate() {
            loss += deltas(ws, tile)?;
            self.gradients(ws, tile.len(), t > 0);
        }
        Ok(loss)
    }

    /// Makes room for the gradient of `rows` rows, and gets ready what all their tiles need.
    pub(crate) fn start_batch(
        &self,
        ws: &mut Workspace<T>,
        rows: usize,
        training: bool,
        inputs: bool,
    ) -> Result<(), Error> {
        self.start_rows(ws, rows, training, self.plan.flops(rows))?;
        ws.reserve_gradient(&self.plan, inputs)?;
        self.transpose_weights(ws, inputs);
        Ok(())
    }

    /// Forward and back: Σ wᵢ lᵢ of the rows of `tile`, and in `ws` the activations and deltas that make their gradient.
    pub(crate) fn tile_deltas(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        tile: Picks<'_>,
        weight_sum: f64,
    ) -> Result<f64, Error> {
        self.read_x(ws, batch.x, tile)?;
        self.forward_tile(ws, tile.len());
        let loss = self.loss_tile(ws, batch, tile, weight_sum)?;
        self.deltas(ws, tile.len(), false);
        Ok(loss)
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
        self.start_batch(ws, x.rows(), training, true)?;
        let last = self.spec.layers.len();
        let (k, stride_out) = (self.n_outputs(), self.plan.strides[last]);
        for (t, tile) in Picks::all(x.rows()).tiles(self.plan.tile).enumerate() {
            let rows = tile.len();
            self.read_x(ws, x, tile)?;
            self.forward_tile(ws, rows);
            ws.d[last][..rows * stride_out].fill(T::ZERO);
            let mut d = view_mut(&mut ws.d[last], rows, k, stride_out);
            gather(self.machine, "d_output", d_output, tile, &mut d, T::MAX)?;
            self.thin_delta(ws, rows);
            self.deltas(ws, rows, true);
            self.gradients(ws, rows, t > 0);
            let d_x = view(&ws.d[0], rows, n_in, self.plan.strides[0]);
            for (i, row) in tile.iter().enumerate() {
                inputs[row * n_in..][..n_in].copy_from_slice(d_x.row(i));
            }
        }
        self.add_penalty(ws);
        self.plan.unpack(&ws.gradient, flat);
        Ok(())
    }

    /// Writes w_lᵀ of every layer that passes an error on through it.
    fn transpose_weights(&self, ws: &mut Workspace<T>, inputs: bool) {
        for (l, place) in self.plan.places.iter().enumerate() {
            if let Some(place) = place
                && (l > 0 || inputs)
                && !(place.thin || place.wide)
            {
                let w_t = packed_mut(&mut ws.w_t[l], place.n_out, place.n_in);
                product::transpose(self.machine, place.w(&self.parameters), w_t);
            }
        }
    }

    /// From ∂L/∂a of the output in the last of `ws.d` and what `forward_tile` left in `ws.a` and `ws.z` to the delta of
    /// every layer: that of layer l is left in `ws.d[l + 1]`, that of a thin one is in `ws.thin`. With `inputs`, goes on to
    /// ∂L/∂x in `ws.d[0]`.
    pub(crate) fn deltas(&self, ws: &mut Workspace<T>, rows: usize, inputs: bool) {
        let (plan, layers, machine) = (&self.plan, &self.spec.layers, self.machine);
        // Whether the error of the layer at hand is delta already (its slope was applied with the product above) or
        // still ∂L/∂a.
        let mut is_delta = false;
        for (l, layer) in layers.iter().enumerate().rev() {
            let (n_in, stride_in) = (plan.units[l], plan.strides[l]);
            let (n_out, stride_out) = (plan.units[l + 1], plan.strides[l + 1]);
            let (d_below, d) = ws.d.split_at_mut(l + 1);
            let mut d = view_mut(&mut d[0], rows, n_out, stride_out);
            let thin = plan.places[l].as_ref().is_some_and(|place| place.thin);
            if let Layer::Dense(dense) = layer
                && !(is_delta || thin)
            {
                let saved = self.saved(&ws.a, &ws.z, l, rows);
                each_activation!(dense.activation, f => f.delta(machine, saved, d.reborrow()));
            }
            if l == 0 && !inputs {
                break;
            }
            let d = d.as_ref();
            let d_below = view_mut(&mut d_below[l], rows, n_in, stride_in);
            match (layer, &plan.places[l]) {
                (Layer::Dense(_), Some(place)) if place.wide => {
                    // d_xᵀ = w deltaᵀ: each number of w is read once, in order.
                    let [delta_t, d_x_t] = &mut ws.columns;
                    product::transpose(machine, d, packed_mut(delta_t, n_out, rows));
                    let w = place.w(&self.parameters).transposed();
                    let (delta_t, mut d_x_t) = (packed(delta_t, n_out, rows), packed_mut(d_x_t, n_in, rows));
                    product::backward_weight(machine, w, delta_t, d_x_t.reborrow());
                    product::transpose(machine, d_x_t.as_ref(), d_below);
                    is_delta = false;
                }
                (Layer::Dense(_), Some(place)) => {
                    let (d, w_t) = if place.thin {
                        (packed(&ws.thin[1], n_out, rows).transposed(), place.w(&self.parameters))
                    } else {
                        (d.into(), packed(&ws.w_t[l], n_out, n_in))
                    };
                    is_delta = match l.checked_sub(1).map(|below| &layers[below]) {
                        Some(Layer::Dense(below)) => {
                            let saved = self.saved(&ws.a, &ws.z, l - 1, rows);
                            each_activation!(below.activation, f => f.backward_input(machine, d, w_t, saved, d_below));
                            true
                        }
                        _ => {
                            let x = view(&ws.a[l], rows, n_in, stride_in);
                            Identity {}.backward_input(machine, d, w_t, x, d_below);
                            false
                        }
                    };
                }
                (Layer::Dropout(dropout), _) => {
                    // Without a counter there was no mask: a = x, and the error passes as it is.
                    let mask = ws.masks[l].is_some().then(|| view(&ws.mask[l], rows, n_in, stride_in));
                    dropout.forward(machine, d, mask, d_below);
                    is_delta = false;
                }
                (Layer::Dense(_), None) => unreachable!("a dense layer has parameters"),
            }
        }
    }

    /// From activations and deltas to the gradient, added up where `accumulate`.
    pub(crate) fn gradients(&self, ws: &mut Workspace<T>, rows: usize, accumulate: bool) {
        for (l, place) in self.plan.places.iter().enumerate() {
            if let Some(place) = place {
                let Workspace { a, d, thin, columns, gradient, .. } = ws;
                let factors = self.factors(l, place, rows, [a, d], thin, &mut columns[0]);
                place.weight_gradient(self.machine, factors, accumulate, gradient);
                if place.b.is_some() {
                    self.bias_gradient(ws, l, place, rows, accumulate);
                }
            }
        }
    }

    /// d_b = Σ_rows delta of layer `l` in its place of the gradient, where it has a b, added up where `accumulate`. Returns
    /// Σ delta², in any order.
    pub(crate) fn bias_gradient(
        &self,
        ws: &mut Workspace<T>,
        l: usize,
        place: &Place,
        rows: usize,
        accumulate: bool,
    ) -> T {
        let Workspace { d, thin, columns, gradient, .. } = ws;
        if place.thin {
            let d_b = match place.b.clone() {
                Some(b) => &mut gradient[b],
                None => &mut columns[1],
            };
            return rows::row_sums(self.machine, packed(&thin[1], place.n_out, rows), accumulate, d_b);
        }
        let delta = self.activation(d, l + 1, rows);
        match place.b.clone() {
            Some(b) => rows::column_sums(self.machine, delta, accumulate, &mut gradient[b]),
            None => squares(self.machine, delta.data()),
        }
    }

    /// What the gradient of layer `l` is made of, from the activations and deltas of `rows` rows.
    pub(crate) fn factors<'a>(
        &self,
        l: usize,
        place: &Place,
        rows: usize,
        [a, d]: [&'a [Buffer<T>]; 2],
        thin: &'a [Buffer<T>; 2],
        columns: &'a mut Buffer<T>,
    ) -> Factors<'a, T> {
        let x = self.activation(a, l, rows);
        if place.thin {
            return Factors { number: packed(&thin[1], place.n_out, rows).transposed(), vector: x };
        }
        let vector = self.activation(d, l + 1, rows);
        if !place.wide {
            return Factors { number: x.into(), vector };
        }
        product::transpose(self.machine, x, packed_mut(columns, place.n_in, rows));
        Factors { number: packed(columns, place.n_in, rows).transposed(), vector }
    }

    /// Adds the derivative of the penalties to the gradient and returns their value.
    fn add_penalty(&self, ws: &mut Workspace<T>) -> f64 {
        let mut value = 0.0;
        for (layer, place) in self.spec.layers.iter().zip(&self.plan.places) {
            if let (Layer::Dense(dense), Some(place)) = (layer, place) {
                value += dense.penalty(self.machine, place, &self.parameters, &mut ws.gradient);
            }
        }
        value
    }
}
