//! The targets that a loss accepts. All others are refused, with their row and column.

use crate::{Error, Real};

/// Largest distance from 1 of the sum of a row's probabilities. float32 rows of a few thousand classes stay within it.
const SUM_TOLERANCE: f64 = 1e-4;

/// The numbers that a loss accepts as targets. All must be finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Any number.
    Numbers,
    /// Numbers ≥ 0.
    Counts,
    /// Numbers in [0, 1].
    Fractions,
    /// −1 or 1.
    Sides,
    /// One probability for each class; they sum to 1. A label c stands for probability 1 of class c.
    Probabilities,
}

impl Domain {
    fn holds(self, y: f64) -> bool {
        match self {
            Domain::Numbers => true,
            Domain::Counts | Domain::Probabilities => y >= 0.0,
            Domain::Fractions => (0.0..=1.0).contains(&y),
            Domain::Sides => y == 1.0 || y == -1.0,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Domain::Numbers => "finite numbers",
            Domain::Counts => "counts of at least 0",
            Domain::Fractions => "values from 0 to 1",
            Domain::Sides => "-1 or 1 (2*y - 1 makes them of 0 and 1)",
            Domain::Probabilities => "probabilities of at least 0",
        }
    }

    /// Refuses targets of row `row` outside the domain; `loss` is the name of the loss, for the error.
    pub(crate) fn check<T: Real>(self, loss: &'static str, y: &[T], row: usize) -> Result<(), Error> {
        if let Some(column) = y.iter().position(|y| !self.holds(y.to_f64())) {
            return Err(Error::TargetRange { loss, value: y[column].to_f64(), row, column, range: self.in_words() });
        }
        let sum: f64 = y.iter().map(|y| y.to_f64()).sum();
        if self == Domain::Probabilities && (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(Error::TargetSum { loss, sum, row });
        }
        Ok(())
    }
}
