//! Batches of several tiles of a narrow network, each tile in one piece: see [`tiles`](crate::tiles).

use super::Hidden;
use crate::loss::Square;
use crate::plan::Plan;
use crate::tiles::{Lane, TileGradient};
use crate::{Batch, Error, Network, Real, Workspace};
use chainrule_kernels::Picks;
use chainrule_kernels::narrow::{self, Narrow};

/// What one thread at a time computes with.
pub(crate) struct Memory<T> {
    pub(crate) narrow: Narrow<T>,
    /// Labels of the rows at hand.
    pub(super) labels: Vec<u32>,
}

impl<T: Real> Memory<T> {
    /// Room for `rows` rows.
    fn new(plan: &Plan, rows: usize) -> Result<Self, Error> {
        let layers = plan.places.iter().flatten().map(|place| narrow::Layer {
            n_in: place.n_in,
            n_out: place.n_out,
            w: place.w.clone(),
            b: place.b.clone(),
        });
        let narrow = Narrow::new(&layers.collect::<Vec<_>>(), rows)?;
        Ok(Memory { labels: vec![0; narrow.rows()], narrow })
    }

    /// That of the first of a workspace's lanes, with room for `rows` rows.
    #[inline]
    pub(crate) fn first<'a>(
        lanes: &'a mut Vec<Lane<T, Self>>,
        plan: &Plan,
        rows: usize,
    ) -> Result<&'a mut Self, Error> {
        if lanes.first().is_none_or(|lane| lane.memory.narrow.rows() < rows) {
            lanes.clear();
            lanes.push(Lane::new(Memory::new(plan, rows)?)?);
        }
        Ok(&mut lanes[0].memory)
    }
}

/// The narrow way through the tiles of a batch of `rows` rows; `sum` takes the loss of a tile from those of its rows.
struct InOnePiece<'a, T, F> {
    network: &'a Network<T>,
    batch: &'a Batch<'a, T>,
    formulas: (Hidden, Square),
    rows: usize,
    sum: F,
}

impl<T: Real, F: Fn(&[T]) -> f64 + Sync> TileGradient<T> for InOnePiece<'_, T, F> {
    type Memory = Memory<T>;

    fn memory(&self) -> Result<Memory<T>, Error> {
        Memory::new(&self.network.plan, self.rows.min(self.network.plan.tile))
    }

    fn begin(&self, _memory: &mut Memory<T>) -> Result<(), Error> {
        Ok(())
    }

    fn tile(&self, memory: &mut Memory<T>, tile: Picks<'_>, gradient: &mut [T]) -> Result<f64, Error> {
        self.network.narrow_tile(memory, self.batch, tile, self.formulas, self.rows, None)?;
        memory.narrow.gradient(self.network.machine, gradient, tile.len());
        Ok((self.sum)(memory.narrow.losses(tile.len())))
    }
}

impl<T: Real> Network<T> {
    /// The loss of the rows of `picks` of a narrow network, which `sum` takes from theirs, and its gradient in `ws.gradient`.
    /// None, and nothing done, where the general way has to be gone.
    pub(crate) fn narrow_gradient(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        sum: impl Fn(&[T]) -> f64 + Sync,
    ) -> Result<Option<(f64, f64)>, Error> {
        let rows = picks.len();
        let Some(formulas) = self.narrow_formulas(batch, rows) else { return Ok(None) };
        ws.reserve_gradient(&self.plan, false)?;
        let Workspace { narrow, gradient, .. } = ws;
        narrow.retain(|lane| lane.memory.narrow.rows() >= rows.min(self.plan.tile));
        let way = InOnePiece { network: self, batch, formulas, rows, sum };
        let loss = self.sum_of_tiles(&way, narrow, picks, gradient)?;
        Ok(Some((loss / rows as f64, rows as f64)))
    }
}
