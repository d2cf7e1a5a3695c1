//! How a caller's data reaches the network: tables that are read row by row, never held or copied whole.

use crate::{Error, Real};

/// A table of numbers that can be read row by row in the network's dtype.
///
/// The rows are copied into the network's own memory, so whatever is behind this trait may be an array of another
/// dtype, a file in memory, or something that another thread writes to.
pub trait Rows<T> {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Number of columns.
    fn columns(&self) -> usize;
    /// Copies row `row` into `into`, which is `columns` long.
    fn read(&self, row: usize, into: &mut [T]);
}

/// A table in memory, row after row without gaps.
#[derive(Clone, Copy, Debug)]
pub struct RowMajor<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
}

impl<'a, T> RowMajor<'a, T> {
    /// A view of `data` as (rows, columns).
    ///
    /// # Panics
    /// Where `data` does not hold rows · columns values.
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(columns));
        RowMajor { data, rows, columns }
    }
}

impl<T: Real> Rows<T> for RowMajor<'_, T> {
    fn rows(&self) -> usize {
        self.rows
    }
    fn columns(&self) -> usize {
        self.columns
    }
    fn read(&self, row: usize, into: &mut [T]) {
        into.copy_from_slice(&self.data[row * self.columns..][..self.columns]);
    }
}

/// Some rows of a table, in an order of their own.
#[derive(Clone, Copy)]
pub struct Selected<'a, T> {
    table: &'a dyn Rows<T>,
    index: &'a [u32],
}

impl<'a, T: Real> Selected<'a, T> {
    /// Row i is row `index[i]` of `table`.
    ///
    /// # Panics
    /// Where an index is not a row of `table`.
    pub fn new(table: &'a dyn Rows<T>, index: &'a [u32]) -> Self {
        assert!(index.iter().all(|&row| (row as usize) < table.rows()));
        Selected { table, index }
    }
}

impl<T: Real> Rows<T> for Selected<'_, T> {
    fn rows(&self) -> usize {
        self.index.len()
    }
    fn columns(&self) -> usize {
        self.table.columns()
    }
    fn read(&self, row: usize, into: &mut [T]) {
        self.table.read(self.index[row] as usize, into);
    }
}

/// What the outputs are compared with.
#[derive(Clone, Copy)]
pub enum Targets<'a, T> {
    /// One class a row, counted from 0.
    Labels(&'a [u32]),
    /// Numbers, (n, n_targets): most losses take one an output.
    Values(&'a dyn Rows<T>),
}

impl<T> Targets<'_, T> {
    pub(crate) fn rows(&self) -> usize {
        match self {
            Targets::Labels(labels) => labels.len(),
            Targets::Values(values) => values.rows(),
        }
    }
}

/// Rows with their targets, and how much each counts (1 where nothing is said).
#[derive(Clone, Copy)]
pub struct Batch<'a, T> {
    /// Inputs (n, n_inputs).
    pub x: &'a dyn Rows<T>,
    /// Targets of the n rows.
    pub y: Targets<'a, T>,
    /// Weight of each row, finite and ≥ 0.
    pub sample_weight: Option<&'a [f64]>,
}

impl<T: Real> Batch<'_, T> {
    /// Checks that x, y and sample_weight have the same number of rows, at least one.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let n = self.x.rows();
        if n == 0 {
            return Err(Error::Empty);
        }
        let lengths = [("y", self.y.rows()), ("sample_weight", self.sample_weight.map_or(n, <[f64]>::len))];
        for (argument, got) in lengths {
            if got != n {
                return Err(Error::Rows { argument, expected: n, got });
            }
        }
        let mut sum = 0.0;
        for (row, &value) in self.sample_weight.unwrap_or_default().iter().enumerate() {
            sum += value;
            // The sum too, or the weights of all rows would be zero shares of infinity.
            if !(sum.is_finite() && value >= 0.0) {
                return Err(Error::SampleWeight { value, row });
            }
        }
        Ok(())
    }

    /// Weight of `row`.
    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.sample_weight.map_or(1.0, |w| w[row])
    }
}

/// Which rows of a table make up a batch, in order.
#[derive(Clone, Copy)]
pub(crate) enum Selection<'a> {
    /// `len` rows from `start` on.
    Range { start: usize, len: usize },
    /// The rows named.
    Index(&'a [u32]),
}

impl<'a> Selection<'a> {
    pub(crate) fn all(n: usize) -> Self {
        Selection::Range { start: 0, len: n }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Selection::Range { len, .. } => *len,
            Selection::Index(index) => index.len(),
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = usize> + 'a {
        (0..self.len()).map(move |i| match self {
            Selection::Range { start, .. } => start + i,
            Selection::Index(index) => index[i] as usize,
        })
    }

    /// The parts of at most `rows` rows each, in order.
    pub(crate) fn tiles(self, rows: usize) -> impl Iterator<Item = Selection<'a>> {
        (0..self.len()).step_by(rows).map(move |at| {
            let len = rows.min(self.len() - at);
            match self {
                Selection::Range { start, .. } => Selection::Range { start: start + at, len },
                Selection::Index(index) => Selection::Index(&index[at..at + len]),
            }
        })
    }
}

/// Copies the rows of `selection` of `table` into the rows of `into`, and refuses NaN and infinity.
pub(crate) fn gather<T: Real>(
    argument: &'static str,
    table: &dyn Rows<T>,
    selection: Selection<'_>,
    into: &mut chainrule_kernels::MatrixMut<'_, T>,
) -> Result<(), Error> {
    for (i, row) in selection.iter().enumerate() {
        let values = into.row_mut(i);
        table.read(row, values);
        // One pass without a branch for the whole row; the place is looked for only where something is wrong.
        if !values.iter().fold(true, |ok, v| ok & v.is_finite()) {
            let column = values.iter().position(|v| !v.is_finite()).unwrap_or(0);
            return Err(Error::NotFinite { argument, value: values[column].to_f64(), row, column, dtype: T::NAME });
        }
    }
    Ok(())
}
