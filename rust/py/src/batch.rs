//! The arguments X, y and sample_weight as core takes them. X and float y are read in place; labels and weights are
//! copied.

use chainrule_core as core;
use chainrule_core::Real;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::{Column, Table, is_labels};
use crate::errors::raise;
use crate::signals::Watch;

/// X, y and sample_weight as Python passes them.
#[derive(Clone, Copy)]
pub(crate) struct Arguments<'a, 'py> {
    pub(crate) x: &'a Bound<'py, PyAny>,
    pub(crate) y: &'a Bound<'py, PyAny>,
    pub(crate) sample_weight: Option<&'a Bound<'py, PyAny>>,
}

impl<'py> Arguments<'_, 'py> {
    pub(crate) fn py(&self) -> Python<'py> {
        self.x.py()
    }

    /// The arrays that core reads in place: not labels and weights, which are copied.
    pub(crate) fn in_place(&self) -> [&Bound<'py, PyAny>; 2] {
        [self.x, self.y]
    }
}

/// X, y and sample_weight, ready to be read without the GIL.
pub(crate) struct Batch<'a> {
    x: Table<'a>,
    y: Targets<'a>,
    sample_weight: Option<&'a [f64]>,
}

enum Targets<'a> {
    Labels(&'a [u32]),
    Values(Table<'a>),
}

/// Memory for copies of labels and weights, reused by later calls.
#[derive(Default)]
pub(crate) struct Copies {
    labels: Vec<u32>,
    weights: Vec<f64>,
}

impl Copies {
    /// Frees what has room for more than `most` numbers.
    pub(crate) fn give_back_above(&mut self, most: usize) {
        if self.labels.capacity() > most {
            self.labels = Vec::new();
        }
        if self.weights.capacity() > most {
            self.weights = Vec::new();
        }
    }
}

impl<'a> Batch<'a> {
    /// Reads the headers, and copies labels and weights to `copies`. Core checks the shapes and ranges that depend on
    /// the network.
    pub(crate) fn new(
        arguments: Arguments<'a, '_>,
        copies: &'a mut Copies,
        watch: Option<&'a Watch>,
    ) -> PyResult<Self> {
        let Arguments { x, y, sample_weight } = arguments;
        let x = Table::new("X", x)?.watched(watch);
        let Copies { labels, weights } = copies;
        let y = if is_labels(y) {
            let column = Column::<i64>::new("y", y)?;
            same_rows(y.py(), "y", x.rows(), column.len())?;
            copy_labels(&column, labels)?;
            Targets::Labels(labels)
        } else {
            Targets::Values(Table::new("y", y)?)
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
        Ok(Batch { x, y, sample_weight })
    }

    pub(crate) fn rows(&self) -> usize {
        self.x.rows()
    }

    /// The same data in the type that core takes.
    pub(crate) fn as_core<T: Real>(&self) -> core::Batch<'_, T> {
        core::Batch {
            x: &self.x,
            y: match &self.y {
                Targets::Labels(labels) => core::Targets::Labels(labels),
                Targets::Values(values) => core::Targets::Values(values),
            },
            sample_weight: self.sample_weight,
        }
    }
}

/// Refuses an argument whose rows are not those of X. Core checks this too, but only after the copy; an array with a
/// stride of 0 can have more rows than memory can hold.
fn same_rows(py: Python<'_>, argument: &'static str, expected: usize, got: usize) -> PyResult<()> {
    if got == expected {
        return Ok(());
    }
    let error = core::Error::Rows { argument, expected, got };
    Err(raise(py, error))
}

/// Copies labels, and refuses those that are negative or exceed 32 bits. Core compares them with the number of
/// outputs.
fn copy_labels(column: &Column<'_, i64>, into: &mut Vec<u32>) -> PyResult<()> {
    // The loop has no branch per row. The wrong row is searched for only if there is one.
    let mut bits = 0;
    column.map_to(into, |value| {
        bits |= value;
        value as u32
    })?;
    if u32::try_from(bits).is_ok() {
        return Ok(());
    }
    let wrong = |&row: &usize| u32::try_from(column.get(row)).is_err();
    let row = (0..column.len()).find(wrong).unwrap_or_default();
    let value = column.get(row);
    Err(PyValueError::new_err(format!(
        "y has label {value} at row {row}; labels must be from 0 to the number of classes - 1"
    )))
}
