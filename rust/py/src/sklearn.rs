//! The calls of `chainrule.sklearn`: an epoch and a gradient to scikit-learn's letter.

use std::time::Instant;

use chainrule_core as core;
use chainrule_core::{Error, Real};
use pyo3::prelude::*;

use crate::arrays::{Column, Element, Fresh, reserve};
use crate::batch::Data;
use crate::calls::Batch;
use crate::cell::{Cell, Work};
use crate::errors::raise;
use crate::train::SLICE;

/// An update rule as Python gives it.
#[derive(FromPyObject)]
pub(crate) enum Rule {
    /// beta_1, beta_2, epsilon.
    Adam(f64, f64, f64),
    /// momentum, nesterov.
    Sgd(f64, bool),
}

impl From<Rule> for core::sklearn::Rule {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Sgd(momentum, nesterov) => core::sklearn::Rule::Sgd { momentum, nesterov },
            Rule::Adam(beta_1, beta_2, epsilon) => core::sklearn::Rule::Adam { beta_1, beta_2, epsilon },
        }
    }
}

impl<T: Element + Real> Cell<T> {
    /// Trains one epoch and returns its loss. A signal handler that raises (Ctrl-C) ends it between two steps.
    pub(crate) fn sklearn_epoch(
        &self,
        batch: Batch<'_, '_>,
        order: Option<&Bound<'_, PyAny>>,
        batch_size: usize,
        recipe: &core::sklearn::Recipe,
    ) -> PyResult<f64> {
        let py = batch.py();
        self.lend(|scratch| {
            let data = Data::new(batch.x, batch.y, batch.sample_weight, &mut scratch.copies)?;
            let order = order.map(|order| rows(order, data.rows())).transpose()?;
            let course = core::sklearn::Course { order: order.as_deref(), batch_size };
            let work = Work::gradient(data.rows(), self.facts.n_parameters);
            let (place, mut progress) = (&mut scratch.workspace, core::sklearn::Progress::default());
            loop {
                let finished = self.write(py, work, |network| {
                    let start = Instant::now();
                    let mut go_on = || start.elapsed() < SLICE;
                    let workspace = place.ready(network)?;
                    network.sklearn_epoch(workspace, &data.batch(), course, recipe, &mut progress, &mut go_on)
                })?;
                self.give_way(py);
                if finished {
                    return Ok(progress.loss());
                }
                // No lock is held here: a signal handler runs Python code, which may call this network.
                py.check_signals()?;
            }
        })
    }

    pub(crate) fn sklearn_gradient<'py>(
        &self,
        batch: Batch<'_, 'py>,
        alpha: f64,
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        let mut fresh = Fresh::new(batch.py(), T::DTYPE, &[self.facts.n_parameters])?;
        let flat = fresh.values();
        let loss = self.on_batch(batch, Work::gradient, |network, workspace, batch| {
            network.sklearn_gradient(workspace, batch, alpha, flat)
        })?;
        Ok((loss, fresh.finish()))
    }
}

/// The rows that `order` names, `n` of them and each less than `n`.
fn rows(order: &Bound<'_, PyAny>, n: usize) -> PyResult<Vec<u32>> {
    let column = Column::<i64>::new("order", order)?;
    let refusal = |got: usize| raise(order.py(), Error::Rows { argument: "order", expected: n, got });
    if column.len() != n {
        return Err(refusal(column.len()));
    }
    let mut rows = Vec::new();
    reserve(&mut rows, n)?;
    for i in 0..n {
        rows.push(u32::try_from(column.get(i)).map_err(|_| refusal(i))?);
    }
    Ok(rows)
}
