//! The head of a network: targets, loss, and the error of the output, ∂L/∂a.
//!
//! The last layer leaves its outputs as rows, or with the rows in columns. Some losses are computed in columns; for the
//! others the outputs are transposed, and their error back.

use super::{Model, Tile};
use crate::data::{read_labels, read_values};
use crate::layer::{Chain, packed, packed_mut, view, view_mut};
use crate::loss::{Columns, Loss, RowLoss, TileLoss, TileTargets, each_loss};
use crate::{Batch, Error, Real, Targets, Workspace};
use chainrule_kernels::{Buffer, columns, padded, product};

/// What the head keeps of the rows at hand.
pub(crate) struct HeadMemory<T> {
    /// Targets.
    pub(crate) y: Buffer<T>,
    pub(crate) labels: Vec<u32>,
    /// wᵢ / Σ w, then zeros to the end of a line.
    pub(crate) scale: Buffer<T>,
    /// Losses.
    pub(crate) row_loss: Vec<f64>,
}

impl<T: Real> HeadMemory<T> {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(HeadMemory { y: Buffer::zeroed(0)?, labels: Vec::new(), scale: Buffer::zeroed(0)?, row_loss: Vec::new() })
    }

    /// Makes room for `rows` rows.
    pub(crate) fn reserve(&mut self, chain: &Chain, rows: usize) -> Result<(), Error> {
        self.y = Buffer::zeroed(rows * chain.strides[chain.layers.len()])?;
        resize(&mut self.labels, rows)?;
        self.scale = Buffer::zeroed(padded::<T>(rows))?;
        resize(&mut self.row_loss, rows)
    }
}

/// Gives `values` room for `len` numbers, and sets them to zero.
fn resize<N: Copy + Default>(values: &mut Vec<N>, len: usize) -> Result<(), Error> {
    values.clear();
    values.try_reserve_exact(len).map_err(|_| Error::Memory { bytes: len as u128 * size_of::<N>() as u128 })?;
    values.resize(len, N::default());
    Ok(())
}

impl<T: Real> Model<'_, T> {
    /// Losses of the rows of `tile`, and their derivatives by the output times wᵢ / `weight_sum`, where the last layer's
    /// deltas lie. Returns Σ wᵢ lᵢ.
    pub(crate) fn loss(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        tile: Tile<'_>,
        weight_sum: f64,
    ) -> Result<f64, Error> {
        let (rows, chain, loss) = (tile.len(), &self.plan.chain, &self.spec.loss);
        let last = chain.layers.len();
        let (k, stride) = (chain.units[last], chain.strides[last]);
        let head = &mut ws.head;
        match &batch.y {
            Targets::Labels(labels) => read_labels(labels, tile.picks, &mut head.labels, k)?,
            Targets::Values(values) => {
                let into = view_mut(&mut head.y, rows, loss.targets(k), stride);
                read_values(self.machine, loss, *values, tile.picks, into)?;
            }
        }
        batch.scales(tile.picks, weight_sum, &mut head.scale);
        let in_columns = chain.ends_in_columns().then(|| each_loss!(loss, l => l.columns(batch.has_labels(), k)));
        match in_columns.flatten() {
            Some(form) => self.loss_in_columns(ws, form, rows),
            None => {
                self.outputs_to_rows(ws, rows);
                self.loss_in_rows(ws, batch, rows);
                self.error_to_columns(ws, rows);
            }
        }
        Ok(batch.weighted_sum(tile.picks, &ws.head.row_loss[..rows], |l| l))
    }

    fn loss_in_rows(&self, ws: &mut Workspace<T>, batch: &Batch<'_, T>, rows: usize) {
        let (chain, loss) = (&self.plan.chain, &self.spec.loss);
        let last = chain.layers.len();
        let (k, stride) = (chain.units[last], chain.strides[last]);
        let Workspace { chain: memory, head, scratch, .. } = ws;
        let y = match batch.y {
            Targets::Labels(_) => TileTargets::Labels(&head.labels[..rows]),
            Targets::Values(_) => TileTargets::Values(view(&head.y, rows, loss.targets(k), stride)),
        };
        let a = chain.rows_of(&memory.a, last, rows);
        let mut d = chain.rows_of_mut(&mut memory.d, last, rows);
        // Padding of a delta must be zero, or it would reach the padding of the weights.
        for row in d.data_mut().chunks_exact_mut(stride) {
            row[k..].fill(T::ZERO);
        }
        let row_loss = &mut head.row_loss[..rows];
        let out = TileLoss { scale: &head.scale[..rows], d, row_loss, scratch: &mut scratch.row[..rows] };
        each_loss!(loss, l => l.evaluate(self.machine, a, y, out));
    }

    fn loss_in_columns(&self, ws: &mut Workspace<T>, form: Columns, rows: usize) {
        let (machine, k) = (self.machine, self.plan.n_outputs());
        let Workspace { chain: memory, head, scratch, .. } = ws;
        let [a_t, d_t] = &mut memory.columns;
        let (a_t, d_t) = (packed(a_t, k, rows), packed_mut(d_t, k, rows));
        match form {
            Columns::CrossEntropy => {
                columns::cross_entropy(machine, a_t, &head.labels[..rows], &head.scale, d_t, &mut scratch.row);
            }
            Columns::Sum(term) => {
                let stride = self.plan.chain.strides[self.plan.chain.layers.len()];
                let y_t = &mut scratch.columns[0];
                product::transpose(machine, view(&head.y, rows, k, stride), packed_mut(y_t, k, rows));
                columns::terms(machine, a_t, packed(y_t, k, rows), &head.scale, d_t, &mut scratch.row, term);
            }
        }
        head.row_loss[..rows].iter_mut().zip(&*scratch.row).for_each(|(loss, l)| *loss = l.to_f64());
    }

    /// Puts outputs that lie in columns where those of other networks are.
    pub(crate) fn outputs_to_rows(&self, ws: &mut Workspace<T>, rows: usize) {
        let chain = &self.plan.chain;
        if chain.ends_in_columns() {
            let a = chain.rows_of_mut(&mut ws.chain.a, chain.layers.len(), rows);
            product::transpose(self.machine, packed(&ws.chain.columns[0], chain.last().n_out, rows), a);
        }
    }

    /// Puts the error of the output in columns, for a last layer that wants it so.
    pub(crate) fn error_to_columns(&self, ws: &mut Workspace<T>, rows: usize) {
        let chain = &self.plan.chain;
        if chain.ends_in_columns() {
            let d = chain.rows_of(&ws.chain.d, chain.layers.len(), rows);
            product::transpose(self.machine, d, packed_mut(&mut ws.chain.columns[1], chain.last().n_out, rows));
        }
    }

    /// Puts deltas of the last layer that lie in columns where those of other networks are.
    pub(crate) fn delta_to_rows(&self, ws: &mut Workspace<T>, rows: usize) {
        let chain = &self.plan.chain;
        if chain.ends_in_columns() {
            let d = chain.rows_of_mut(&mut ws.chain.d, chain.layers.len(), rows);
            product::transpose(self.machine, packed(&ws.chain.columns[1], chain.last().n_out, rows), d);
        }
    }
}
