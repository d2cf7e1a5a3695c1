//! What a target may be, and the refusal of what it may not be, by row and column.

use crate::{Error, Real};

/// How far from 1 the probabilities of a row may sum: float32 rows of some thousand classes stay within it.
const SUM_TOLERANCE: f64 = 1e-4;

/// The numbers that a loss takes as targets; all are finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Any number.
    Numbers,
    /// Numbers of at least 0.
    Counts,
    /// Numbers in [0, 1].
    Fractions,
    /// −1 or 1.
    Sides,
    /// One probability a class, whose sum is 1; a label stands for a 1 at its place.
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

    /// Refuses targets of row `row` that lie outside; `loss` is the name of who asks.
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
