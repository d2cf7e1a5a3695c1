//! glorot:  uniform in ±√(6 / (n_in + n_out)), or normal with standard deviation √(2 / (n_in + n_out)).
//! Glorot and Bengio 2010, eq. 16.

use super::{Draw, uniform};
use crate::rng::Stream;
use serde::{Deserialize, Serialize};

/// Uniform in ±√(6 / (n_in + n_out)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlorotUniform {}

/// Normal with standard deviation √(2 / (n_in + n_out)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlorotNormal {}

impl Draw for GlorotUniform {
    fn draw(&self, stream: &mut Stream, n_in: f64, n_out: f64) -> f64 {
        uniform(stream, (6.0 / (n_in + n_out)).sqrt())
    }
}

impl Draw for GlorotNormal {
    fn draw(&self, stream: &mut Stream, n_in: f64, n_out: f64) -> f64 {
        stream.normal() * (2.0 / (n_in + n_out)).sqrt()
    }
}
