//! Where everything lies: sizes, strides and places, a pure function of the spec and the dtype.

use crate::activation::Activation;
use crate::layer::{Layer, Place};
use crate::{Error, Real, Spec};
use chainrule_kernels::{padded, stride};

/// Most rows of a batch that go through the network at once. A larger batch goes in tiles whose gradients add up in
/// the order of the rows, so its bits are those of the whole batch.
const TILE_ROWS: usize = 256;

/// Most outputs of a layer that is computed with rows in columns.
const THIN: usize = 16;

/// Least weights of a layer whose deltas go back through w itself.
const WIDE: usize = 1 << 17;

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
/// No bit of any result depends on which it is.
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
}

impl Plan {
    /// Lays out the network of `spec` for numbers of type `T`, or says that it is too large to address.
    pub(crate) fn new<T: Real>(spec: &Spec) -> Result<Self, Error> {
        let units = spec.units();
        let size = size_of::<T>() as u128;
        // Sizes are checked in 128 bits before any of them is computed in a usize.
        let bytes: u128 = units.windows(2).map(|pair| (pair[0] as u128 + 64) * (pair[1] as u128 + 64) * size).sum();
        if bytes > isize::MAX as u128 / 8 || units.iter().any(|&n| n > isize::MAX as usize / 4096) {
            return Err(Error::Memory { bytes });
        }
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
            let thin = last && n_out <= THIN && matches!(dense.activation, Activation::Identity(_));
            let wide = !thin && n_in * n_out >= WIDE;
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
        let widest = strides.iter().max().map_or(1, |&s| s * size_of::<T>());
        Ok(Plan {
            units,
            strides,
            places,
            padded_parameters: end,
            n_parameters,
            tile: (TILE_BYTES / widest).clamp(8, TILE_ROWS),
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

    /// Floating-point operations of a training step on `rows` rows: 2 forward and 4 backward a weight and row.
    pub(crate) fn flops(&self, rows: usize) -> f64 {
        6.0 * rows as f64 * self.n_parameters as f64
    }
}
