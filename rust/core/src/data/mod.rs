//! The caller's data: tables that a network reads row by row, and never holds or copies as a whole.

mod read;

use crate::loss::Loss;
use crate::{Error, Real};
use chainrule_kernels::{Picks, Source};

pub(crate) use read::{gather, gather_columns, read_labels, read_values};

/// A table of numbers, read row by row in the network's dtype.
///
/// Rows are copied into the network's own memory. So a table may be an array of another dtype, a memory-mapped file, or
/// memory that another thread writes to.
pub trait Rows<T>: Sync {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Number of columns.
    fn columns(&self) -> usize;
    /// Copies row `row` into `into`, which has `columns` numbers.
    fn read(&self, row: usize, into: &mut [T]);
    /// Asked before some `rows` rows are read, once a tile of a batch. False ends the computation with
    /// [`Error::Interrupted`]; nothing is changed then.
    fn keep_going(&self, rows: usize) -> bool {
        let _ = rows;
        true
    }
    /// The memory of the table, if it is an array of `rows` × `columns`. Batches are then copied from it directly,
    /// without [`read`](Rows::read).
    fn source(&self) -> Option<&Source<'_>> {
        None
    }
}

impl<T: Real> Rows<T> for Source<'_> {
    fn rows(&self) -> usize {
        Source::rows(self)
    }
    fn columns(&self) -> usize {
        Source::columns(self)
    }
    fn read(&self, row: usize, into: &mut [T]) {
        Source::read(self, row, into);
    }
    fn source(&self) -> Option<&Source<'_>> {
        Some(self)
    }
}

/// Selected rows of a table, in any order.
#[derive(Clone, Copy)]
pub struct Selected<'a, T> {
    table: &'a dyn Rows<T>,
    index: &'a [u32],
}

impl<'a, T: Real> Selected<'a, T> {
    /// Row i is row `index[i]` of `table`.
    ///
    /// # Panics
    /// If an index is not a row of `table`.
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
    fn keep_going(&self, rows: usize) -> bool {
        self.table.keep_going(rows)
    }
}

/// The targets y.
#[derive(Clone, Copy)]
pub enum Targets<'a, T> {
    /// One class for each row, counted from 0.
    Labels(&'a [u32]),
    /// Numbers, (n, n_targets). For most losses n_targets = n_out.
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

/// Rows with their targets and weights.
#[derive(Clone, Copy)]
pub struct Batch<'a, T> {
    /// Inputs (n, n_inputs).
    pub x: &'a dyn Rows<T>,
    /// Targets of the n rows.
    pub y: Targets<'a, T>,
    /// Weight of each row, finite and ≥ 0; None weights each row by 1.
    pub sample_weight: Option<&'a [f64]>,
}

impl<T: Real> Batch<'_, T> {
    /// Checks that x, y and sample_weight have the same number of rows, at least 1, and that the weights are valid.
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
            // The sum must be finite as well: divided by ∞, every weight would be 0.
            if !(sum.is_finite() && value >= 0.0) {
                return Err(Error::SampleWeight { value, row });
            }
        }
        Ok(())
    }

    /// Σ wᵢ over `rows`.
    pub(crate) fn weight_sum(&self, rows: Picks<'_>) -> f64 {
        match self.sample_weight {
            None => rows.len() as f64,
            Some(weights) => rows.iter().map(|row| weights[row]).sum(),
        }
    }

    /// Refuses a batch whose parts do not fit each other, or do not fit a network of `n_inputs`, `n_outputs` and
    /// `loss`.
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

    /// scale ← wᵢ / `sum` for each row of `picks`, then zeros to the end.
    #[inline(always)]
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

    /// Σ wᵢ lᵢ over the rows of `picks`, whose losses are `losses`.
    #[inline(always)]
    pub(crate) fn weighted_sum<L: Copy>(&self, picks: Picks<'_>, losses: &[L], to_f64: impl Fn(L) -> f64) -> f64 {
        let Some(weights) = self.sample_weight else { return sum_of(losses, to_f64) };
        // A row of weight 0 does not count, even if its loss is infinite.
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

/// Σ of `losses`.
pub(crate) fn sum_of<L: Copy>(losses: &[L], to_f64: impl Fn(L) -> f64) -> f64 {
    // Eight independent sums, because each addition of a single sum would wait for the one before.
    let mut sums = [0.0; 8];
    let (eights, rest) = losses.as_chunks::<8>();
    for losses in eights {
        sums.iter_mut().zip(losses).for_each(|(sum, &loss)| *sum += to_f64(loss));
    }
    sums.iter_mut().zip(rest).for_each(|(sum, &loss)| *sum += to_f64(loss));
    sums.iter().sum()
}
