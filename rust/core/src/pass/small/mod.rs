//! Small networks in one kernel, [`chainrule_kernels::small`]: the bits of the way layer by layer, without deciding at
//! every product what to do.

mod memory;
#[cfg(test)]
mod tests;

use super::lanes::{Lane, TileGradient};
use super::{Model, Tile};
use crate::data::{gather, gather_columns, read_labels};
use crate::layer::Layer;
use crate::loss::Columns;
use crate::plan::Small;
use crate::{Batch, Error, Real, Rows, Targets, Workspace};
use chainrule_kernels::small::Small as Kernels;
use chainrule_kernels::{Picks, columns, product};

pub(crate) use memory::SmallMemory;

/// What the kernels need to know of a network and a batch.
#[derive(Clone, Copy)]
pub(crate) struct Formulas<'a> {
    pub(super) small: &'a Small,
    pub(super) loss: Columns,
}

impl<T: Real> Model<'_, T> {
    /// Forward and back for the rows of `tile` of a batch whose weights sum to `weight_sum`; the losses are then in
    /// `memory`. Returns whether the gradient provably stays below `limit`; true if no limit is given.
    #[inline(always)] // as `way`
    pub(crate) fn small_tile(
        &self,
        memory: &mut SmallMemory<T>,
        batch: &Batch<'_, T>,
        tile: Tile<'_>,
        Formulas { small, loss }: Formulas<'_>,
        weight_sum: f64,
        limit: Option<T>,
    ) -> Result<bool, Error> {
        let (rows, picks, machine, parameters) = (tile.len(), tile.picks, self.machine, self.parameters);
        let SmallMemory { kernels, labels } = memory;
        let x_is_small = gather(machine, "X", batch.x, picks, &mut kernels.x_mut(rows), self.plan.small_x(rows))?;
        let labels_of_rows = match &batch.y {
            Targets::Labels(from) => {
                read_labels(from, picks, &mut labels[..rows], self.plan.n_outputs())?;
                Some(&labels[..rows])
            }
            Targets::Values(from) => {
                gather_columns("y", *from, picks, &mut kernels.y_t_mut(rows))?;
                None
            }
        };
        batch.scales(picks, weight_sum, kernels.scale_mut(rows));
        if small.drops {
            self.set_drops(kernels, tile);
        }
        let (in_registers, own_pass) = small.hidden.formulas();
        kernels.forward(machine, parameters, rows, (in_registers, own_pass));
        let formulas = (in_registers, loss.term());
        let is_small = kernels.backward(machine, parameters, rows, labels_of_rows, formulas, limit);
        Ok(is_small && x_is_small)
    }

    /// Says which outputs of hidden layers are dropped in the rows of `tile`: none outside training.
    #[inline(never)]
    fn set_drops(&self, kernels: &mut Kernels<T>, tile: Tile<'_>) {
        let draws = self.surroundings(tile).draws;
        let after = |(l, layer): (usize, &Layer)| match (layer, self.plan.chain.layers.get(l + 1)) {
            (Layer::Dense(_), Some(Layer::Dropout(dropout))) => Some(dropout.drops(draws, l + 1)),
            (Layer::Dense(_), _) => Some(None),
            _ => None,
        };
        kernels.set_drops(tile.first, self.plan.chain.layers.iter().enumerate().filter_map(after));
    }

    /// The outputs of the rows of `tile`, or the probabilities that follow from them, in the last of `ws.chain.a`.
    pub(crate) fn small_outputs(
        &self,
        ws: &mut Workspace<T>,
        x: &dyn Rows<T>,
        tile: Tile<'_>,
        small: &Small,
        softmax: bool,
    ) -> Result<(), Error> {
        let (rows, chain, machine) = (tile.len(), &self.plan.chain, self.machine);
        let kernels = &mut SmallMemory::first(&mut ws.small, self.plan, rows)?.kernels;
        gather(machine, "X", x, tile.picks, &mut kernels.x_mut(rows), T::MAX)?;
        if small.drops {
            self.set_drops(kernels, tile);
        }
        kernels.forward(machine, self.parameters, rows, small.hidden.formulas());
        let mut outputs = kernels.outputs(rows);
        if softmax {
            columns::softmax(machine, outputs.reborrow());
        }
        product::transpose(machine, outputs.as_ref(), chain.rows_of_mut(&mut ws.chain.a, chain.layers.len(), rows));
        Ok(())
    }

    /// The gradient of the rows of `picks` in `ws.gradient`, tiles in parallel where that is worth it. `value` takes the
    /// loss of a tile from those of its rows; the sum of these is returned.
    pub(crate) fn small_gradient(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        (picks, training): (Picks<'_>, bool),
        formulas: Formulas<'_>,
        weight_sum: f64,
        value: impl Fn(Tile<'_>, &[T]) -> f64 + Sync,
    ) -> Result<f64, Error> {
        ws.reserve_gradient(self.plan, false)?;
        let Workspace { small, gradient, .. } = ws;
        let rows = picks.len().min(self.plan.tile(picks.len(), training));
        small.retain(|lane: &Lane<T, SmallMemory<T>>| lane.memory.kernels.rows() >= rows);
        let way = WholeNetwork { model: *self, batch, formulas, weight_sum, rows, value };
        self.sum_of_tiles(&way, small, (picks, training), gradient)
    }
}

/// The way of small networks; a tile has at most `rows` rows.
struct WholeNetwork<'a, T, F> {
    model: Model<'a, T>,
    batch: &'a Batch<'a, T>,
    formulas: Formulas<'a>,
    weight_sum: f64,
    rows: usize,
    value: F,
}

impl<T: Real, F: Fn(Tile<'_>, &[T]) -> f64 + Sync> TileGradient<T> for WholeNetwork<'_, T, F> {
    type Memory = SmallMemory<T>;

    fn memory(&self) -> Result<SmallMemory<T>, Error> {
        SmallMemory::new(self.model.plan, self.rows)
    }

    fn begin(&self, _memory: &mut SmallMemory<T>) -> Result<(), Error> {
        Ok(())
    }

    fn tile(&self, memory: &mut SmallMemory<T>, tile: Tile<'_>, gradient: &mut [T]) -> Result<f64, Error> {
        self.model.small_tile(memory, self.batch, tile, self.formulas, self.weight_sum, None)?;
        memory.kernels.gradient(self.model.machine, gradient, tile.len());
        Ok((self.value)(tile, memory.kernels.losses(tile.len())))
    }
}
