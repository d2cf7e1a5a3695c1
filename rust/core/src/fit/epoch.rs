//! One pass over the data, batch by batch, in some order of the rows.

use super::Objective;
use crate::rng::{Purpose, Stream};
use crate::{Batch, Error, Network, Real, Workspace};
use chainrule_kernels::Picks;

/// Flops between two calls of `keep_going`: some hundred microseconds.
const FLOPS_BETWEEN_LOOKS: f64 = 1e7;

/// Where an epoch stands.
#[derive(Clone, Debug)]
pub struct Epoch {
    order: Option<Vec<u32>>,
    progress: Progress,
}

/// How far a pass over the data has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    n_rows: usize,
    batch_size: usize,
    next_row: usize,
    /// Σ loss · weight over the batches, and Σ weight.
    loss_sum: f64,
    weight_sum: f64,
}

impl Progress {
    /// At the start of `n_rows` rows.
    pub(crate) fn new(n_rows: usize, batch_size: usize) -> Self {
        Progress { n_rows, batch_size, next_row: 0, loss_sum: 0.0, weight_sum: 0.0 }
    }

    /// Mean loss of the batches so far.
    pub(crate) fn loss(&self) -> f64 {
        if self.weight_sum == 0.0 { 0.0 } else { self.loss_sum / self.weight_sum }
    }
}

impl Epoch {
    /// The order of the rows; none where they go as they stand.
    pub fn order(&self) -> Option<&[u32]> {
        self.order.as_deref()
    }

    /// Rows that have been learnt from so far.
    pub fn rows_done(&self) -> usize {
        self.progress.next_row
    }

    /// Mean loss of the batches so far, each by the sum of its weights.
    pub fn loss(&self) -> f64 {
        self.progress.loss()
    }
}

impl<T: Real> Network<T> {
    /// Gets ready for one pass over `n_rows` rows in batches of `batch_size`, the last one smaller; with `shuffle` in
    /// the order that follows from (seed, epoch counter), else as they stand. So do the rows of a single batch: their order
    /// says nothing.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::BatchSize`], [`Error::TooManyRows`], [`Error::Memory`].
    pub fn start_epoch(&self, n_rows: usize, batch_size: usize, shuffle: bool) -> Result<Epoch, Error> {
        if n_rows == 0 {
            return Err(Error::Empty);
        }
        if batch_size == 0 {
            return Err(Error::BatchSize);
        }
        let order = if shuffle && batch_size < n_rows {
            let Ok(n) = u32::try_from(n_rows) else {
                return Err(Error::TooManyRows { got: n_rows, most: u32::MAX as usize });
            };
            let mut stream = Stream::new(self.spec.seed, Purpose::Shuffle, self.epochs);
            Some(stream.permutation(n)?)
        } else {
            None
        };
        Ok(Epoch { order, progress: Progress::new(n_rows, batch_size) })
    }

    /// Goes on with `epoch` over `data` until it is finished (true) or `keep_going` says no (false; call again).
    /// A finished epoch is counted, unless all its weights are zero.
    ///
    /// # Errors
    /// As [`Network::step`]; steps before the one that failed stay made.
    pub fn train(
        &mut self,
        workspace: &mut Workspace<T>,
        data: &Batch<'_, T>,
        epoch: &mut Epoch,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<bool, Error> {
        self.check_batch(data)?;
        let Epoch { order, progress } = epoch;
        let n_rows = progress.n_rows;
        if data.x.rows() != n_rows {
            return Err(Error::Rows { argument: "epoch", expected: data.x.rows(), got: n_rows });
        }
        self.model().rouse(progress.batch_size, usize::MAX);
        let steps_between_looks = (FLOPS_BETWEEN_LOOKS / self.plan.worth.flops(progress.batch_size)).max(1.0) as usize;
        if !self.batches(
            workspace,
            data,
            order.as_deref(),
            progress,
            &Objective::OWN,
            steps_between_looks,
            keep_going,
        )? {
            return Ok(false);
        }
        // Every step's gradient was finite; the last update may have been too large all the same.
        if !self.is_within(T::MAX) {
            return Err(Error::UpdateDiverged { at: Some((self.epochs, (n_rows - 1) / progress.batch_size)) });
        }
        if progress.weight_sum > 0.0 {
            self.epochs += 1;
        }
        Ok(true)
    }

    /// Makes the steps that are left of a pass over `data`, in `order` or as the rows stand. True where it is finished,
    /// false where `keep_going`, asked after every `steps_between_looks` steps, said no.
    #[allow(clippy::too_many_arguments, reason = "data, its order, and what is done with it")]
    pub(crate) fn batches(
        &mut self,
        ws: &mut Workspace<T>,
        data: &Batch<'_, T>,
        order: Option<&[u32]>,
        progress: &mut Progress,
        objective: &Objective,
        steps_between_looks: usize,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<bool, Error> {
        let mut steps = 0;
        while progress.next_row < progress.n_rows {
            let start = progress.next_row;
            let len = progress.batch_size.min(progress.n_rows - start);
            let picks = match order {
                Some(order) => Picks::Index(&order[start..start + len]),
                None => Picks::Range { start, len },
            };
            let at = Some((self.epochs, start / progress.batch_size));
            let (loss, weight) = self.step_rows(ws, data, picks, objective, at)?;
            let share = if objective.sklearn.is_some() { len as f64 } else { weight };
            progress.loss_sum += loss * share;
            progress.weight_sum += share;
            progress.next_row = start + len;
            steps += 1;
            if steps % steps_between_looks == 0 && progress.next_row < progress.n_rows && !keep_going() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
