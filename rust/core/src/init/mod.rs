//! First weights: a distribution whose width follows from the number of inputs and outputs of a layer.
//!
//! To add one: a file beside this one, a line in the list below, and its twin in the Python reference.

use crate::rng::Stream;

crate::registry::kind! {
    /// A distribution of first weights.
    Init by "name", each_init, ($) {
        glorot::{GlorotUniform => "glorot_uniform", GlorotNormal => "glorot_normal"},
        he::{HeUniform => "he_uniform", HeNormal => "he_normal"},
        lecun::{LecunUniform => "lecun_uniform", LecunNormal => "lecun_normal"},
        zeros::{Zeros => "zeros"},
    }
}

/// What making a layer asks of any init.
pub(crate) trait Draw {
    /// The next weight of a layer with `n_in` inputs and `n_out` outputs.
    fn draw(&self, stream: &mut Stream, n_in: f64, n_out: f64) -> f64;
}

impl Init {
    /// The next weight of a layer with `n_in` inputs and `n_out` outputs.
    pub(crate) fn draw(&self, stream: &mut Stream, n_in: usize, n_out: usize) -> f64 {
        each_init!(self, i => i.draw(stream, n_in as f64, n_out as f64))
    }
}

/// Uniform in [−limit, limit).
fn uniform(stream: &mut Stream, limit: f64) -> f64 {
    (2.0 * stream.uniform() - 1.0) * limit
}
