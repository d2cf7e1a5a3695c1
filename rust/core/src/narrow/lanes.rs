//! Batches of several tiles of a narrow network: tiles side by side on threads, their gradients added up in order.
//!
//! ```text
//! lane 0: tiles 0 … 4  ─▶ forward, back, a gradient each ─┐
//! lane 1: tiles 5 … 9  ─▶ forward, back, a gradient each ─┼─▶ ((g₀ + g₁) + g₂) + …
//! …                                                      ─┘
//! ```
//!
//! No product of such a network is worth cutting, but a tile is worth a thread. The sums are the same however many lanes
//! there are.

use super::Hidden;
use crate::loss::Square;
use crate::optimizer::Plain;
use crate::plan::Plan;
use crate::{Batch, Error, Network, Real, Workspace};
use chainrule_kernels::narrow::{self, Narrow};
use chainrule_kernels::{Buffer, Picks, elementwise, pool};

/// Most tiles of a lane between two sums.
const TILES: usize = 16;
/// What a row takes beside its products, in floating-point operations of one: some 8 ns.
const ROW: usize = 1000;
/// Lanes a thread: some, so that a thread that comes late leaves its lanes to others.
const LANES: usize = 2;

/// What one thread at a time computes tiles with.
pub(crate) struct Lane<T> {
    pub(crate) narrow: Narrow<T>,
    /// Labels of the rows at hand.
    pub(super) labels: Vec<u32>,
    /// The gradients of some tiles, one behind the other, each with the loss of its rows.
    gradients: Buffer<T>,
    losses: Vec<f64>,
    error: Option<Error>,
}

impl<T: Real> Lane<T> {
    fn new(plan: &Plan, rows: usize) -> Result<Self, Error> {
        let layers = plan.places.iter().flatten().map(|place| narrow::Layer {
            n_in: place.n_in,
            n_out: place.n_out,
            w: place.w.clone(),
            b: place.b.clone(),
        });
        let narrow = Narrow::new(&layers.collect::<Vec<_>>(), rows)?;
        Ok(Lane {
            labels: vec![0; narrow.rows()],
            narrow,
            gradients: Buffer::zeroed(0)?,
            losses: Vec::new(),
            error: None,
        })
    }

    /// The first of a workspace's lanes, with room for `rows` rows.
    #[inline]
    pub(crate) fn first<'a>(lanes: &'a mut Vec<Self>, plan: &Plan, rows: usize) -> Result<&'a mut Self, Error> {
        if lanes.first().is_none_or(|lane| lane.narrow.rows() < rows) {
            lanes.clear();
            lanes.push(Lane::new(plan, rows)?);
        }
        Ok(&mut lanes[0])
    }

    /// `count` of a workspace's lanes, with room for `rows` rows and the gradients of `tiles` tiles each.
    fn some<'a>(
        lanes: &'a mut Vec<Self>,
        plan: &Plan,
        count: usize,
        rows: usize,
        tiles: usize,
    ) -> Result<&'a mut [Self], Error> {
        lanes.retain(|lane| lane.narrow.rows() >= rows);
        while lanes.len() < count {
            lanes.push(Lane::new(plan, rows)?);
        }
        for lane in &mut lanes[..count] {
            if lane.losses.len() < tiles {
                lane.gradients = Buffer::zeroed(tiles * plan.padded_parameters)?;
                lane.losses = vec![0.0; tiles];
            }
        }
        Ok(&mut lanes[..count])
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
        let Some(formulas) = self.narrow_formulas(batch, picks.len()) else { return Ok(None) };
        ws.reserve_gradient(&self.plan, false)?;
        let (rows, tile, size) = (picks.len(), self.plan.tile, self.plan.padded_parameters);
        let tiles = rows.div_ceil(tile);
        let threads = self.plan.threads_for(rows, self.target.threads());
        let lanes = if threads == 1 { 1 } else { tiles.min(LANES * threads) };
        let per_lane = tiles.div_ceil(lanes).min(TILES);
        let Workspace { lanes: all, gradient, .. } = ws;
        let lanes = Lane::some(all, &self.plan, lanes, rows.min(tile), per_lane)?;
        let mut loss = 0.0;
        for start in (0..tiles).step_by(per_lane * lanes.len()) {
            let of_round = (tiles - start).min(per_lane * lanes.len());
            // The tiles of lane i end where those of lane i + 1 begin.
            let count = lanes.len();
            let first = |i: usize| start + of_round * i / count;
            let work = of_round * tile * (6 * self.plan.padded_parameters + ROW);
            pool::for_each(self.target, work, lanes, |i, lane| {
                let tiles = picks.tiles(tile).skip(first(i)).take(first(i + 1) - first(i));
                lane.error = self.narrow_gradients(lane, batch, tiles, formulas, rows, &sum).err();
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
                        elementwise::update(self.target.with_threads(1), gradient, &mut [], from, Plain::ADD);
                    }
                }
            }
        }
        Ok(Some((loss / rows as f64, rows as f64)))
    }

    /// The gradients and losses of some tiles of a batch of `rows` rows, in `lane`.
    fn narrow_gradients<'a>(
        &self,
        lane: &mut Lane<T>,
        batch: &Batch<'_, T>,
        tiles: impl Iterator<Item = Picks<'a>>,
        formulas: (Hidden, Square),
        rows: usize,
        sum: &impl Fn(&[T]) -> f64,
    ) -> Result<(), Error> {
        let size = self.plan.padded_parameters;
        for (t, tile) in tiles.enumerate() {
            self.narrow_tile(lane, batch, tile, formulas, rows, None)?;
            lane.losses[t] = sum(lane.narrow.losses(tile.len()));
            lane.narrow.gradient(self.target, &mut lane.gradients[t * size..][..size], tile.len());
        }
        Ok(())
    }
}
