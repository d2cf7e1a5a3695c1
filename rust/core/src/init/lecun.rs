//! lecun:  uniform in ±√(3 / n_in), or normal with standard deviation √(1 / n_in).   LeCun et al. 1998, §4.6.

use super::{Draw, uniform};
use crate::rng::Stream;
use serde::{Deserialize, Serialize};

/// Uniform in ±√(3 / n_in).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LecunUniform {}

/// Normal with standard deviation √(1 / n_in).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LecunNormal {}

impl Draw for LecunUniform {
    fn draw(&self, stream: &mut Stream, n_in: f64, _n_out: f64) -> f64 {
        uniform(stream, (3.0 / n_in).sqrt())
    }
}

impl Draw for LecunNormal {
    fn draw(&self, stream: &mut Stream, n_in: f64, _n_out: f64) -> f64 {
        stream.normal() * (1.0 / n_in).sqrt()
    }
}
