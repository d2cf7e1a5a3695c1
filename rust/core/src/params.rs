//! Parameters as a caller sees them, one flat sequence w_1 row by row, b_1, w_2, …, and as the kernels want them,
//! rows padded to whole cache lines; the two orders, and the way between them.

use crate::layer::{Layer, Place};
use crate::plan::Plan;
use crate::rng::{Purpose, Stream};
use crate::{Error, Real, Spec};
use chainrule_kernels::{Buffer, Machine, within};

impl Place {
    /// The rows of w and then b in the caller's order: where each starts in the padded buffer, and how far apart its n_out
    /// numbers are there.
    fn rows(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let (row, step) = if self.thin { (1, self.stride) } else { (self.stride, 1) };
        let w = (0..self.n_in).map(move |i| (self.w.start + i * row, step));
        w.chain(self.b.iter().map(|b| (b.start, 1)))
    }

    /// How many parameters there are.
    pub(crate) fn len(&self) -> usize {
        self.n_in * self.n_out + self.b.as_ref().map_or(0, |_| self.n_out)
    }

    /// padded ← flat, the parameters of this layer alone.
    fn pack<T: Real>(&self, flat: &[T], padded: &mut [T]) {
        for ((start, step), row) in self.rows().zip(flat.chunks_exact(self.n_out)) {
            if step == 1 {
                padded[start..start + self.n_out].copy_from_slice(row);
            } else {
                padded[start..].iter_mut().step_by(step).zip(row).for_each(|(to, &from)| *to = from);
            }
        }
    }

    /// flat ← padded, the parameters of this layer alone.
    pub(crate) fn unpack<T: Real>(&self, padded: &[T], flat: &mut [T]) {
        for ((start, step), row) in self.rows().zip(flat.chunks_exact_mut(self.n_out)) {
            if step == 1 {
                row.copy_from_slice(&padded[start..start + self.n_out]);
            } else {
                row.iter_mut().zip(padded[start..].iter().step_by(step)).for_each(|(to, &from)| *to = from);
            }
        }
    }
}

impl Plan {
    /// padded ← flat.
    pub(crate) fn pack<T: Real>(&self, mut flat: &[T], padded: &mut [T]) {
        for place in self.places.iter().flatten() {
            let (layer, rest) = flat.split_at(place.len());
            place.pack(layer, padded);
            flat = rest;
        }
    }

    /// flat ← padded.
    pub(crate) fn unpack<T: Real>(&self, padded: &[T], mut flat: &mut [T]) {
        for place in self.places.iter().flatten() {
            let (layer, rest) = flat.split_at_mut(place.len());
            place.unpack(padded, layer);
            flat = rest;
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
pub(crate) fn draw<T: Real>(machine: Machine, spec: &Spec, plan: &Plan, parameters: &mut [T]) -> Result<(), Error> {
    for (l, (layer, place)) in spec.layers.iter().zip(&plan.places).enumerate() {
        let (Layer::Dense(dense), Some(place)) = (layer, place) else {
            continue;
        };
        let mut stream = Stream::new(spec.seed, Purpose::Weights, l as u64);
        let mut flat = Buffer::zeroed(place.len())?;
        let w = place.n_in * place.n_out;
        dense.init.fill(&mut stream, place.n_in, place.n_out, flat[..w].iter_mut())?;
        place.pack(&flat, parameters);
        if !within(machine, &parameters[place.w.clone()], T::MAX) {
            let text = format!("layer {}: the initial weights are too large for {}", l + 1, T::NAME);
            return Err(Error::Config(text));
        }
    }
    Ok(())
}
