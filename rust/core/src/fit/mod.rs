//! Training: what is minimised, one step, one epoch of steps.

mod epoch;
mod guard;
mod objective;
mod sklearn;
mod step;

pub use epoch::Epoch;
pub(crate) use epoch::Progress;
pub(crate) use objective::Objective;
pub use sklearn::{Hyperparameters, Rule};
