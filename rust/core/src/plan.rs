//! Where everything lies: sizes, strides and places, a pure function of the spec and the dtype.

use crate::activation::Activation;
use crate::layer::{Layer, Place};
use crate::narrow::{Hidden, WIDEST};
use crate::{Error, Real, Spec};
use chainrule_kernels::{padded, pool, stride};

/// Most rows of a batch that go through the network at once. A larger batch goes in tiles whose gradients add up in
/// the order of the rows: always the same, whoever computes them.
const TILE_ROWS: usize = 256;

/// Most outputs of a layer that is computed with rows in columns; four times as many in a narrow network.
const THIN: usize = 16;

/// Least weights of a layer whose deltas go back through w itself.
const WIDE: usize = 1 << 17;

/// Most parameters, padding included, of a network whose tiles go side by side: those of a larger one gain as much by cutting
/// products, and need no memory of their own for it.
const SIDE_BY_SIDE: usize = 1 << 17;

/// Parameters, padding included, below which a network's products gain less by being cut than its tiles side by side, be
/// there one thread too many for them.
const LITTLE: usize = 1 << 14;

/// Most bytes of one layer's activations in a tile: very wide layers go in fewer rows.
const TILE_BYTES: usize = 8 << 20;

/// The layout of a network's buffers.
///
/// A layer's rows lie one below the other, its outputs side by side in vectors, w as (n_in, n_out); what passes deltas back
/// is a transposed copy of w. Two kinds of layer do otherwise, because they gain by it (docs/design/2026-11-26-speed.md):
///
/// - *thin*, a last layer of few outputs whose activation is the identity: wᵀ is stored, outputs and losses are computed
///   with the rows side by side, so that no vector is half empty and the loss needs no sums across a vector; delta goes back
///   through wᵀ as it is.
/// - *wide*, a layer of many weights: copying w costs more than transposing the activations and deltas of a batch.
///
/// Every product's bits are the same whichever it is; a loss may round otherwise in columns than row by row.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Units before the first layer and after each.
    pub(crate) units: Vec<usize>,
    /// Distance between rows of activations, for each of `units`.
    pub(crate) strides: Vec<usize>,
    /// Parameters of each layer that has any.
    pub(crate) places: Vec<Option<Place>>,
    /// Length of the flat parameter buffer, padding included.
    pub(crate) padded_parameters: usize,
    /// Number of parameters, padding left out.
    pub(crate) n_parameters: usize,
    /// Most rows at once.
    pub(crate) tile: usize,
    /// What the hidden layers do, where all of the network is narrow: see [`narrow`](crate::narrow).
    pub(crate) narrow: Option<Hidden>,
    /// Whether tiles of a batch may go side by side on threads: not where dropout's masks go on from one to the next.
    tiles_on_threads: bool,
    /// Floating-point operations a row of the largest product, or of a pass that takes as long.
    work_a_row: usize,
}

impl Plan {
    /// Lays out the network of `spec` for numbers of type `T`, or says that it is too large to address.
    pub(crate) fn new<T: Real>(spec: &Spec) -> Result<Self, Error> {
        Plan::with_limits::<T>(spec, THIN, WIDE, WIDEST)
    }

