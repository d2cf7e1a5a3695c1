//! Everything that can be wrong with what a caller brought, as numbers; the text is made where it is shown.

use thiserror::Error;

/// Which family of exception a caller expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A value, a shape or a range.
    Value,
    /// More memory than there is.
    Memory,
    /// Training produced a loss that is not finite.
    Divergence,
}

/// What was wrong. Each variant names the argument as the caller of [`crate::Network`] knows it.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Error {
    /// The configuration is not one.
    #[error("{0}")]
    Config(String),
    /// A buffer could not be had.
    #[error("the network needs {bytes} bytes in one piece, more than can be allocated")]
    Memory {
        /// How many bytes were asked for.
        bytes: u128,
    },
    /// An X with the wrong number of columns.
    #[error("X has {got} columns but the network was built for {expected}")]
    Inputs {
        /// Columns that were needed.
        expected: usize,
        /// Columns that came.
        got: usize,
    },
    /// Errors of outputs with the wrong number of columns.
    #[error("{argument} has {got} columns but the network has {expected} outputs")]
    Outputs {
        /// Which argument.
        argument: &'static str,
        /// Columns that were needed.
        expected: usize,
        /// Columns that came.
        got: usize,
    },
    /// Two arguments that must have the same number of rows.
    #[error("{argument} has {got} rows but X has {expected}")]
    Rows {
        /// Which argument.
        argument: &'static str,
        /// Rows of X.
        expected: usize,
        /// Rows that came.
        got: usize,
    },
    /// No rows where at least one is needed.
    #[error("X has no rows; at least one is needed")]
    Empty,
    /// More rows than a permutation can index.
    #[error("X has {got} rows; at most {most} can be shuffled")]
    TooManyRows {
        /// Rows that came.
        got: usize,
        /// Rows that can be.
        most: usize,
    },
    /// Nothing to train on in one step.
    #[error("batch_size must be at least 1")]
    BatchSize,
    /// A flat sequence of the wrong length.
    #[error("{argument} has {got} values but the network has {expected} parameters")]
    Length {
        /// Which argument.
        argument: &'static str,
        /// Values that were needed.
        expected: usize,
        /// Values that came.
        got: usize,
    },
    /// NaN or infinity in a table.
    #[error("{argument} has {value} at row {row}, column {column}; every value must be finite in {dtype}")]
    NotFinite {
        /// Which argument.
        argument: &'static str,
        /// The value, in the network's dtype.
        value: f64,
        /// Where.
        row: usize,
        /// Where.
        column: usize,
        /// The network's dtype.
        dtype: &'static str,
    },
    /// NaN or infinity in a flat sequence.
    #[error("{argument} has {value} at index {index}; every value must be finite")]
    NotFiniteAt {
        /// Which argument.
        argument: &'static str,
        /// The value.
        value: f64,
        /// Where.
        index: usize,
    },
    /// A class that is not there.
    #[error(
        "y has label {label} at row {row} but the network has {classes} outputs, labels 0 to {last}",
        last = classes - 1
    )]
    Label {
        /// The label.
        label: u32,
        /// Where.
        row: usize,
        /// How many outputs there are.
        classes: usize,
    },
    /// Labels where the loss takes values.
    #[error("loss {loss:?} takes values for y, not integer labels")]
    LabelsForValues {
        /// The loss.
        loss: &'static str,
    },
    /// Targets with the wrong number of columns.
    #[error("y has {got} columns but loss {loss:?} takes {expected} for the network's {outputs} outputs")]
    TargetColumns {
        /// The loss.
        loss: &'static str,
        /// Columns that were needed.
        expected: usize,
        /// Outputs of the network.
        outputs: usize,
        /// Columns that came.
        got: usize,
    },
    /// A target out of the range of the loss.
    #[error("y has {value} at row {row}, column {column}; loss {loss:?} takes {range}")]
    TargetRange {
        /// The loss.
        loss: &'static str,
        /// The value.
        value: f64,
        /// Where.
        row: usize,
        /// Where.
        column: usize,
        /// What is allowed.
        range: &'static str,
    },
    /// Class probabilities that do not sum to one.
    #[error("y sums to {sum} at row {row}; loss {loss:?} takes probabilities that sum to 1 or integer labels")]
    TargetSum {
        /// The loss.
        loss: &'static str,
        /// The sum.
        sum: f64,
        /// Where.
        row: usize,
    },
    /// A weight that cannot be.
    #[error("sample_weight has {value} at row {row}; weights must be at least 0, and their sum finite")]
    SampleWeight {
        /// The weight.
        value: f64,
        /// Where.
        row: usize,
    },
    /// A learning rate that cannot be.
    #[error("learning_rate must be finite and greater than 0, got {value}")]
    LearningRate {
        /// What was given.
        value: f64,
    },
    /// The loss of a step is NaN or infinite.
    #[error(
        "the loss became {loss}{}; try a smaller learning_rate, or scale X and y", place(*at)
    )]
    Diverged {
        /// The loss.
        loss: f64,
        /// The network's epoch counter and the batch of that epoch, both from 0, where an epoch was trained.
        at: Option<(u64, usize)>,
    },
    /// The gradient of a step, or the update that followed from it, is NaN, infinite or too large to go on with.
    #[error("the gradient became too large{}; try a smaller learning_rate, or scale X and y", place(*at))]
    GradientDiverged {
        /// As in [`Error::Diverged`].
        at: Option<(u64, usize)>,
    },
}

impl Error {
    /// The family of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Memory { .. } => ErrorKind::Memory,
            Error::Diverged { .. } | Error::GradientDiverged { .. } => ErrorKind::Divergence,
            _ => ErrorKind::Value,
        }
    }
}

fn place(at: Option<(u64, usize)>) -> String {
    at.map_or_else(String::new, |(epoch, batch)| format!(" in batch {batch} of epoch {epoch}"))
}

/// Where memory that was asked for is not to be had, and how much it was.
impl From<chainrule_kernels::OutOfMemory> for Error {
    fn from(error: chainrule_kernels::OutOfMemory) -> Self {
        Error::Memory { bytes: error.len as u128 * error.size as u128 }
    }
}
