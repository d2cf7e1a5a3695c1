//! The ways through a network: layer by layer, or a small network in one kernel. Both give the same bits.
//!
//! | file | what |
//! |---|---|
//! | layers | forward, back and gradient, layer by layer |
//! | head | targets, loss and the error of the output |
//! | small | the same for small networks, in one kernel |
//! | lanes | batches of several tiles, in parallel on threads |
//! | way | which of the ways a batch takes, and why |

mod head;
mod lanes;
mod layers;
mod small;
mod way;
mod workspace;

use crate::plan::Plan;
use crate::{Real, Spec};
use chainrule_kernels::{Machine, Picks};

pub(crate) use head::HeadMemory;
pub(crate) use lanes::Lane;
pub(crate) use small::SmallMemory;
pub use way::Route;
pub(crate) use way::Way;
pub use workspace::Workspace;

/// A network as the passes read it.
#[derive(Clone, Copy)]
pub(crate) struct Model<'a, T> {
    pub(crate) spec: &'a Spec,
    pub(crate) plan: &'a Plan,
    pub(crate) machine: Machine,
    pub(crate) parameters: &'a [T],
    pub(crate) buffers: &'a [T],
    /// Updates made so far.
    pub(crate) steps: u64,
}

impl<T: Real> Model<'_, T> {
    /// The same with the threads that a batch of `rows` rows is worth.
    pub(crate) fn on_threads_for(&self, rows: usize) -> Self {
        let threads = self.plan.worth.threads_for(rows, self.machine.threads());
        Model { machine: self.machine.with_threads(threads), ..*self }
    }
}

/// Some rows of a batch that go through the network at once.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    pub(crate) picks: Picks<'a>,
    /// Which row of the batch is the first of these.
    pub(crate) first: usize,
    pub(crate) training: bool,
}

impl<'a> Tile<'a> {
    /// All rows at once.
    pub(crate) fn whole(picks: Picks<'a>, training: bool) -> Self {
        Tile { picks, first: 0, training }
    }

    /// The tiles of a batch, of `size` rows each; the last one may have fewer.
    pub(crate) fn of(picks: Picks<'a>, size: usize, training: bool) -> impl Iterator<Item = Tile<'a>> {
        picks.tiles(size).enumerate().map(move |(t, picks)| Tile { picks, first: t * size, training })
    }

    pub(crate) fn len(&self) -> usize {
        self.picks.len()
    }
}
