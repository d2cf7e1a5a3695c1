//! Forward propagation:  a_l = f_l(a_{l−1} w_l + b_l), layer by layer, for a tile of rows; then the loss.

use crate::activation::{Saves, Scratch};
use crate::data::gather;
use crate::layer::{Layer, Place};
use crate::loss::{Domain, Loss, RowLoss, TileLoss, TileTargets, each_loss};
use crate::rng::{Counter, Purpose};
use crate::train::small_squares;
use crate::workspace::{packed, packed_mut, view, view_mut};
use crate::{Batch, Error, Network, Real, Rows, Targets, Workspace};
use chainrule_kernels::{Buffer, Machine, Matrix, MatrixMut, Picks, pool, product};

impl<T: Real> Network<T> {
    /// Refuses an x with the wrong number of columns.
    pub(crate) fn check_x(&self, x: &dyn Rows<T>) -> Result<(), Error> {
        if x.columns() == self.spec.n_inputs {
            return Ok(());
        }
        Err(Error::Inputs { expected: self.spec.n_inputs, got: x.columns() })
    }

    /// Refuses a batch whose parts do not fit each other, the network or the loss.
    pub(crate) fn check_batch(&self, batch: &Batch<'_, T>) -> Result<(), Error> {
        self.check_x(batch.x)?;
        batch.check()?;
        let (loss, outputs) = (&self.spec.loss, self.n_outputs());
        match &batch.y {
            Targets::Labels(_) if !loss.takes_labels() => Err(Error::LabelsForValues { loss: loss.name() }),
            Targets::Values(values) if values.columns() != loss.targets(outputs) => {
                let (expected, got) = (loss.targets(outputs), values.columns());
                Err(Error::TargetColumns { loss: loss.name(), expected, outputs, got })
            }
            _ => Ok(()),
        }
    }

