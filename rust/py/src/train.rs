//! One epoch of a fit. It is trained in slices; between two of them signals (Ctrl-C) are handled and other threads may
//! read the network.

use std::time::{Duration, Instant};

use chainrule_core::Real;
use pyo3::prelude::*;

use crate::arrays::Element;
use crate::batch::{Arguments, Batch};
use crate::cell::{Cell, Work};

/// A slice ends with the first step that finishes after this time.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

impl<T: Element + Real> Cell<T> {
    /// Trains one epoch and returns its loss. A signal handler that raises (Ctrl-C) ends the epoch between two steps.
    /// The weights are then those of the last step, and the epoch is not counted.
    pub(crate) fn train_epoch(&self, arguments: Arguments<'_, '_>, batch_size: usize, shuffle: bool) -> PyResult<f64> {
        let py = arguments.py();
        self.lend(|scratch| {
            let batch = Batch::new(arguments, &mut scratch.copies)?;
            let work = Work::gradient(batch.rows(), self.facts.n_parameters);
            let mut epoch = self.read(py, work, |network| network.start_epoch(batch.rows(), batch_size, shuffle))?;
            let lazy = &mut scratch.workspace;
            loop {
                let finished = self.write(py, work, |network| {
                    let workspace = lazy.ready(network)?;
                    let start = Instant::now();
                    network.train(workspace, &batch.as_core(), &mut epoch, &mut || start.elapsed() < SLICE)
                })?;
                if finished {
                    // Readers get their chance here too: the next epoch may be shorter than a slice, and would not pause.
                    self.give_way(py);
                    return Ok(epoch.loss());
                }
                // The lock is free here: a signal handler runs Python code, which may call this network.
                py.check_signals()?;
                self.give_way(py);
            }
        })
    }
}
