//! Errors in what a caller passes, and of training. A variant holds names and numbers; the text is made when it is shown.

use thiserror::Error;

/// The family of an error, which decides the exception in Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A wrong value or shape, or a value out of range.
    Value,
    /// Memory that cannot be allocated.
    Memory,
    /// A loss that is not finite, or a gradient that is too large.
    Divergence,
    /// A computation that its caller stopped.
    Interrupted,
}

/// What is wrong. Arguments have the names that the methods of [`crate::Network`] give them.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Error {
    /// The configuration is invalid; the text says why.
    #[error("{0}")]
    Config(String),
    /// A buffer could not be allocated.
    #[error("the network needs {bytes} bytes in one piece, which cannot be allocated")]
    Memory {
        /// Size of the buffer.
        bytes: u128,
    },
    /// X has the wrong number of columns.
    #[error("X has {got} columns but the network was built for {expected}")]
    Inputs {
        /// Columns expected.
        expected: usize,
        /// Columns given.
        got: usize,
    },
    /// An array of outputs, or of their gradients, has the wrong number of columns.
    #[error("{argument} has {got} columns but the network has {expected} outputs")]
    Outputs {
        /// Name of the argument.
        argument: &'static str,
        /// Columns expected.
        expected: usize,
        /// Columns given.
        got: usize,
    },
    /// An argument has not as many rows as X.
    #[error("{argument} has {got} rows but X has {expected}")]
    Rows {
        /// Name of the argument.
        argument: &'static str,
        /// Rows of X.
        expected: usize,
        /// Rows given.
        got: usize,
    },
    /// X has no rows.
    #[error("X has no rows; at least one is needed")]
    Empty,
    /// X has more rows than a permutation can index.
    #[error("X has {got} rows; at most {most} can be shuffled")]
    TooManyRows {
        /// Rows given.
        got: usize,
        /// The largest number of rows allowed.
        most: usize,
    },
    /// A batch size of 0.
    #[error("batch_size must be at least 1, got 0")]
    BatchSize,
    /// A flat array has the wrong length.
    #[error("{argument} has {got} values but the network has {expected} parameters")]
    Length {
        /// Name of the argument.
        argument: &'static str,
        /// Values expected.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// A table holds NaN or infinity.
    #[error("{argument} has {shown} at row {row}, column {column}; every value must be finite in {dtype}", shown = short(*value))]
    NotFinite {
        /// Name of the argument.
        argument: &'static str,
        /// The value, in the network's dtype.
        value: f64,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
        /// The network's dtype.
        dtype: &'static str,
    },
    /// A flat array holds NaN or infinity.
    #[error("{argument} has {shown} at index {index}; every value must be finite", shown = short(*value))]
    NotFiniteAt {
        /// Name of the argument.
        argument: &'static str,
        /// The value.
        value: f64,
        /// Its index.
        index: usize,
    },
    /// A label is too large for the number of outputs.
    #[error(
        "y has label {label} at row {row} but the network has {classes} outputs, labels 0 to {last}",
        last = classes - 1
    )]
    Label {
        /// The label.
        label: u32,
        /// Its row.
        row: usize,
        /// Outputs of the network.
        classes: usize,
    },
    /// y holds labels, but the loss takes numbers.
    #[error("y holds integer labels but loss {loss:?} takes float32 or float64 numbers")]
    LabelsForValues {
        /// The loss.
        loss: &'static str,
    },
    /// y has the wrong number of columns.
    #[error("y has {got} columns but loss {loss:?} takes {expected} for the network's {outputs} outputs")]
    TargetColumns {
        /// The loss.
        loss: &'static str,
        /// Columns expected.
        expected: usize,
        /// Outputs of the network.
        outputs: usize,
        /// Columns given.
        got: usize,
    },
    /// A target is out of the range of the loss.
    #[error("y has {shown} at row {row}, column {column}; loss {loss:?} takes {range}", shown = short(*value))]
    TargetRange {
        /// The loss.
        loss: &'static str,
        /// The value.
        value: f64,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
        /// What the loss takes, in words.
        range: &'static str,
    },
    /// Class probabilities do not sum to 1.
    #[error("y sums to {shown} at row {row}; loss {loss:?} takes probabilities that sum to 1, or integer labels", shown = short(*sum))]
    TargetSum {
        /// The loss.
        loss: &'static str,
        /// The sum.
        sum: f64,
        /// Its row.
        row: usize,
    },
    /// A weight is negative or not finite, or the sum of all weights is not finite.
    #[error("sample_weight has {shown} at row {row}; weights must be at least 0, and their sum finite", shown = short(*value))]
    SampleWeight {
        /// The weight.
        value: f64,
        /// Its row.
        row: usize,
    },
    /// The learning rate is out of range.
    #[error("learning_rate must be finite and greater than 0, got {}", short(*value))]
    LearningRate {
        /// The learning rate.
        value: f64,
    },
    /// The loss of a step is NaN or infinite.
    #[error(
        "the loss became {loss}{}; try a smaller learning_rate, or scale X and y", place(*at)
    )]
    Diverged {
        /// The loss.
        loss: f64,
        /// The network's epoch counter and the batch of that epoch, both from 0; None outside an epoch.
        at: Option<(u64, usize)>,
    },
    /// The gradient of a step is NaN, infinite or too large to be squared.
    #[error("the gradient became too large{}; try a smaller learning_rate, or scale X and y", place(*at))]
    GradientDiverged {
        /// As in [`Error::Diverged`].
        at: Option<(u64, usize)>,
    },
    /// An update made a parameter or a moment NaN or infinite.
    #[error("an update became too large{}; try a smaller learning_rate, or scale X and y", place(*at))]
    UpdateDiverged {
        /// As in [`Error::Diverged`].
        at: Option<(u64, usize)>,
    },
    /// The caller stopped the computation, as [`crate::Rows::keep_going`] lets it.
    #[error("the computation was stopped")]
    Interrupted,
}

impl Error {
    /// The family of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Memory { .. } => ErrorKind::Memory,
            Error::Diverged { .. } | Error::GradientDiverged { .. } | Error::UpdateDiverged { .. } => {
                ErrorKind::Divergence
            }
            Error::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::Value,
        }
    }
}

/// A number in few digits: Rust writes out all 300 zeros of 1e300.
pub(crate) fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || !size.is_finite() || (1e-5..1e16).contains(&size) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

fn place(at: Option<(u64, usize)>) -> String {
    at.map_or_else(String::new, |(epoch, batch)| format!(" in batch {batch} of epoch {epoch}"))
}

/// An allocation that failed, with its size.
impl From<chainrule_kernels::OutOfMemory> for Error {
    fn from(error: chainrule_kernels::OutOfMemory) -> Self {
        Error::Memory { bytes: error.len as u128 * error.size as u128 }
    }
}
