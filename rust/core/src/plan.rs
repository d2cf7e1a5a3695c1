//! Where everything lies: the layers with their tensors, sizes and tiles. A pure function of the spec and the dtype.

mod small;
mod worth;

use crate::bounds::small_x;
use crate::layer::{Chain, Ends, LayerPlan};
use crate::limits::Limits;
use crate::rng::{Purpose, Stream};
use crate::tensor::Tensor;
use crate::{Error, Real, Spec};
use chainrule_kernels::{Machine, within};

pub(crate) use small::Small;
pub use worth::Worth;

/// Most rows of a batch that go through the network at once. A larger batch goes in tiles whose gradients add up in
/// the order of the rows: always the same, whoever computes them.
const TILE_ROWS: usize = 256;

/// Most bytes of one layer's activations in a tile: very wide layers go in fewer rows.
const TILE_BYTES: usize = 8 << 20;

/// A tensor with its name in the network, such as "layers.0.weight".
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) tensor: Tensor,
}

/// The layout of a network's buffers.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) chain: Chain,
    /// Trained tensors in the order of the parameters.
    pub(crate) tensors: Vec<Named>,
    /// Tensors that are saved and not trained.
    pub(crate) buffers: Vec<Named>,
    /// Length of the flat parameter buffer, padding included.
    pub(crate) padded_parameters: usize,
    /// The same of the buffers.
    pub(crate) padded_buffers: usize,
    /// Number of parameters, padding left out.
    pub(crate) n_parameters: usize,
    /// Whether a weight is penalised.
    pub(crate) has_penalty: bool,
    /// Σ x² over a tile of rows is small for certain where no |x| is larger.
    small_x: f64,
    /// Most rows at once.
    tile: usize,
    /// Whether a layer depends on all rows of a batch in training.
    together: bool,
    /// How the network is computed where it is small, or why it is not.
    pub(crate) small: Result<Small, String>,
    pub(crate) worth: Worth,
}

impl Plan {
    /// Lays out the network of `spec` for numbers of type `T`, or says that it is too large to address.
    pub(crate) fn new<T: Real>(spec: &Spec) -> Result<Self, Error> {
        Plan::with_limits::<T>(spec, Limits::USUAL)
    }

    /// The same with limits of one's own.
    pub(crate) fn with_limits<T: Real>(spec: &Spec, mut limits: Limits) -> Result<Self, Error> {
        let units = spec.units();
        let size = size_of::<T>() as u128;
        // Sizes are checked in 128 bits before any of them is computed in a usize.
        let bytes: u128 = units.windows(2).map(|pair| (pair[0] as u128 + 64) * (pair[1] as u128 + 64) * size).sum();
        if bytes > isize::MAX as u128 / 8 || units.iter().any(|&n| n > isize::MAX as usize / 4096) {
            return Err(Error::Memory { bytes });
        }
        let small = Small::of(spec, &limits);
        if small.is_ok() {
            limits.outputs_in_columns *= 4;
        }
        let mut ends = Ends::default();
        let chain = Chain::new::<T>(&spec.layers, spec.n_inputs, 0, Some(&limits), &mut ends);
        let (mut tensors, mut buffers) = (Vec::new(), Vec::new());
        chain.each_layer("", &mut |prefix, _, plan: &LayerPlan| {
            let named = |tensor: &Tensor| {
                let name = format!("{prefix}{}", tensor.declared.name);
                Named { name, tensor: tensor.clone() }
            };
            tensors.extend(plan.tensors.iter().map(named));
            buffers.extend(plan.buffers.iter().map(named));
        });
        let has_penalty = tensors.iter().any(|named| named.tensor.declared.l2 != 0.0);
        let n_parameters = tensors.iter().map(|named| named.tensor.len()).sum();
        let row_bytes = chain.strides.iter().max().map_or(1, |&s| s * size_of::<T>());
        let tile = (TILE_BYTES / row_bytes).clamp(8, TILE_ROWS);
        let together = chain.is_together();
        let worth = Worth::new(&chain, ends.parameters, tile, small.is_ok(), together);
        Ok(Plan {
            chain,
            tensors,
            buffers,
            padded_parameters: ends.parameters,
            padded_buffers: ends.buffers,
            n_parameters,
            has_penalty,
            small_x: small_x::<T>(tile, spec.n_inputs).to_f64(),
            tile,
            together,
            small,
            worth,
        })
    }

