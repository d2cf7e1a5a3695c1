//! Initial weights. Most rules draw from a distribution whose width depends on the layer's n_in and n_out.
//!
//! To add one: a file beside this one, a line in the list below, and its twin in the Python reference.

use crate::rng::Stream;
use crate::{Error, Real};

crate::kind::kind! {
    /// A rule for initial weights.
    #[derive(Copy)]
    Init by "name", each_init, ($) {
        glorot::{GlorotUniform => "glorot_uniform", GlorotNormal => "glorot_normal"},
        he::{HeUniform => "he_uniform", HeNormal => "he_normal"},
        lecun::{LecunUniform => "lecun_uniform", LecunNormal => "lecun_normal"},
        truncated_normal::{TruncatedNormal => "truncated_normal"},
        orthogonal::{Orthogonal => "orthogonal"},
        constant::{Constant => "constant"},
        zeros::{Zeros => "zeros"},
    }
}

/// The interface of a layer to any rule. A rule that draws each weight by itself implements [`Draw`] instead.
pub(crate) trait Fill {
    /// Sets `w`, the weights of a layer with `n_in` inputs and `n_out` outputs, row by row. Each is computed in double
    /// precision and rounded to `T`. `keep_going` is asked every few milliseconds; if it says no, the error is
    /// [`Error::Interrupted`].
    fn fill<'a, T: Real>(
        &self,
        stream: &mut Stream,
        n_in: usize,
        n_out: usize,
        w: impl Iterator<Item = &'a mut T>,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<(), Error>;

    /// Refuses parameters that are out of range.
    fn check(&self) -> Result<(), String>;
}

/// Weights drawn between two calls of `keep_going`: some milliseconds.
const WEIGHTS_BETWEEN_LOOKS: usize = 1 << 18;

/// A rule that draws each weight by itself.
trait Draw {
    /// The next weight of a layer with `n_in` inputs and `n_out` outputs.
    fn draw(&self, stream: &mut Stream, n_in: f64, n_out: f64) -> f64;

    /// Refuses parameters that are out of range.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl<D: Draw> Fill for D {
    fn fill<'a, T: Real>(
        &self,
        stream: &mut Stream,
        n_in: usize,
        n_out: usize,
        w: impl Iterator<Item = &'a mut T>,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<(), Error> {
        for (k, w) in w.enumerate() {
            if k % WEIGHTS_BETWEEN_LOOKS == WEIGHTS_BETWEEN_LOOKS - 1 && !keep_going() {
                return Err(Error::Interrupted);
            }
            *w = T::from_f64(self.draw(stream, n_in as f64, n_out as f64));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        Draw::check(self)
    }
}

impl Init {
    /// Sets `w`, the weights of a layer with `n_in` inputs and `n_out` outputs, row by row.
    pub(crate) fn fill<'a, T: Real>(
        &self,
        stream: &mut Stream,
        n_in: usize,
        n_out: usize,
        w: impl Iterator<Item = &'a mut T>,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<(), Error> {
        each_init!(self, i => i.fill(stream, n_in, n_out, w, keep_going))
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        each_init!(self, i => Fill::check(i))
    }
}

/// Uniform in [−limit, limit).
fn uniform(stream: &mut Stream, limit: f64) -> f64 {
    (2.0 * stream.uniform() - 1.0) * limit
}
