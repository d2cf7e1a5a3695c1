//! Forward propagation:  a_l = f_l(a_{l−1} w_l + b_l), layer by layer, for a tile of rows; then the loss.

use crate::activation::{Saves, Scratch};
use crate::data::{Selection, gather};
use crate::layer::Layer;
use crate::loss::{Loss, RowLoss, TileLoss, TileTargets, each_loss};
use crate::rng::{Purpose, Stream};
use crate::workspace::{view, view_mut};
use crate::{Batch, Error, Network, Real, Rows, Targets, Workspace};
use chainrule_kernels::{Buffer, Matrix};

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

    /// Sets the dropout streams to the start of a batch; no streams, no masks, outside training.
    pub(crate) fn start_masks(&self, ws: &mut Workspace<T>, training: bool) {
        for (l, (layer, stream)) in self.spec.layers.iter().zip(&mut ws.streams).enumerate() {
            *stream = match layer {
                Layer::Dropout(dropout) if training && dropout.rate > 0.0 => {
                    let index = self.steps.wrapping_mul(1 << 16).wrapping_add(l as u64);
                    Some(Stream::new(self.spec.seed, Purpose::Dropout, index))
                }
                _ => None,
            };
        }
    }

    /// Copies the rows of `tile` to the workspace.
    pub(crate) fn read_x(&self, ws: &mut Workspace<T>, x: &dyn Rows<T>, tile: Selection<'_>) -> Result<(), Error> {
        let (columns, stride) = (self.plan.units[0], self.plan.strides[0]);
        let mut into = view_mut(&mut ws.a[0], tile.len(), columns, stride);
        gather("X", x, tile, &mut into)
    }

    /// Carries the `rows` rows in the workspace through all layers.
    pub(crate) fn forward_tile(&self, ws: &mut Workspace<T>, rows: usize) {
        for (l, layer) in self.spec.layers.iter().enumerate() {
            let (below, above) = ws.a.split_at_mut(l + 1);
            let (n_in, n_out) = (self.plan.units[l], self.plan.units[l + 1]);
            let (stride_in, stride_out) = (self.plan.strides[l], self.plan.strides[l + 1]);
            let x = view(&below[l], rows, n_in, stride_in);
            let a = view_mut(&mut above[0], rows, n_out, stride_out);
            match layer {
                Layer::Dense(dense) => {
                    let Some(place) = &self.plan.places[l] else { unreachable!("a dense layer has parameters") };
                    let z = match dense.activation.saves() {
                        Saves::Output => &mut ws.d[0],
                        Saves::Input => &mut ws.z[l],
                    };
                    let z = view_mut(z, rows, n_out, stride_out);
                    let scratch = Scratch { z, row: &mut ws.scratch[..rows] };
                    dense.forward(self.target, place, &self.parameters, x, a, scratch);
                }
                Layer::Dropout(dropout) => {
                    let mask = ws.streams[l].as_mut().map(|stream| {
                        let mut mask = view_mut(&mut ws.mask[l], rows, n_in, stride_in);
                        dropout.draw(stream, mask.reborrow());
                        view(&ws.mask[l], rows, n_in, stride_in)
                    });
                    dropout.forward(self.target, x, mask, a);
                }
            }
        }
    }

    /// Losses of the rows of `tile`, and their derivatives by the output times wᵢ / Σ w, in `ws.d[0]`.
    /// Returns Σ wᵢ lᵢ.
    pub(crate) fn loss_tile(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        tile: Selection<'_>,
        weight_sum: f64,
    ) -> Result<f64, Error> {
        let (rows, last) = (tile.len(), self.spec.layers.len());
        let (k, stride) = (self.plan.units[last], self.plan.strides[last]);
        let loss = &self.spec.loss;
        let y = match &batch.y {
            Targets::Labels(labels) => {
                for (to, row) in ws.labels.iter_mut().zip(tile.iter()) {
                    *to = labels[row];
                    if *to as usize >= k {
                        return Err(Error::Label { label: *to, row, classes: k });
                    }
                }
                TileTargets::Labels(&ws.labels[..rows])
            }
            Targets::Values(values) => {
                let columns = loss.targets(k);
                let mut into = view_mut(&mut ws.y, rows, columns, stride);
                gather("y", *values, tile, &mut into)?;
                let y = view(&ws.y, rows, columns, stride);
                for (i, row) in tile.iter().enumerate() {
                    loss.domain().check(loss.name(), y.row(i), row)?;
                }
                TileTargets::Values(y)
            }
        };
        for (scale, row) in ws.scale.iter_mut().zip(tile.iter()) {
            *scale = T::from_f64(batch.weight(row) / weight_sum);
        }
        let a = self.activation(&ws.a, last, rows);
        let row_loss = &mut ws.row_loss[..rows];
        let mut d = view_mut(&mut ws.d[0], rows, k, stride);
        // Padding of a delta must be zero, or it would reach the padding of the weights.
        for row in d.data_mut().chunks_exact_mut(stride) {
            row[k..].fill(T::default());
        }
        let out = TileLoss { scale: &ws.scale[..rows], d, row_loss: &mut *row_loss, scratch: &mut ws.scratch[..rows] };
        each_loss!(loss, l => l.evaluate(self.target, a, y, out));
        let weighted = tile.iter().zip(&*row_loss).map(|(row, &l)| {
            let w = batch.weight(row);
            if w == 0.0 { 0.0 } else { w * l }
        });
        Ok(weighted.sum())
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
        let all = Selection::all(batch.x.rows());
        let weight_sum: f64 = all.iter().map(|row| batch.weight(row)).sum();
        if weight_sum == 0.0 {
            return Ok(0.0);
        }
        ws.reserve_rows(&self.plan, &self.spec.layers, all.len().min(self.plan.tile))?;
        self.start_masks(ws, false);
        let mut loss = 0.0;
        for tile in all.tiles(self.plan.tile) {
            self.read_x(ws, batch.x, tile)?;
            self.forward_tile(ws, tile.len());
            loss += self.loss_tile(ws, batch, tile, weight_sum)?;
        }
        Ok(loss / weight_sum + self.penalty())
    }
}