    /// Most rows at once, of a batch of `rows` rows.
    pub(crate) fn tile(&self, rows: usize, training: bool) -> usize {
        if self.together && training { rows.max(1) } else { self.tile }
    }

    /// The largest |x| with which Σ x² over `rows` rows is small for certain. Worked out for a tile: a root and a division
    /// are 2 % of the shortest steps.
    pub(crate) fn small_x<T: Real>(&self, rows: usize) -> T {
        if rows <= self.tile { T::from_f64(self.small_x) } else { small_x(rows, self.chain.units[0]) }
    }

    /// Takes batches of up to `rows` rows at once.
    pub(crate) fn set_tile(&mut self, rows: usize) {
        self.small_x = self.small_x.min(0.0);
        self.tile = rows;
    }

    /// Number of outputs of the last layer.
    pub(crate) fn n_outputs(&self) -> usize {
        self.chain.last().n_out
    }

    /// Sets the first values in `parameters` and in `buffers`, which are zero: layer by layer, row by row.
    pub(crate) fn draw<T: Real>(
        &self,
        machine: Machine,
        seed: u64,
        parameters: &mut [T],
        buffers: &mut [T],
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<(), Error> {
        let mut result = Ok(());
        self.chain.each_layer("", &mut |_, _, plan| {
            let mut stream = Stream::new(seed, Purpose::Weights, plan.position as u64);
            let mut set = |tensor: &Tensor, values: &mut [T]| {
                tensor.set_first(&mut stream, values, keep_going)?;
                if within(machine, &values[tensor.at.clone()], T::MAX) {
                    return Ok(());
                }
                let layer = plan.position + 1;
                Err(Error::Config(format!("layer {layer}: the initial weights are too large for {}", T::NAME)))
            };
            let mut sets = || {
                plan.tensors.iter().try_for_each(|tensor| set(tensor, parameters))?;
                plan.buffers.iter().try_for_each(|tensor| set(tensor, buffers))
            };
            if result.is_ok() {
                result = sets();
            }
        });
        result
    }

    /// padded ← flat.
    pub(crate) fn pack<T: Real>(tensors: &[Named], mut flat: &[T], padded: &mut [T]) {
        for Named { tensor, .. } in tensors {
            let (here, rest) = flat.split_at(tensor.len());
            tensor.pack(here, padded);
            flat = rest;
        }
    }

    /// flat ← padded.
    pub(crate) fn unpack<T: Real>(tensors: &[Named], padded: &[T], mut flat: &mut [T]) {
        for Named { tensor, .. } in tensors {
            let (here, rest) = flat.split_at_mut(tensor.len());
            tensor.unpack(padded, here);
            flat = rest;
        }
    }

    /// Refuses a flat sequence of the wrong length or with NaN or infinity in it.
    pub(crate) fn check_flat<T: Real>(&self, argument: &'static str, flat: &[T]) -> Result<(), Error> {
        if flat.len() != self.n_parameters {
            return Err(Error::Length { argument, expected: self.n_parameters, got: flat.len() });
        }
        check_finite(argument, flat)
    }
}

/// Refuses a flat sequence with NaN or infinity in it.
pub(crate) fn check_finite<T: Real>(argument: &'static str, flat: &[T]) -> Result<(), Error> {
    match flat.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(index) => Err(Error::NotFiniteAt { argument, value: flat[index].to_f64(), index }),
    }
}

#[cfg(test)]
mod tests;
