//! The arguments X, y, sample_weight as core takes them: X and float y are read in place, labels and weights copied.

use chainrule_core as core;
use chainrule_core::Real;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::{Column, Table, is_labels, reserve};
use crate::errors::raise;

/// What y, X and sample_weight hold, ready to be read without the GIL.
pub(crate) struct Data<'a> {
    x: Table<'a>,
    y: Target<'a>,
    sample_weight: Option<&'a [f64]>,
}

enum Target<'a> {
    Labels(&'a [u32]),
    Values(Table<'a>),
}

/// Memory that labels and weights are copied to, kept from call to call.
#[derive(Default)]
pub(crate) struct Copies {
    labels: Vec<u32>,
    weights: Vec<f64>,
}

impl<'a> Data<'a> {
    /// Reads the headers and copies labels and weights to `copies`. Shapes and ranges that need the network are
    /// core's to check.
    pub(crate) fn new(
        x: &'a Bound<'_, PyAny>,
        y: &'a Bound<'_, PyAny>,
        sample_weight: Option<&'a Bound<'_, PyAny>>,
        copies: &'a mut Copies,
    ) -> PyResult<Self> {
        let x = Table::new("X", x)?;
        let Copies { labels, weights } = copies;
        let y = if is_labels(y) {
            let column = Column::<i64>::new("y", y)?;
            same_rows(y.py(), "y", x.rows(), column.len())?;
            reserve(labels, column.len())?;
            for row in 0..column.len() {
                labels.push(label(row, column.get(row))?);
            }
            Target::Labels(labels)
        } else {
            Target::Values(Table::new("y", y)?)
        };
        let sample_weight = match sample_weight {
            None => None,
            Some(any) => {
                let column = Column::<f64>::new("sample_weight", any)?;
                same_rows(any.py(), "sample_weight", x.rows(), column.len())?;
                column.copy_to(weights)?;
                Some(weights.as_slice())
            }
        };
        Ok(Data { x, y, sample_weight })
    }

    pub(crate) fn rows(&self) -> usize {
        self.x.rows()
    }

    /// The same as core takes it.
    pub(crate) fn batch<T: Real>(&self) -> core::Batch<'_, T> {
        core::Batch {
            x: &self.x,
            y: match &self.y {
                Target::Labels(labels) => core::Targets::Labels(labels),
                Target::Values(values) => core::Targets::Values(values),
            },
            sample_weight: self.sample_weight,
        }
    }
}

/// What core would say later: here before anything is copied, since an array may have more rows than memory.
fn same_rows(py: Python<'_>, argument: &'static str, expected: usize, got: usize) -> PyResult<()> {
    if got == expected {
        return Ok(());
    }
    let error = core::Error::Rows { argument, expected, got };
    Err(raise(py, error))
}

/// A label as core takes it; whether the network has that many outputs is core's to check.
fn label(row: usize, value: i64) -> PyResult<u32> {
    u32::try_from(value).map_err(|_| {
        PyValueError::new_err(format!("y has label {value} at row {row}; labels count the classes from 0"))
    })
}