    /// The first rows of activation `l`: x for 0, then the output of layer l − 1.
    pub(crate) fn activation<'a>(&self, a: &'a [Buffer<T>], l: usize, rows: usize) -> Matrix<'a, T> {
        view(&a[l], rows, self.plan.units[l], self.plan.strides[l])
    }

    /// What layer `l` kept for its slope: the first rows of its z where its activation saves that, else of its a.
    pub(crate) fn saved<'a>(&self, a: &'a [Buffer<T>], z: &'a [Buffer<T>], l: usize, rows: usize) -> Matrix<'a, T> {
        match &self.spec.layers[l] {
            Layer::Dense(dense) if dense.activation.saves() == Saves::Input => {
                view(&z[l], rows, self.plan.units[l + 1], self.plan.strides[l + 1])
            }
            _ => self.activation(a, l + 1, rows),
        }
    }

    /// Gets ready for so many rows that take so many operations: memory, masks, and workers where they are worth waking.
    pub(crate) fn start_rows(
        &self,
        ws: &mut Workspace<T>,
        rows: usize,
        training: bool,
        flops: f64,
    ) -> Result<(), Error> {
        if self.plan.narrow.is_none() {
            self.rouse(rows, flops as usize);
        }
        ws.reserve_rows(&self.plan, &self.spec.layers, rows.min(self.plan.tile))?;
        self.start_masks(ws, training);
        Ok(())
    }

    /// Wakes workers where products of batches of `rows` rows are worth cutting, and `work` is worth waking them.
    pub(crate) fn rouse(&self, rows: usize, work: usize) {
        pool::rouse(self.machine.threads(), work, || self.plan.largest_work(rows.min(self.plan.tile)));
    }

    /// Says what the dropout masks of a batch follow from; there are none outside training.
    pub(crate) fn start_masks(&self, ws: &mut Workspace<T>, training: bool) {
        ws.first_row = 0;
        for (l, (layer, mask)) in self.spec.layers.iter().zip(&mut ws.masks).enumerate() {
            *mask = match layer {
                Layer::Dropout(dropout) if training && dropout.rate > 0.0 => {
                    Some(Counter::new(self.spec.seed, Purpose::Dropout, l as u64, self.steps))
                }
                _ => None,
            };
        }
    }

    /// Copies the rows of `tile` to the workspace.
    pub(crate) fn read_x(&self, ws: &mut Workspace<T>, x: &dyn Rows<T>, tile: Picks<'_>) -> Result<(), Error> {
        let (columns, stride) = (self.plan.units[0], self.plan.strides[0]);
        let mut into = view_mut(&mut ws.a[0], tile.len(), columns, stride);
        ws.x_is_small = gather(self.machine, "X", x, tile, &mut into, self.small_x(tile.len()))?;
        Ok(())
    }

    /// The largest |x| with which Σ x² over `rows` rows is small for certain.
    pub(crate) fn small_x(&self, rows: usize) -> T {
        (small_squares::<T>() / T::from_f64((rows * self.spec.n_inputs) as f64)).sqrt()
    }

    /// Carries the `rows` rows in the workspace through all layers; the outputs of a thin last layer are left in `ws.thin`.
    pub(crate) fn forward_tile(&self, ws: &mut Workspace<T>, rows: usize) {
        for (l, layer) in self.spec.layers.iter().enumerate() {
            let (below, above) = ws.a.split_at_mut(l + 1);
            let (n_in, n_out) = (self.plan.units[l], self.plan.units[l + 1]);
            let (stride_in, stride_out) = (self.plan.strides[l], self.plan.strides[l + 1]);
            if self.plan.places[l].as_ref().is_some_and(|place| place.thin) {
                clear_padding(view_mut(&mut below[l], rows, n_in, stride_in));
            }
            let x = view(&below[l], rows, n_in, stride_in);
            let a = view_mut(&mut above[0], rows, n_out, stride_out);
            match layer {
                Layer::Dense(dense) => {
                    let Some(place) = &self.plan.places[l] else { unreachable!("a dense layer has parameters") };
                    if place.thin {
                        let x_t = &mut ws.columns[0];
                        product::transpose(self.machine, x, packed_mut(x_t, n_in, rows));
                        let (w_t, b) = (place.w(&self.parameters), place.b(&self.parameters));
                        let a_t = packed_mut(&mut ws.thin[0], n_out, rows);
                        product::forward_transposed(self.machine, w_t, packed(x_t, n_in, rows), b, a_t);
                        continue;
                    }
                    let z = match dense.activation.saves() {
                        Saves::Output => &mut ws.d[l + 1],
                        Saves::Input => &mut ws.z[l],
                    };
                    let z = view_mut(z, rows, n_out, stride_out);
                    let scratch = Scratch { z, row: &mut ws.scratch[..rows] };
                    dense.forward(self.machine, place, &self.parameters, x, a, scratch);
                }
                Layer::Dropout(dropout) => {
                    let first = ws.first_row;
                    let mask = ws.masks[l].map(|counter| {
                        dropout.draw(counter, first, view_mut(&mut ws.mask[l], rows, n_in, stride_in));
                        view(&ws.mask[l], rows, n_in, stride_in)
                    });
                    dropout.forward(self.machine, x, mask, a);
                }
            }
        }
        ws.first_row += rows;
    }

    /// Puts the outputs of a thin last layer where those of others are.
    pub(crate) fn finish_outputs(&self, ws: &mut Workspace<T>, rows: usize) {
        if let Some(place) = self.plan.thin() {
            let last = self.spec.layers.len();
            let a = view_mut(&mut ws.a[last], rows, place.n_out, self.plan.strides[last]);
            product::transpose(self.machine, packed(&ws.thin[0], place.n_out, rows), a);
        }
    }

    /// Losses of the rows of `tile`, and their derivatives by the output times wᵢ / Σ w, in the last of `ws.d`, or in
    /// `ws.thin` where the last layer is thin. Returns Σ wᵢ lᵢ.
    pub(crate) fn loss_tile(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        tile: Picks<'_>,
        weight_sum: f64,
    ) -> Result<f64, Error> {
        let (rows, last) = (tile.len(), self.spec.layers.len());
        let (k, stride) = (self.plan.units[last], self.plan.strides[last]);
        let (machine, loss) = (self.machine, &self.spec.loss);
        match &batch.y {
            Targets::Labels(labels) => read_labels(labels, tile, &mut ws.labels, k)?,
            Targets::Values(values) => {
                read_values(machine, loss, *values, tile, view_mut(&mut ws.y, rows, loss.targets(k), stride))?;
            }
        }
        match batch.sample_weight {
            None => ws.scale[..rows].fill(T::from_f64(1.0 / weight_sum)),
            Some(weights) => {
                let scales = ws.scale.iter_mut().zip(tile.iter());
                scales.for_each(|(scale, row)| *scale = T::from_f64(weights[row] / weight_sum));
            }
        }
        ws.scale[rows..].fill(T::ZERO);
        if !self.loss_in_columns(ws, matches!(batch.y, Targets::Labels(_)), rows) {
            self.finish_outputs(ws, rows);
            let y = match batch.y {
                Targets::Labels(_) => TileTargets::Labels(&ws.labels[..rows]),
                Targets::Values(_) => TileTargets::Values(view(&ws.y, rows, loss.targets(k), stride)),
            };
            let a = self.activation(&ws.a, last, rows);
            let mut d = view_mut(&mut ws.d[last], rows, k, stride);
            // Padding of a delta must be zero, or it would reach the padding of the weights.
            for row in d.data_mut().chunks_exact_mut(stride) {
                row[k..].fill(T::ZERO);
            }
            let row_loss = &mut ws.row_loss[..rows];
            let out = TileLoss { scale: &ws.scale[..rows], d, row_loss, scratch: &mut ws.scratch[..rows] };
            each_loss!(loss, l => l.evaluate(machine, a, y, out));
            self.thin_delta(ws, rows);
        }
        let Some(weights) = batch.sample_weight else {
            return Ok(sum_of(&ws.row_loss[..rows], |loss| loss));
        };
        let weighted = tile.iter().zip(&ws.row_loss).map(|(row, &l)| {
            let w = weights[row];
            if w == 0.0 { 0.0 } else { w * l }
        });
        Ok(weighted.sum())
    }

    /// The losses of a thin last layer where they are, in columns, if the loss can do that.
    fn loss_in_columns(&self, ws: &mut Workspace<T>, labels: bool, rows: usize) -> bool {
        let (machine, loss, last) = (self.machine, &self.spec.loss, self.spec.layers.len());
        let Some(&Place { n_out, .. }) = self.plan.thin() else { return false };
        if !each_loss!(loss, l => l.has_columns(labels)) {
            return false;
        }
        let stride = self.plan.strides[last];
        let [a_t, d_t] = &mut ws.thin;
        let y = if labels {
            TileTargets::Labels(&ws.labels[..rows])
        } else {
            let y_t = &mut ws.columns[0];
            product::transpose(machine, view(&ws.y, rows, n_out, stride), packed_mut(y_t, n_out, rows));
            TileTargets::Values(packed(y_t, n_out, rows))
        };
        let out = TileLoss {
            scale: &ws.scale,
            d: packed_mut(d_t, n_out, rows),
            row_loss: &mut ws.row_loss[..rows],
            scratch: &mut ws.scratch,
        };
        each_loss!(loss, l => l.evaluate_columns(machine, packed(a_t, n_out, rows), y, out));
        true
    }

    /// Puts the delta of a thin last layer where those of others are.
    pub(crate) fn finish_delta(&self, ws: &mut Workspace<T>, rows: usize) {
        if let Some(place) = self.plan.thin() {
            let last = self.spec.layers.len();
            let d = view_mut(&mut ws.d[last], rows, place.n_out, self.plan.strides[last]);
            product::transpose(self.machine, packed(&ws.thin[1], place.n_out, rows), d);
        }
    }

    /// The delta of a thin last layer with its rows in columns, from where those of others are.
    pub(crate) fn thin_delta(&self, ws: &mut Workspace<T>, rows: usize) {
        if let Some(place) = self.plan.thin() {
            let last = self.spec.layers.len();
            let delta = view(&ws.d[last], rows, place.n_out, self.plan.strides[last]);
            product::transpose(self.machine, delta, packed_mut(&mut ws.thin[1], place.n_out, rows));
        }
    }

    /// Σ ½ · l2 · ‖w‖² over the layers.
    pub(crate) fn penalty(&self) -> f64 {
        let layers = self.spec.layers.iter().zip(&self.plan.places);
        layers
            .filter_map(|pair| match pair {
                (Layer::Dense(dense), Some(place)) => Some(dense.penalty_value(place, &self.parameters)),
                _ => None,
            })
            .sum()
    }

    /// The loss of a whole batch outside training; 0 where all its weights are.
    pub(crate) fn batch_loss(&self, ws: &mut Workspace<T>, batch: &Batch<'_, T>) -> Result<f64, Error> {
        let all = Picks::all(batch.x.rows());
        let weight_sum = batch.weight_sum(all);
        if weight_sum == 0.0 {
            return Ok(0.0);
        }
        self.start_rows(ws, all.len(), false, self.plan.forward_flops(all.len()))?;
        let mut loss = 0.0;
        for tile in all.tiles(self.plan.tile) {
            self.read_x(ws, batch.x, tile)?;
            self.forward_tile(ws, tile.len());
            loss += self.loss_tile(ws, batch, tile, weight_sum)?;
        }
        Ok(loss / weight_sum + self.penalty())
    }
}

