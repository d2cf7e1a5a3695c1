//! Batches of several tiles: tiles in parallel on threads, their gradients added up in order.
//!
//! ```text
//! lane 0: tiles 0 … 4  ─▶ forward, back, a gradient each ─┐
//! lane 1: tiles 5 … 9  ─▶ forward, back, a gradient each ─┼─▶ ((g₀ + g₁) + g₂) + …
//! …                                                      ─┘
//! ```
//!
//! A product of a small network is not worth cutting, or gains little by it, but a tile is worth a thread. The sums are
//! the same for any number of lanes, and the same as where one tile follows the other.

use super::{Model, Tile};
use crate::{Error, Real, Workspace};
use chainrule_kernels::{Buffer, Map2, Picks, Vector, elementwise, pool};

/// Most tiles of a lane before gradients are added up, and most numbers of their gradients.
const MAX_TILES_A_LANE: usize = 16;
const MAX_GRADIENTS_A_LANE: usize = 1 << 18;
/// Lanes a thread: some, so that a thread that comes late leaves its lanes to others.
const LANES_A_THREAD: usize = 2;
/// Overhead of a row beside its products, in flops: some 8 ns.
const FLOPS_A_ROW: usize = 1000;

/// What one thread at a time computes tiles with, and what comes out of some of them.
pub(crate) struct Lane<T, M> {
    pub(crate) memory: M,
    /// The gradients of the tiles, one behind the other, and their losses.
    gradients: Buffer<T>,
    losses: Vec<f64>,
    error: Option<Error>,
}

impl<T: Real, M> Lane<T, M> {
    pub(crate) fn new(memory: M) -> Result<Self, Error> {
        Ok(Lane { memory, gradients: Buffer::zeroed(0)?, losses: Vec::new(), error: None })
    }

    /// Makes room for the gradients of `tiles` tiles, `size` numbers each.
    fn reserve(&mut self, tiles: usize, size: usize) -> Result<(), Error> {
        if self.losses.len() < tiles {
            self.gradients = Buffer::zeroed(tiles * size)?;
            self.losses = vec![0.0; tiles];
        }
        Ok(())
    }
}

/// A way to the gradient of a tile.
pub(super) trait TileGradient<T>: Sync {
    /// What a lane computes with.
    type Memory: Send;
    /// A new one.
    fn memory(&self) -> Result<Self::Memory, Error>;
    /// Does what all tiles of a batch need once.
    fn begin(&self, memory: &mut Self::Memory) -> Result<(), Error>;
    /// The loss of a tile; its gradient goes to `gradient`.
    fn tile(&self, memory: &mut Self::Memory, tile: Tile<'_>, gradient: &mut [T]) -> Result<f64, Error>;
}

/// x + y.
#[derive(Clone, Copy)]
struct Plus;

impl Map2 for Plus {
    #[inline(always)]
    fn map<V: Vector>(self, x: V, y: V) -> V {
        x + y
    }
}

impl<T: Real> Model<'_, T> {
    /// The sum of the losses of the tiles of `picks`, and that of their gradients in `gradient`.
    pub(super) fn sum_of_tiles<W: TileGradient<T>>(
        &self,
        way: &W,
        all: &mut Vec<Lane<T, W::Memory>>,
        (picks, training): (Picks<'_>, bool),
        gradient: &mut [T],
    ) -> Result<f64, Error> {
        let (rows, size) = (picks.len(), self.plan.padded_parameters);
        let tile = self.plan.tile(rows, training);
        let (tiles, threads) = (rows.div_ceil(tile), self.plan.worth.threads_for(rows, self.machine.threads()));
        let count = if threads == 1 { 1 } else { tiles.min(LANES_A_THREAD * threads) };
        let per_lane = tiles.div_ceil(count).min(MAX_TILES_A_LANE).min((MAX_GRADIENTS_A_LANE / size).max(1));
        while all.len() < count {
            all.push(Lane::new(way.memory()?)?);
        }
        let lanes = &mut all[..count];
        for lane in lanes.iter_mut() {
            lane.reserve(per_lane, size)?;
        }
        let mut loss = 0.0;
        for start in (0..tiles).step_by(per_lane * count) {
            let of_round = (tiles - start).min(per_lane * count);
            // The tiles of lane i end where those of lane i + 1 begin.
            let first = |i: usize| start + of_round * i / count;
            let work = of_round * tile * (6 * size + FLOPS_A_ROW);
            pool::for_each(self.machine, work, lanes, |i, lane| {
                let tiles = Tile::of(picks, tile, training).skip(first(i)).take(first(i + 1) - first(i));
                lane.error = lane.compute(way, tiles, start == 0, size).err();
            });
            for (i, lane) in lanes.iter_mut().enumerate() {
                if let Some(error) = lane.error.take() {
                    return Err(error);
                }
                for t in 0..first(i + 1) - first(i) {
                    loss += lane.losses[t];
                    let from = &lane.gradients[t * size..][..size];
                    if first(i) + t == 0 {
                        gradient.copy_from_slice(from);
                    } else {
                        elementwise::map2(self.machine.with_threads(1), gradient, from, Plus);
                    }
                }
            }
        }
        Ok(loss)
    }
}

impl<T: Real, M: Send> Lane<T, M> {
    /// The gradients, of `size` numbers, and losses of some tiles; `begins` with the first of a batch.
    fn compute<'a>(
        &mut self,
        way: &impl TileGradient<T, Memory = M>,
        tiles: impl Iterator<Item = Tile<'a>>,
        begins: bool,
        size: usize,
    ) -> Result<(), Error> {
        if begins {
            way.begin(&mut self.memory)?;
        }
        for (t, tile) in tiles.enumerate() {
            self.losses[t] = way.tile(&mut self.memory, tile, &mut self.gradients[t * size..][..size])?;
        }
        Ok(())
    }
}

/// The way layer by layer. `deltas` goes forward and back, and returns the loss of a tile.
pub(super) struct LayerByLayer<'a, T, F> {
    pub(super) model: Model<'a, T>,
    pub(super) deltas: F,
}

impl<T: Real, F> TileGradient<T> for LayerByLayer<'_, T, F>
where
    F: Fn(&mut Workspace<T>, Tile<'_>) -> Result<f64, Error> + Sync,
{
    type Memory = Workspace<T>;

    fn memory(&self) -> Result<Workspace<T>, Error> {
        Workspace::of(self.model.plan)
    }

    fn begin(&self, ws: &mut Workspace<T>) -> Result<(), Error> {
        self.model.start_back(ws, self.model.plan.tile(usize::MAX, false), false, false)
    }

    fn tile(&self, ws: &mut Workspace<T>, tile: Tile<'_>, gradient: &mut [T]) -> Result<f64, Error> {
        let loss = (self.deltas)(ws, tile)?;
        self.model.gradient(ws, tile, false);
        gradient.copy_from_slice(&ws.gradient);
        Ok(loss)
    }
}

#[cfg(test)]
mod tests;
