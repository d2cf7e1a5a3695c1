//! Which way a batch takes through the network, and why not the faster one.

use super::Model;
use super::small::Formulas;
use crate::loss::{Loss, RowLoss, each_loss};
use crate::optimizer::Fuses;
use crate::plan::Small;
use crate::{Batch, Real};
use chainrule_kernels::small::Small as Kernels;
use std::fmt;

/// The way of a batch.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    /// The whole network in one kernel.
    Small(Formulas<'a>),
    /// Layer by layer.
    Layers,
}

/// The way that batches of some size take, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Whether the whole network goes through one kernel.
    pub in_one_kernel: bool,
    /// Why not, where it does not.
    pub why_not: Option<String>,
    /// Whether an optimizer uses the gradient while it is in registers; it is never in memory then.
    pub fused: bool,
    /// Threads that share the work.
    pub threads: usize,
    /// Whether threads take tiles of rows, each; else they share products.
    pub tiles_in_parallel: bool,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why_not {
            None => write!(f, "in one kernel")?,
            Some(why) => write!(f, "layer by layer ({why})")?,
        }
        write!(f, ", {}", if self.fused { "gradient in registers" } else { "gradient in memory" })?;
        match (self.threads, self.tiles_in_parallel) {
            (1, _) => write!(f, ", 1 thread"),
            (n, true) => write!(f, ", tiles on {n} threads"),
            (n, false) => write!(f, ", products on {n} threads"),
        }
    }
}

impl<'a, T: Real> Model<'a, T> {
    /// How batches of `rows` rows go through the kernels of small networks, if that is the best way.
    #[inline(always)]
    pub(crate) fn small(&self, rows: usize) -> Option<&'a Small> {
        let small = self.plan.small.as_ref().ok()?;
        let is_best = Kernels::<T>::is_for(self.machine) && self.plan.worth.in_tiles(rows, self.machine.threads());
        is_best.then_some(small)
    }

    /// The way of `rows` rows of `batch`. Asked before the threads are chosen: the answer depends on how many there are.
    #[inline(always)] // a copy of it costs a step of 0.3 µs some percent
    pub(crate) fn way(&self, batch: &Batch<'_, T>, rows: usize) -> Way<'a> {
        let outputs = self.plan.n_outputs();
        let loss = || each_loss!(&self.spec.loss, l => l.columns(batch.has_labels(), outputs));
        match self.small(rows) {
            Some(small) => loss().map_or(Way::Layers, |loss| Way::Small(Formulas { small, loss })),
            None => Way::Layers,
        }
    }

    /// The way in words, of a training step on `rows` rows with labels or with values.
    pub(crate) fn route(&self, rows: usize, labels: bool) -> Route {
        let plan = self.plan;
        let why_not = if let Err(why) = &plan.small {
            Some(why.clone())
        } else if !Kernels::<T>::is_for(self.machine) {
            Some(format!("instruction set {}", self.machine.name()))
        } else if self.small(rows).is_none() {
            Some(format!("{rows} rows on {} threads share products", self.machine.threads()))
        } else if each_loss!(&self.spec.loss, l => l.columns(labels, plan.n_outputs())).is_none() {
            Some(format!("loss {} of {}", self.spec.loss.name(), if labels { "labels" } else { "values" }))
        } else {
            None
        };
        let threads = plan.worth.threads_for(rows, self.machine.threads());
        let least = if why_not.is_none() { Fuses::InSmallNetworks } else { Fuses::Everywhere };
        let one_tile = rows <= plan.tile(rows, true);
        Route {
            in_one_kernel: why_not.is_none(),
            fused: one_tile && self.spec.optimizer.fuses() >= least,
            why_not,
            threads: if one_tile && self.small(rows).is_some() { 1 } else { threads },
            tiles_in_parallel: plan.worth.side_by_side(rows, self.machine.threads()),
        }
    }
}