/// Copies the labels of the rows of `tile`, and refuses one that is not below k.
pub(crate) fn read_labels(labels: &[u32], tile: Picks<'_>, into: &mut [u32], k: usize) -> Result<(), Error> {
    let (mut into, mut largest) = (into.iter_mut(), 0);
    tile.for_each(|row| {
        if let Some(to) = into.next() {
            *to = labels[row];
            largest = largest.max(*to);
        }
    });
    if largest as usize >= k {
        // The place is looked for only where something is wrong.
        let row = tile.iter().find(|&row| labels[row] as usize >= k).unwrap_or_default();
        return Err(Error::Label { label: labels[row], row, classes: k });
    }
    Ok(())
}

/// Copies the targets of the rows of `tile`, and refuses what the loss has no meaning for.
pub(crate) fn read_values<T: Real>(
    machine: Machine,
    loss: &Loss,
    values: &dyn Rows<T>,
    tile: Picks<'_>,
    mut into: MatrixMut<'_, T>,
) -> Result<(), Error> {
    gather(machine, "y", values, tile, &mut into, T::MAX)?;
    let domain = loss.domain();
    if domain != Domain::Numbers {
        for (i, row) in tile.iter().enumerate() {
            domain.check(loss.name(), into.row(i), row)?;
        }
    }
    Ok(())
}

/// Σ of the losses of some rows.
pub(crate) fn sum_of<L: Copy>(losses: &[L], to_f64: impl Fn(L) -> f64) -> f64 {
    // Eight sums side by side, or each addition would wait for the one before.
    let mut sums = [0.0; 8];
    for losses in losses.chunks(8) {
        sums.iter_mut().zip(losses).for_each(|(sum, &loss)| *sum += to_f64(loss));
    }
    sums.iter().sum()
}

/// Zeros in the padding of activations: that of a sigmoid holds ½, which would reach the padding of a thin layer's
/// weights. All of it holds the same.
fn clear_padding<T: Real>(mut a: MatrixMut<'_, T>) {
    let (columns, stride) = (a.columns(), a.stride());
    if columns < stride && a.data().get(columns).is_some_and(|&x| x != T::ZERO) {
        a.data_mut().chunks_exact_mut(stride).for_each(|row| row[columns..].fill(T::ZERO));
    }
}