    /// The same with limits of one's own for the outputs of a thin layer, the weights of a wide one, and the units of a narrow
    /// network.
    fn with_limits<T: Real>(spec: &Spec, most_thin: usize, least_wide: usize, widest: usize) -> Result<Self, Error> {
        let units = spec.units();
        let size = size_of::<T>() as u128;
        // Sizes are checked in 128 bits before any of them is computed in a usize.
        let bytes: u128 = units.windows(2).map(|pair| (pair[0] as u128 + 64) * (pair[1] as u128 + 64) * size).sum();
        if bytes > isize::MAX as u128 / 8 || units.iter().any(|&n| n > isize::MAX as usize / 4096) {
            return Err(Error::Memory { bytes });
        }
        let outputs = units[units.len() - 1];
        let narrow = Hidden::of(spec, widest).filter(|_| outputs <= 4 * most_thin);
        let most_thin = if narrow.is_some() { 4 * most_thin } else { most_thin };
        let mut end = 0;
        let mut n_parameters = 0;
        let mut places = Vec::with_capacity(spec.layers.len());
        for (layer, pair) in spec.layers.iter().zip(units.windows(2)) {
            let Layer::Dense(dense) = layer else {
                places.push(None);
                continue;
            };
            let (n_in, n_out) = (pair[0], pair[1]);
            let last = places.len() + 1 == spec.layers.len();
            let thin = last && n_out <= most_thin && matches!(dense.activation, Activation::Identity(_));
            let wide = !thin && n_in * n_out >= least_wide;
            let (rows, columns) = if thin { (n_out, n_in) } else { (n_in, n_out) };
            let stride = stride::<T>(columns);
            let w = end..end + rows * stride;
            end = w.end;
            n_parameters += n_in * n_out;
            let b = dense.bias.then(|| {
                let b = end..end + padded::<T>(n_out);
                end = b.end;
                n_parameters += n_out;
                b
            });
            places.push(Some(Place { n_in, n_out, thin, wide, stride, w, b }));
        }
        let strides: Vec<usize> = units.iter().map(|&n| stride::<T>(n)).collect();
        let products =
            places.iter().flatten().map(|place: &Place| place.n_in.saturating_mul(place.n_out).saturating_mul(2));
        let passes = units.iter().map(|&units| units.saturating_mul(pool::PASS));
        let work_a_row = products.chain(passes).max().unwrap_or(0);
        let row_bytes = strides.iter().max().map_or(1, |&s| s * size_of::<T>());
        Ok(Plan {
            units,
            strides,
            places,
            padded_parameters: end,
            n_parameters,
            tile: (TILE_BYTES / row_bytes).clamp(8, TILE_ROWS),
            narrow,
            tiles_on_threads: narrow.is_some()
                || end <= SIDE_BY_SIDE && !spec.layers.iter().any(|layer| matches!(layer, Layer::Dropout(_))),
            work_a_row,
        })
    }

    /// Number of outputs of the last layer.
    pub(crate) fn n_outputs(&self) -> usize {
        self.units[self.units.len() - 1]
    }

    /// The last layer's place, where that is thin.
    pub(crate) fn thin(&self) -> Option<&Place> {
        self.places.last().and_then(Option::as_ref).filter(|place| place.thin)
    }

    /// Floating-point operations of the largest product for `rows` rows, or of a pass over rows or parameters as long.
    pub(crate) fn largest_work(&self, rows: usize) -> usize {
        self.work_a_row.saturating_mul(rows).max(self.padded_parameters.saturating_mul(2 * pool::PASS))
    }

    /// How many of `threads` any batch is worth: where tiles go side by side, a large one is.
    pub(crate) fn most_threads(&self, threads: usize) -> usize {
        if self.tiles_on_threads { threads } else { self.threads_for(self.tile, threads) }
    }

    /// Whether a product for `rows` rows is worth cutting.
    fn cuts_products(&self, rows: usize) -> bool {
        pool::is_worth(self.largest_work(rows.min(self.tile)))
    }

    /// Whether `rows` rows are better taken tile by tile, each on a thread, than by products that are cut: where that leaves
    /// threads without work for a fifth of the time at most (a quarter, where products are small and gain less by being cut),
    /// or there is nothing to cut.
    #[inline]
    pub(crate) fn in_tiles(&self, rows: usize, threads: usize) -> bool {
        let fills = || {
            let rounds = rows.div_ceil(self.tile).div_ceil(threads);
            let most = rounds.saturating_mul(self.tile).saturating_mul(threads);
            if self.padded_parameters < LITTLE { rows >= most / 4 * 3 } else { rows >= most / 5 * 4 }
        };
        threads == 1 || !self.cuts_products(rows) || fills()
    }

    /// Whether the tiles of `rows` rows go side by side.
    pub(crate) fn side_by_side(&self, rows: usize, threads: usize) -> bool {
        threads > 1 && rows > self.tile && self.tiles_on_threads && self.in_tiles(rows, threads)
    }

