//! How a caller's data reaches the network: tables that are read row by row, never held or copied whole.

use crate::{Error, Machine, Real};
use chainrule_kernels::{MatrixMut, Picks, Source};

/// A table of numbers that can be read row by row in the network's dtype.
///
/// The rows are copied into the network's own memory, so whatever is behind this trait may be an array of another
/// dtype, a file in memory, or something that another thread writes to.
pub trait Rows<T>: Sync {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Number of columns.
    fn columns(&self) -> usize;
    /// Copies row `row` into `into`, which is `columns` long.
    fn read(&self, row: usize, into: &mut [T]);
    /// The memory that the table is, where it is one of `rows` × `columns`: whole batches are then copied at once,
    /// without [`read`](Rows::read).
    fn source(&self) -> Option<Source<'_>> {
        None
    }
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
    fn source(&self) -> Option<Source<'_>> {
        Some(Source::new(self.data, self.rows, self.columns))
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

    /// Sum of the weights of the rows.
    pub(crate) fn weight_sum(&self, rows: Picks<'_>) -> f64 {
        match self.sample_weight {
            None => rows.len() as f64,
            Some(weights) => rows.iter().map(|row| weights[row]).sum(),
        }
    }
}

/// Copies the rows of `picks` of `table` into the rows of `into`, and refuses NaN and infinity. Returns whether |x| ≤ `limit`
/// for all numbers.
pub(crate) fn gather<T: Real>(
    machine: Machine,
    argument: &'static str,
    table: &dyn Rows<T>,
    picks: Picks<'_>,
    into: &mut MatrixMut<'_, T>,
    limit: T,
) -> Result<bool, Error> {
    let within = match table.source() {
        Some(source) => chainrule_kernels::gather(machine, source, picks, into.reborrow(), limit),
        None => {
            picks.iter().enumerate().for_each(|(i, row)| table.read(row, into.row_mut(i)));
            (0..picks.len()).all(|i| into.row(i).iter().all(|v| v.abs() <= limit))
        }
    };
    if !within {
        refuse_not_finite(argument, picks, table.columns(), |i, column| into.row(i)[column])?;
    }
    Ok(within)
}

/// [`gather`], the rows picked as the columns of `into`; for tables of few columns.
pub(crate) fn gather_columns<T: Real>(
    argument: &'static str,
    table: &dyn Rows<T>,
    picks: Picks<'_>,
    into: &mut MatrixMut<'_, T>,
) -> Result<(), Error> {
    let within = match table.source() {
        Some(source) => chainrule_kernels::gather_columns(source, picks, into.reborrow()),
        None => {
            let mut values = vec![T::ZERO; table.columns()];
            picks.iter().enumerate().fold(true, |within, (i, row)| {
                table.read(row, &mut values);
                values.iter().enumerate().for_each(|(j, &value)| into.row_mut(j)[i] = value);
                within && values.iter().all(|v| v.is_finite())
            })
        }
    };
    if within { Ok(()) } else { refuse_not_finite(argument, picks, table.columns(), |i, column| into.row(column)[i]) }
}

/// Looks for the first number, of the i-th row picked and a column, that is not finite.
fn refuse_not_finite<T: Real>(
    argument: &'static str,
    picks: Picks<'_>,
    columns: usize,
    number: impl Fn(usize, usize) -> T,
) -> Result<(), Error> {
    for (i, row) in picks.iter().enumerate() {
        if let Some(column) = (0..columns).find(|&column| !number(i, column).is_finite()) {
            let value = number(i, column).to_f64();
            return Err(Error::NotFinite { argument, value, row, column, dtype: T::NAME });
        }
    }
    Ok(())
}
