//! Parameters as a caller sees them, one flat sequence w_1 row by row, b_1, w_2, …, and as the kernels want them,
//! rows padded to whole cache lines; the two orders, and the way between them.

use crate::layer::{Layer, Place};
use crate::plan::Plan;
use crate::rng::{Purpose, Stream};
use crate::{Error, Real, Spec};
use chainrule_kernels::{Target, within};

impl Place {
    /// The rows of w and then b, as ranges of the padded buffer in the caller's order.
    fn rows(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let w = (0..self.n_in).map(|i| {
            let start = self.w.start + i * self.stride;
            start..start + self.n_out
        });
        w.chain(self.b.iter().map(|b| b.start..b.start + self.n_out))
    }
}

impl Plan {
    /// Ranges of the padded buffer that hold parameters, in the caller's order.
    fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.places.iter().flatten().flat_map(Place::rows)
    }

    /// padded ← flat.
    pub(crate) fn pack<T: Real>(&self, flat: &[T], padded: &mut [T]) {
        let mut at = 0;
        for range in self.ranges() {
            let n = range.len();
            padded[range].copy_from_slice(&flat[at..at + n]);
            at += n;
        }
    }

    /// flat ← padded.
    pub(crate) fn unpack<T: Real>(&self, padded: &[T], flat: &mut [T]) {
        let mut at = 0;
        for range in self.ranges() {
            let n = range.len();
            flat[at..at + n].copy_from_slice(&padded[range]);
            at += n;
        }
    }

    /// Refuses a flat sequence of the wrong length or with NaN or infinity in it.
    pub(crate) fn check_flat<T: Real>(&self, argument: &'static str, flat: &[T]) -> Result<(), Error> {
        if flat.len() != self.n_parameters {
            return Err(Error::Length { argument, expected: self.n_parameters, got: flat.len() });
        }
        match flat.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(index) => Err(Error::NotFiniteAt { argument, value: flat[index].to_f64(), index }),
        }
    }
}

/// Sets the first weights in `parameters`, which are zero: layer by layer, row by row.
pub(crate) fn draw<T: Real>(target: Target, spec: &Spec, plan: &Plan, parameters: &mut [T]) -> Result<(), Error> {
    for (l, (layer, place)) in spec.layers.iter().zip(&plan.places).enumerate() {
        let (Layer::Dense(dense), Some(place)) = (layer, place) else {
            continue;
        };
        let mut stream = Stream::new(spec.seed, Purpose::Weights, l as u64);
        let rows = parameters[place.w.clone()].chunks_exact_mut(place.stride);
        let w = rows.flat_map(|row| &mut row[..place.n_out]);
        dense.init.fill(&mut stream, place.n_in, place.n_out, w)?;
        if !within(target, &parameters[place.w.clone()], T::MAX) {
            let text = format!("layer {}: the initial weights are too large for {}", l + 1, T::NAME);
            return Err(Error::Config(text));
        }
    }
    Ok(())
}
