//! truncated_normal:  normal with a standard deviation of its own, drawn again where it is further than two of them from 0;
//! what is left has 0.88 of it.   As Keras's; torch's cuts at ±2 whatever the deviation.

use super::Draw;
use crate::check::positive;
use crate::rng::Stream;
use serde::{Deserialize, Serialize};

/// Normal, cut at two standard deviations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruncatedNormal {
    /// Standard deviation before the cut, > 0.
    pub std: f64,
}

impl Draw for TruncatedNormal {
    fn draw(&self, stream: &mut Stream, _n_in: f64, _n_out: f64) -> f64 {
        loop {
            let z = stream.normal();
            if z.abs() <= 2.0 {
                return z * self.std;
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        positive("std", self.std)
    }
}