    /// How many of `threads` a batch of `rows` rows is worth: all or one. Who asks once a step need not ask at every
    /// product, which is 3 % of a step of 1 µs.
    pub(crate) fn threads_for(&self, rows: usize, threads: usize) -> usize {
        let worth = || self.tiles_on_threads && rows > self.tile || self.cuts_products(rows);
        if threads > 1 && worth() { threads } else { 1 }
    }

    /// Floating-point operations of a training step on `rows` rows, or what takes as long: 2 forward and 4 backward a weight
    /// and row, and the update. Padding counts, as it takes its time.
    pub(crate) fn flops(&self, rows: usize) -> f64 {
        (6.0 * rows as f64 + 2.0 * pool::PASS as f64) * self.padded_parameters as f64
    }

    /// The same of forward propagation alone.
    pub(crate) fn forward_flops(&self, rows: usize) -> f64 {
        2.0 * rows as f64 * self.padded_parameters as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, Network, RowMajor, Targets, Workspace};

    /// 9 → 20 relu → 5 sigmoid → dropout → 3, and back to x.
    fn spec(dtype: &str) -> Spec {
        let dense = |units: usize, activation: &str| {
            format!(
                r#"{{"kind": "dense", "units": {units}, "activation": {{"name": "{activation}"}}, "bias": true,
                    "init": {{"name": "glorot_normal"}}, "l2": 0.0}}"#
            )
        };
        let json = format!(
            r#"{{"n_inputs": 9, "layers": [{}, {}, {{"kind": "dropout", "rate": 0.2}}, {}],
                "loss": {{"name": "half_squared_error"}},
                "optimizer": {{"name": "sgd", "learning_rate": 0.1, "momentum": 0.0, "nesterov": false}},
                "dtype": "{dtype}", "seed": 7, "n_threads": null}}"#,
            dense(20, "relu"),
            dense(5, "sigmoid"),
            dense(3, "identity")
        );
        Spec::from_json(&json).unwrap()
    }

    /// Outputs, gradient and ∂L/∂x, and the parameters after a step.
    fn results<T: Real>(dtype: &str, most_thin: usize, least_wide: usize) -> [Vec<T>; 4] {
        let spec = spec(dtype);
        let mut network = Network::<T>::new(spec.clone()).unwrap();
        let mut flat = vec![T::ZERO; network.n_parameters()];
        network.parameters(&mut flat);
        network.plan = Plan::with_limits::<T>(&spec, most_thin, least_wide, 0).unwrap();
        network.parameters = chainrule_kernels::Buffer::zeroed(network.plan.padded_parameters).unwrap();
        network.set_parameters(&flat).unwrap();
        let n = 23;
        let wave = |i: usize| T::from_f64(((i * 7919 + 13) % 1000) as f64 / 500.0 - 1.0);
        let (x, y): (Vec<T>, Vec<T>) = ((0..n * 9).map(wave).collect(), (0..n * 3).map(wave).collect());
        let (x, y) = (RowMajor::new(&x, n, 9), RowMajor::new(&y, n, 3));
        let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: None };
        let mut ws = Workspace::new(&network).unwrap();
        let (mut out, mut inputs) = (vec![T::ZERO; n * 3], vec![T::ZERO; n * 9]);
        network.forward(&mut ws, &x, true, &mut out).unwrap();
        let mut gradient = vec![T::ZERO; flat.len()];
        network.backward(&mut ws, &x, &y, true, &mut gradient, &mut inputs).unwrap();
        network.step(&mut ws, &batch).unwrap();
        network.parameters(&mut flat);
        [out, gradient, inputs, flat]
    }

    #[test]
    fn plan_changes_no_bit() {
        for (most_thin, least_wide) in [(3, usize::MAX), (0, 0), (3, 0), (0, 50)] {
            let what = format!("thin up to {most_thin} outputs, wide from {least_wide} weights");
            let plain = results::<f32>("float32", 0, usize::MAX);
            assert_eq!(results::<f32>("float32", most_thin, least_wide), plain, "{what}");
            let plain = results::<f64>("float64", 0, usize::MAX);
            assert_eq!(results::<f64>("float64", most_thin, least_wide), plain, "{what}");
        }
    }
}
