//! constant:  learning_rate(t) = rate.

use super::{Rate, check_rate};
use serde::{Deserialize, Serialize};

/// The same rate at every update.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// The rate, > 0.
    pub rate: f64,
}

impl Rate for Constant {
    fn at(&self, _t: u64) -> f64 {
        self.rate
    }

    fn check(&self) -> Result<(), String> {
        check_rate(self.rate)
    }
}
