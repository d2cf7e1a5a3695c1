//! The memory that a computation needs beside the parameters, kept from call to call so that steps allocate nothing.

use super::{HeadMemory, Lane, SmallMemory};
use crate::layer::{ChainMemory, Scratch};
use crate::plan::Plan;
use crate::{Error, Real};
use chainrule_kernels::Buffer;

/// Memory for one computation at a time on one network; grows on need.
pub struct Workspace<T> {
    /// Rows that fit.
    rows: usize,
    pub(crate) chain: ChainMemory<T>,
    pub(crate) scratch: Scratch<T>,
    pub(crate) head: HeadMemory<T>,
    /// Gradient in the layout of the parameters, empty until it is wanted.
    pub(crate) gradient: Buffer<T>,
    /// Whether Σ x² of the rows at hand is small for certain.
    pub(crate) x_is_small: bool,
    /// Memory of small networks in one kernel, once there was such a step.
    pub(crate) small: Vec<Lane<T, SmallMemory<T>>>,
    /// Memory of tiles in parallel, once there were some.
    pub(crate) lanes: Vec<Lane<T, Workspace<T>>>,
}

impl<T: Real> Workspace<T> {
    /// A workspace for networks with that plan, which will grow to what it is used for.
    pub(crate) fn of(plan: &Plan) -> Result<Self, Error> {
        Ok(Workspace {
            rows: 0,
            chain: ChainMemory::new(&plan.chain)?,
            scratch: Scratch::new()?,
            head: HeadMemory::new()?,
            gradient: Buffer::zeroed(0)?,
            x_is_small: false,
            small: Vec::new(),
            lanes: Vec::new(),
        })
    }

    /// Makes room for forward propagation of `rows` rows.
    pub(crate) fn reserve_rows(&mut self, plan: &Plan, rows: usize) -> Result<(), Error> {
        if rows <= self.rows {
            return Ok(());
        }
        self.rows = 0;
        self.chain.reserve(&plan.chain, rows)?;
        self.scratch.reserve(&plan.chain, rows)?;
        self.head.reserve(&plan.chain, rows)?;
        self.rows = rows;
        Ok(())
    }

    /// Makes room for a gradient; `inputs` tells whether ∂L/∂x of the rows that fit is wanted too.
    pub(crate) fn reserve_gradient(&mut self, plan: &Plan, inputs: bool) -> Result<(), Error> {
        if self.gradient.len() < plan.padded_parameters {
            self.gradient = Buffer::zeroed(plan.padded_parameters)?;
        }
        self.chain.reserve_back(&plan.chain, inputs)
    }
}
