//! constant:  w = value. For linear models only: hidden units that start equal stay equal.

use super::Draw;
use crate::rng::Stream;
use serde::{Deserialize, Serialize};

/// Every weight the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// The weight, finite.
    pub value: f64,
}

impl Draw for Constant {
    fn draw(&self, _stream: &mut Stream, _n_in: f64, _n_out: f64) -> f64 {
        self.value
    }

    fn check(&self) -> Result<(), String> {
        if self.value.is_finite() {
            return Ok(());
        }
        Err(format!("value must be finite, got {}", self.value))
    }
}
