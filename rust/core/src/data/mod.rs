//! How a caller's data reaches the network: tables that are read row by row, never held or copied whole.

mod read;

use crate::loss::Loss;
use crate::{Error, Real};
use chainrule_kernels::{Picks, Source};

pub(crate) use read::{gather, gather_columns, read_labels, read_values};

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

    /// Refuses a batch whose parts do not fit each other, a network of `n_inputs` and `n_outputs`, or its loss.
    pub(crate) fn check_for(&self, n_inputs: usize, n_outputs: usize, loss: &Loss) -> Result<(), Error> {
        check_x(self.x, n_inputs)?;
        self.check()?;
        match &self.y {
            Targets::Labels(_) if !loss.takes_labels() => Err(Error::LabelsForValues { loss: loss.name() }),
            Targets::Values(values) if values.columns() != loss.targets(n_outputs) => {
                let (expected, got) = (loss.targets(n_outputs), values.columns());
                Err(Error::TargetColumns { loss: loss.name(), expected, outputs: n_outputs, got })
            }
            _ => Ok(()),
        }
    }

    /// Whether y holds labels.
    pub(crate) fn has_labels(&self) -> bool {
        matches!(self.y, Targets::Labels(_))
    }

    /// wᵢ / `sum` of each row of `picks`, then zeros to the end of `scale`.
    #[inline]
    pub(crate) fn scales(&self, picks: Picks<'_>, sum: f64, scale: &mut [T]) {
        let rows = picks.len();
        match self.sample_weight {
            None => scale[..rows].fill(T::from_f64(1.0 / sum)),
            Some(weights) => {
                scale.iter_mut().zip(picks.iter()).for_each(|(scale, row)| *scale = T::from_f64(weights[row] / sum));
            }
        }
        scale[rows..].fill(T::ZERO);
    }

    /// Σ wᵢ lᵢ of the rows of `picks`, whose losses are `losses`.
    #[inline]
    pub(crate) fn weighted_sum<L: Copy>(&self, picks: Picks<'_>, losses: &[L], to_f64: impl Fn(L) -> f64) -> f64 {
        let Some(weights) = self.sample_weight else { return sum_of(losses, to_f64) };
        // A row without weight counts nothing, also where its loss is infinite.
        let weighted = picks.iter().zip(losses).map(|(row, &l)| match weights[row] {
            0.0 => 0.0,
            w => w * to_f64(l),
        });
        weighted.sum()
    }
}

/// Refuses an x with the wrong number of columns.
pub(crate) fn check_x<T>(x: &dyn Rows<T>, n_inputs: usize) -> Result<(), Error> {
    if x.columns() == n_inputs { Ok(()) } else { Err(Error::Inputs { expected: n_inputs, got: x.columns() }) }
}

/// Σ of the losses of some rows.
pub(crate) fn sum_of<L: Copy>(losses: &[L], to_f64: impl Fn(L) -> f64) -> f64 {
    // Eight sums side by side, or each addition would wait for the one before.
    let mut sums = [0.0; 8];
    for losses in losses.chunks(8) {
        sums.iter_mut().zip(losses).for_each(|(sum, &loss)| *sum += to_f64(loss));
    }
    sums.iter().sum()
}
