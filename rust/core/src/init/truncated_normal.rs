//! truncated_normal:  normal with standard deviation std; a weight beyond ±2 std is drawn again. The result has the
//! standard deviation 0.88 std.   As Keras's; torch cuts at ±2 for every std.

use super::Draw;
use crate::check::positive;
use crate::rng::Stream;
use serde::{Deserialize, Serialize};

/// Normal, truncated at two standard deviations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruncatedNormal {
    /// Standard deviation before truncation, > 0.
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
