//! Batches of several tiles: tiles side by side on threads, their gradients added up in order.
//!
//! ```text
//! lane 0: tiles 0 … 4  ─▶ forward, back, a gradient each ─┐
//! lane 1: tiles 5 … 9  ─▶ forward, back, a gradient each ─┼─▶ ((g₀ + g₁) + g₂) + …
//! …                                                      ─┘
//! ```
//!
//! The products of a small network are not worth cutting, or gain little by it, but a tile is worth a thread. The sums are the
//! same however many lanes there are, and as they are where one tile follows the other.

use crate::optimizer::Plain;
use crate::{Error, Network, Real, Workspace};
use chainrule_kernels::{Buffer, Picks, elementwise, pool};

/// Most tiles of a lane between two sums, and most numbers of their gradients.
const TILES: usize = 16;
const GRADIENTS: usize = 1 << 18;
/// Lanes a thread: some, so that a thread that comes late leaves its lanes to others.
const LANES: usize = 2;
/// What a row takes beside its products, in floating-point operations of one: some 8 ns.
const ROW: usize = 1000;

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

    /// Makes room for the gradients, `size` numbers each, of so many tiles.
    fn reserve(&mut self, tiles: usize, size: usize) -> Result<(), Error> {
        if self.losses.len() < tiles {
            self.gradients = Buffer::zeroed(tiles * size)?;
            self.losses = vec![0.0; tiles];
        }
        Ok(())
    }
}

/// A way to the gradient of a tile.
pub(crate) trait TileGradient<T>: Sync {
    /// What a lane computes with.
    type Memory: Send;
    /// A new one.
    fn memory(&self) -> Result<Self::Memory, Error>;
    /// Gets ready what all tiles of a batch need.
    fn begin(&self, memory: &mut Self::Memory) -> Result<(), Error>;
    /// The loss of a tile; its gradient goes to `gradient`.
    fn tile(&self, memory: &mut Self::Memory, tile: Picks<'_>, gradient: &mut [T]) -> Result<f64, Error>;
}

impl<T: Real> Network<T> {
    /// The sum of the losses of the tiles of `picks`, and that of their gradients in `gradient`.
    pub(crate) fn sum_of_tiles<W: TileGradient<T>>(
        &self,
        way: &W,
        all: &mut Vec<Lane<T, W::Memory>>,
        picks: Picks<'_>,
        gradient: &mut [T],
    ) -> Result<f64, Error> {
        let (rows, tile, size) = (picks.len(), self.plan.tile, self.plan.padded_parameters);
        let (tiles, threads) = (rows.div_ceil(tile), self.plan.threads_for(rows, self.machine.threads()));
        let count = if threads == 1 { 1 } else { tiles.min(LANES * threads) };
        let per_lane = tiles.div_ceil(count).min(TILES).min((GRADIENTS / size).max(1));
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
            let work = of_round * tile * (6 * size + ROW);
            pool::for_each(self.machine, work, lanes, |i, lane| {
                let tiles = picks.tiles(tile).skip(first(i)).take(first(i + 1) - first(i));
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
                        elementwise::update(self.machine.with_threads(1), gradient, &mut [], from, Plain::ADD);
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
        tiles: impl Iterator<Item = Picks<'a>>,
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

/// The general way, without dropout, whose masks go on from tile to tile. `deltas` goes forward and back, and returns the loss.
pub(crate) struct General<'a, T, F> {
    pub(crate) network: &'a Network<T>,
    pub(crate) deltas: F,
}

impl<T: Real, F> TileGradient<T> for General<'_, T, F>
where
    F: Fn(&mut Workspace<T>, Picks<'_>) -> Result<f64, Error> + Sync,
{
    type Memory = Workspace<T>;

    fn memory(&self) -> Result<Workspace<T>, Error> {
        Workspace::new(self.network)
    }

    fn begin(&self, ws: &mut Workspace<T>) -> Result<(), Error> {
        self.network.start_batch(ws, self.network.plan.tile, false, false)
    }

    fn tile(&self, ws: &mut Workspace<T>, tile: Picks<'_>, gradient: &mut [T]) -> Result<f64, Error> {
        let loss = (self.deltas)(ws, tile)?;
        self.network.gradients(ws, tile.len(), false);
        gradient.copy_from_slice(&ws.gradient);
        Ok(loss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, Machine, RowMajor, Spec, Targets, force_threads};

    fn spec(middle: &str) -> Spec {
        let layer = |units: usize, activation: &str| {
            format!(
                r#"{{"kind": "dense", "units": {units}, "activation": {{"name": "{activation}"}}, "bias": true,
                    "init": {{"name": "he_normal"}}, "l2": 0.01}}"#
            )
        };
        let json = format!(
            r#"{{"n_inputs": 5, "layers": [{}, {middle} {}], "loss": {{"name": "mse"}},
                "optimizer": {{"name": "sgd", "learning_rate": 0.01, "momentum": 0.9, "nesterov": false}},
                "dtype": "float32", "seed": 3, "n_threads": null}}"#,
            layer(20, "mish"),
            layer(18, "softsign")
        );
        Spec::from_json(&json).unwrap()
    }

    /// Losses and parameters of some steps on 2048 rows, the last refused, and how many lanes there were.
    fn history(middle: &str, machine: Machine) -> (Vec<f64>, String, Vec<f32>, usize) {
        let mut network = Network::<f32>::new(spec(middle)).unwrap();
        network.machine = machine;
        let mut ws = Workspace::new(&network).unwrap();
        let n = 2048;
        let wave = |i: usize| (i.wrapping_mul(2_654_435_761) >> 9) as f32 % 1000.0 / 400.0 - 1.2;
        let (mut x, y): (Vec<f32>, Vec<f32>) = ((0..n * 5).map(wave).collect(), (0..n * 18).map(wave).collect());
        let weights: Vec<f64> = (0..n).map(|i| (i % 4) as f64).collect();
        let mut losses = Vec::new();
        for sample_weight in [None, Some(&weights[..])] {
            let (x, y) = (RowMajor::new(&x, n, 5), RowMajor::new(&y, n, 18));
            let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight };
            losses.push(network.step(&mut ws, &batch).unwrap());
        }
        let parameters = network.parameters.to_vec();
        // In the last tile and, seen first, in the third.
        (x[2047 * 5 + 1], x[700 * 5 + 3]) = (f32::NAN, f32::INFINITY);
        let (x, y) = (RowMajor::new(&x, n, 5), RowMajor::new(&y, n, 18));
        let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: None };
        let error = network.step(&mut ws, &batch).unwrap_err().to_string();
        assert_eq!(parameters, network.parameters.to_vec());
        (losses, error, parameters, ws.lanes.len())
    }

    #[test]
    fn tiles_side_by_side_have_the_bits_of_one_after_the_other() {
        let dropout = r#"{"kind": "dropout", "rate": 0.3},"#;
        for machine in Machine::available() {
            for (middle, lanes) in [("", [4, 6, 8]), (dropout, [0, 0, 0])] {
                let expected = history(middle, machine);
                assert!(expected.1.contains("700"), "{}", expected.1);
                assert_eq!(expected.3, 0);
                let before = force_threads(true);
                for (threads, lanes) in [2, 3, 8].into_iter().zip(lanes) {
                    let got = history(middle, machine.with_threads(threads));
                    assert_eq!(got, (expected.0.clone(), expected.1.clone(), expected.2.clone(), lanes), "{machine:?}");
                }
                assert!(force_threads(false) > before, "no thread has helped");
            }
        }
    }
}
