//! Layer by layer: forward propagation, the loss, backpropagation and the gradient of a batch, tile by tile.
//!
//! delta_L = ∂L/∂a_L ⊙ f'(z_L);  delta_l = (delta_{l+1} w_{l+1}ᵀ) ⊙ f'(z_l);  d_w_l = a_{l−1}ᵀ delta_l;
//! d_b_l = Σ_rows delta_l. A tile's sums are a chain over its rows for each number; the tiles of a batch add up in order.

use super::lanes::LayerByLayer;
use super::{Model, Tile};
use crate::bounds::small_squares;
use crate::data::gather;
use crate::layer::{Draws, Factors, Surroundings};
use crate::optimizer::Plain;
use crate::tensor::Tensor;
use crate::{Error, Real, Rows, Workspace};
use chainrule_kernels::{Picks, pool, product};

impl<'a, T: Real> Model<'a, T> {
    /// What the layers work with for the rows of `tile`.
    pub(crate) fn surroundings(&self, tile: Tile<'_>) -> Surroundings<'a, T> {
        let draws = Draws { seed: self.spec.seed, update: self.steps, first_row: tile.first };
        Surroundings {
            machine: self.machine,
            parameters: self.parameters,
            buffers: self.buffers,
            draws: tile.training.then_some(draws),
        }
    }

    /// Wakes workers where products of batches of `rows` rows are worth cutting, and `work` flops are worth waking them.
    pub(crate) fn rouse(&self, rows: usize, work: usize) {
        let rows = rows.min(self.plan.tile(rows, true));
        pool::rouse(self.machine.threads(), work, || self.plan.worth.largest(rows));
    }

    /// Reserves memory for the tiles of `rows` rows, and wakes workers if `flops` justify it.
    pub(crate) fn start(&self, ws: &mut Workspace<T>, rows: usize, training: bool, flops: f64) -> Result<(), Error> {
        if self.plan.small.is_err() {
            self.rouse(rows, flops as usize);
        }
        ws.reserve_rows(self.plan, rows.min(self.plan.tile(rows, training)))
    }

    /// Reserves memory for the gradient of `rows` rows, and does what all their tiles need once.
    pub(crate) fn start_back(
        &self,
        ws: &mut Workspace<T>,
        rows: usize,
        training: bool,
        inputs: bool,
    ) -> Result<(), Error> {
        self.start(ws, rows, training, self.plan.worth.flops(rows))?;
        ws.reserve_gradient(self.plan, inputs)?;
        let with = self.surroundings(Tile::whole(Picks::all(rows), training));
        self.plan.chain.start_back(with, &mut ws.chain, inputs);
        Ok(())
    }

    /// Copies the rows of `tile` to the workspace and carries them through all layers.
    pub(crate) fn forward(&self, ws: &mut Workspace<T>, x: &dyn Rows<T>, tile: Tile<'_>) -> Result<(), Error> {
        let (chain, rows) = (&self.plan.chain, tile.len());
        let mut into = chain.rows_of_mut(&mut ws.chain.a, 0, rows);
        ws.x_is_small = gather(self.machine, "X", x, tile.picks, &mut into, self.plan.small_x(rows))?;
        chain.forward(self.surroundings(tile), &mut ws.chain, &mut ws.scratch, rows);
        Ok(())
    }

    /// From ∂L/∂a of the output to the delta of every layer. With `inputs`, goes on to ∂L/∂x.
    pub(crate) fn backward(&self, ws: &mut Workspace<T>, tile: Tile<'_>, inputs: bool) {
        let with = self.surroundings(tile);
        self.plan.chain.backward(with, &mut ws.chain, &mut ws.scratch, tile.len(), inputs);
    }

    /// The gradient of the rows of `tile`, from their activations and deltas, added up where `accumulate`.
    pub(crate) fn gradient(&self, ws: &mut Workspace<T>, tile: Tile<'_>, accumulate: bool) {
        let (with, rows) = (self.surroundings(tile), tile.len());
        let Workspace { chain: memory, scratch, gradient, .. } = ws;
        self.plan.chain.sums(with, memory, scratch, rows, accumulate, gradient);
        self.plan.chain.products(
            with.machine,
            memory,
            scratch,
            rows,
            &mut |tensor: &Tensor, factors: Factors<'_, T>| {
                let Factors { broadcast, vector } = factors;
                if accumulate {
                    let (at, stride) = (tensor.at.clone(), tensor.stride);
                    product::update_weight(with.machine, broadcast, vector, gradient, &mut [], at, stride, Plain::ADD);
                } else {
                    product::backward_weight(with.machine, broadcast, vector, tensor.matrix_mut(gradient));
                }
            },
        );
    }

    /// The gradients that are sums, in their places.
    pub(crate) fn sums(&self, ws: &mut Workspace<T>, tile: Tile<'_>) {
        let Workspace { chain: memory, scratch, gradient, .. } = ws;
        self.plan.chain.sums(self.surroundings(tile), memory, scratch, tile.len(), false, gradient);
    }

    /// The gradients that are sums, in their places, and whether all others are small for certain.
    pub(crate) fn gradient_is_small(&self, ws: &mut Workspace<T>, tile: Tile<'_>) -> bool {
        let Workspace { chain: memory, scratch, gradient, x_is_small, .. } = ws;
        let (with, rows) = (self.surroundings(tile), (tile.len(), *x_is_small));
        self.plan.chain.bound(with, memory, scratch, rows, small_squares(), gradient)
    }

    /// The gradient of the rows of `picks`: tile by tile, or tiles in parallel. `deltas` goes forward and back, and
    /// returns the loss of a tile; the sum of these is returned.
    pub(crate) fn sum_of_gradients(
        &self,
        ws: &mut Workspace<T>,
        picks: Picks<'_>,
        training: bool,
        deltas: impl Fn(&mut Workspace<T>, Tile<'_>) -> Result<f64, Error> + Sync,
    ) -> Result<f64, Error> {
        if self.plan.worth.side_by_side(picks.len(), self.machine.threads()) {
            let Workspace { lanes, gradient, .. } = ws;
            return self.sum_of_tiles(&LayerByLayer { model: *self, deltas }, lanes, (picks, training), gradient);
        }
        let mut loss = 0.0;
        for tile in Tile::of(picks, self.plan.tile(picks.len(), training), training) {
            loss += deltas(ws, tile)?;
            self.gradient(ws, tile, tile.first > 0);
        }
        Ok(loss)
    }
}
