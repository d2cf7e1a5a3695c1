//! Schedules: a rate as a pure function of the update t, counted from 1.
//!
//! A schedule has no state. t is saved with the network, so a loaded network continues with the right rate. In JSON a
//! constant rate is a plain number. To add a schedule: a file beside this one and a line in the list below.

use serde::{Deserialize, Serialize};

crate::kind::kind! {
    /// A rate that depends on the update.
    #[derive(Copy)]
    Schedules by "name", each_schedule, ($) {
        constant::{Constant => "constant"},
        cosine::{Cosine => "cosine"},
    }
}

/// A rate: a number, or a schedule by name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Json", into = "Json")]
pub struct Schedule(pub Schedules);

/// The JSON form of a [`Schedule`].
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Json {
    Number(f64),
    Schedule(Schedules),
}

impl From<Json> for Schedule {
    fn from(json: Json) -> Self {
        match json {
            Json::Number(rate) => Schedule::constant(rate),
            Json::Schedule(schedule) => Schedule(schedule),
        }
    }
}

impl From<Schedule> for Json {
    fn from(Schedule(schedule): Schedule) -> Self {
        match schedule {
            Schedules::Constant(Constant { rate }) => Json::Number(rate),
            schedule => Json::Schedule(schedule),
        }
    }
}

/// The interface of training to any schedule.
pub(crate) trait Rate {
    /// The rate of the `t`-th update, counted from 1.
    fn at(&self, t: u64) -> f64;

    /// Refuses numbers that are out of range.
    fn check(&self) -> Result<(), String>;
}

impl Schedule {
    /// The same rate at every update.
    pub fn constant(rate: f64) -> Self {
        Schedule(Schedules::Constant(Constant { rate }))
    }

    /// The rate of the `t`-th update, counted from 1.
    pub fn at(&self, t: u64) -> f64 {
        each_schedule!(&self.0, s => s.at(t))
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        each_schedule!(&self.0, s => s.check())
    }
}

/// Refuses a rate that is not finite and greater than 0.
fn check_rate(rate: f64) -> Result<(), String> {
    if rate.is_finite() && rate > 0.0 { Ok(()) } else { Err(crate::Error::LearningRate { value: rate }.to_string()) }
}
