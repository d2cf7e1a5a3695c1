//! he:  uniform in ±√(6 / n_in), or normal with standard deviation √(2 / n_in).   He et al. 2015, eq. 10.

use super::{Draw, uniform};
use crate::rng::Stream;
use serde::{Deserialize, Serialize};

/// Uniform in ±√(6 / n_in).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeUniform {}

/// Normal with standard deviation √(2 / n_in).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeNormal {}

impl Draw for HeUniform {
    fn draw(&self, stream: &mut Stream, n_in: f64, _n_out: f64) -> f64 {
        uniform(stream, (6.0 / n_in).sqrt())
    }
}

impl Draw for HeNormal {
    fn draw(&self, stream: &mut Stream, n_in: f64, _n_out: f64) -> f64 {
        stream.normal() * (2.0 / n_in).sqrt()
    }
}
