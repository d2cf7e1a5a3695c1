//! zeros:  w = 0. For linear models only: hidden units that start equal stay equal.

use super::Draw;
use crate::rng::Stream;
use serde::{Deserialize, Serialize};

/// Every weight 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zeros {}

impl Draw for Zeros {
    fn draw(&self, _stream: &mut Stream, _n_in: f64, _n_out: f64) -> f64 {
        0.0
    }
}
