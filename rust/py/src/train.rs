//! One epoch of a fit. It is trained in slices, each of which ends with the first step that finishes after its time;
//! between two of them signals (Ctrl-C) are handled and other threads may read the network.

use std::time::Instant;

use chainrule_core::Real;
use pyo3::prelude::*;

use crate::arrays::Element;
use crate::batch::{Arguments, Batch};
use crate::cell::{Cell, InPlace, Work};
use crate::signals::SLICE;

impl<T: Element + Real> Cell<T> {
    /// Trains one epoch and returns its loss. A signal handler that raises (Ctrl-C) ends the epoch between two steps.
    /// The weights are then those of the last step, and the epoch is not counted.
    pub(crate) fn train_epoch(&self, arguments: Arguments<'_, '_>, batch_size: usize, shuffle: bool) -> PyResult<f64> {
        let py = arguments.py();
        let watch = self.watch();
        let arrays = InPlace::new(arguments.in_place(), &watch);
        // A signal handler may run between two slices. One slice holds what it reads by itself, where it has to.
        let mut held = None;
        self.lend(|scratch| {
            let batch = Batch::new(arguments, &mut scratch.copies, watch.is_for(batch_size).then_some(&watch))?;
            let work = Work::gradient(batch.rows(), self.facts.worth);
            let mut epoch = self.read(py, work, |network| network.start_epoch(batch.rows(), batch_size, shuffle))?;
            let lazy = &mut scratch.workspace;
            loop {
                let finished = self.write_with(&arrays, work, |network| {
                    let workspace = lazy.ready(network)?;
                    let start = Instant::now();
                    network.train(workspace, &batch.as_core(), &mut epoch, &mut || start.elapsed() < SLICE)
                })?;
                if finished {
                    // Readers get their chance here too: the next epoch may be shorter than a slice, and would not pause.
                    self.give_way(py);
                    return Ok(epoch.loss());
                }
                if held.is_none() {
                    held = Some(arrays.hold()?);
                }
                // The lock is free here: a signal handler runs Python code, which may call this network.
                py.check_signals()?;
                self.give_way(py);
            }
        })
    }
}
