//! What one thread at a time computes a small network with.

use crate::layer::Layer;
use crate::pass::Lane;
use crate::plan::Plan;
use crate::{Error, Real};
use chainrule_kernels::small::{self, Small as Kernels};

/// The memory of the kernels, and the labels of the rows at hand.
pub(crate) struct SmallMemory<T> {
    pub(crate) kernels: Kernels<T>,
    pub(super) labels: Vec<u32>,
}

impl<T: Real> SmallMemory<T> {
    /// Room for `rows` rows.
    pub(super) fn new(plan: &Plan, rows: usize) -> Result<Self, Error> {
        let drops = |l: usize| matches!(plan.chain.layers.get(l + 1), Some(Layer::Dropout(_)));
        let dense = plan.chain.plans.iter().enumerate().filter(|(_, plan)| !plan.tensors.is_empty());
        let layers = dense.map(|(l, plan)| small::Layer {
            n_in: plan.n_in,
            n_out: plan.n_out,
            w: plan.tensors[0].at.clone(),
            b: plan.tensors.get(1).map(|b| b.at.clone()),
            drops: drops(l),
        });
        let kernels = Kernels::new(&layers.collect::<Vec<_>>(), rows)?;
        Ok(SmallMemory { labels: vec![0; kernels.rows()], kernels })
    }

    /// That of the first of a workspace's lanes, with room for `rows` rows.
    #[inline]
    pub(crate) fn first<'a>(
        lanes: &'a mut Vec<Lane<T, Self>>,
        plan: &Plan,
        rows: usize,
    ) -> Result<&'a mut Self, Error> {
        if lanes.first().is_none_or(|lane| lane.memory.kernels.rows() < rows) {
            lanes.clear();
            lanes.push(Lane::new(SmallMemory::new(plan, rows)?)?);
        }
        Ok(&mut lanes[0].memory)
    }
}
