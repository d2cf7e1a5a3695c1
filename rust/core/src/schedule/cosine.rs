//! cosine:  rate · (t / warmup) for t ≤ warmup, then from rate to end along half a cosine, with k = t − 1 − warmup:
//! end + (rate − end) · (1 + cos(π k / (steps − warmup))) / 2.   Loshchilov and Hutter 2017, equation 5.

use super::{Rate, check_rate};
use serde::{Deserialize, Serialize};

/// A rate that falls along half a cosine, after a linear rise if wanted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// The highest rate, > 0.
    pub rate: f64,
    /// The horizon: updates of the rise and the fall together, > `warmup`. After them the rate is `end`.
    pub steps: u64,
    /// Updates of the rise.
    pub warmup: u64,
    /// The rate after `steps` updates, in [0, `rate`].
    pub end: f64,
}

impl Rate for Cosine {
    fn at(&self, t: u64) -> f64 {
        let Cosine { rate, steps, warmup, end } = *self;
        if t <= warmup {
            return rate * (t as f64 / warmup as f64);
        }
        if t > steps {
            return end;
        }
        let done = (t - 1 - warmup) as f64 / (steps - warmup) as f64;
        end + (rate - end) * (1.0 + (std::f64::consts::PI * done).cos()) / 2.0
    }

    fn check(&self) -> Result<(), String> {
        let Cosine { rate, steps, warmup, end } = *self;
        check_rate(rate)?;
        if warmup >= steps {
            return Err(format!("learning_rate: warmup must be less than steps, got warmup={warmup}, steps={steps}"));
        }
        if !(0.0..=rate).contains(&end) {
            return Err(format!("learning_rate: end must be in [0, rate], got end={end}, rate={rate}"));
        }
        Ok(())
    }
}
