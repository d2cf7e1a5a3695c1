//! What a batch is worth: whether threads pay for it, and whether they share tiles or products. The one cost model; the
//! Python module asks it when to release the interpreter's lock.

use crate::layer::{Chain, LayerPlan};
use crate::tensor::Gradient;
use chainrule_kernels::pool;

/// Most parameters, padding included, of a network whose tiles run in parallel. A larger network gains as much by cutting
/// its products, and needs no memory of its own for that.
const MAX_PARAMETERS_IN_TILES: usize = 1 << 17;

/// With fewer parameters, padding included, running tiles in parallel beats cutting products even when a quarter of the
/// threads idle.
const FEW_PARAMETERS: usize = 1 << 14;

/// The sizes of a network that decide what a batch is worth.
#[derive(Clone, Copy, Debug)]
pub struct Worth {
    padded_parameters: usize,
    tile: usize,
    /// Flops a row of the largest product, or of a pass that takes as long.
    largest_a_row: usize,
    /// Whether tiles of a batch may run in parallel.
    tiles_on_threads: bool,
}

impl Worth {
    pub(crate) fn new(chain: &Chain, padded_parameters: usize, tile: usize, is_small: bool, together: bool) -> Self {
        let is_product = |plan: &&LayerPlan| plan.tensors.iter().any(|t| t.declared.gradient == Gradient::Product);
        let products = chain.plans.iter().filter(is_product);
        let products = products.map(|plan| plan.n_in.saturating_mul(plan.n_out).saturating_mul(2));
        let passes = chain.units.iter().map(|&units| units.saturating_mul(pool::FLOPS_A_NUMBER));
        let largest_a_row = products.chain(passes).max().unwrap_or(0);
        let tiles_on_threads = !together && (is_small || padded_parameters <= MAX_PARAMETERS_IN_TILES);
        Worth { padded_parameters, tile, largest_a_row, tiles_on_threads }
    }

    /// Flops of the largest product for `rows` rows, or of a pass over rows or parameters that takes as long.
    pub(crate) fn largest(&self, rows: usize) -> usize {
        self.largest_a_row.saturating_mul(rows).max(self.padded_parameters.saturating_mul(2 * pool::FLOPS_A_NUMBER))
    }

    /// The most threads that any batch can use. Networks whose tiles run in parallel can always use all of them.
    pub(crate) fn most_threads(&self, threads: usize) -> usize {
        if self.tiles_on_threads { threads } else { self.threads_for(self.tile, threads) }
    }

    /// Whether a product for `rows` rows is worth cutting.
    fn cuts_products(&self, rows: usize) -> bool {
        pool::is_worth(self.largest(rows.min(self.tile)))
    }

    /// Whether tiles in parallel beat products that are cut, for a batch of `rows` rows: where threads idle for at most a
    /// fifth of the time (a quarter, with few parameters), or where no product is worth cutting.
    #[inline]
    pub(crate) fn in_tiles(&self, rows: usize, threads: usize) -> bool {
        let fills = || {
            let rounds = rows.div_ceil(self.tile).div_ceil(threads);
            let most = rounds.saturating_mul(self.tile).saturating_mul(threads);
            if self.padded_parameters < FEW_PARAMETERS { rows >= most / 4 * 3 } else { rows >= most / 5 * 4 }
        };
        threads == 1 || !self.cuts_products(rows) || fills()
    }

    /// Whether the tiles of `rows` rows run in parallel.
    pub(crate) fn side_by_side(&self, rows: usize, threads: usize) -> bool {
        threads > 1 && rows > self.tile && self.tiles_on_threads && self.in_tiles(rows, threads)
    }

    /// How many of `threads` a batch of `rows` rows is worth: all or one. Decided once a step: deciding for each product
    /// costs 3 % of a step of 1 µs.
    pub(crate) fn threads_for(&self, rows: usize, threads: usize) -> usize {
        let worth = || self.tiles_on_threads && rows > self.tile || self.cuts_products(rows);
        if threads > 1 && worth() { threads } else { 1 }
    }

    /// Flops of a training step on `rows` rows, or what takes as long: 2 forward and 4 backward a weight and row, and the
    /// update. Padding counts, as it takes its time.
    pub fn flops(&self, rows: usize) -> f64 {
        (6.0 * rows as f64 + 2.0 * pool::FLOPS_A_NUMBER as f64) * self.padded_parameters as f64
    }

    /// The same of forward propagation alone.
    pub fn forward_flops(&self, rows: usize) -> f64 {
        2.0 * rows as f64 * self.padded_parameters as f64
    }
}
