//! Layers: what a network is made of. A layer knows its sizes, its tensors, and both of its halves.
//!
//! ```text
//! forward    x ─▶ a, and what the way back needs
//! backward   delta = ∂L/∂a ⊙ slope ─▶ d_x = ∂L/∂x, times the slope of the layer below
//! gradient   x, delta ─▶ ∂L/∂tensor of each of its tensors
//! ```
//!
//! If the gradients of a layer need ∂L/∂a itself, it leaves `slope` at `Slope::One`, as `LayerNorm` does: then delta is
//! ∂L/∂a.
//!
//! To add a layer: a file beside this one and a line in the list below. ARCHITECTURE.md lists what else to touch.

mod chain;
mod memory;
mod slope;
#[cfg(test)]
mod tests;

use crate::Real;
use crate::activation::Activation;
use crate::tensor::{Declared, Tensor};
use chainrule_kernels::{Factor, Machine, Matrix, MatrixMut};

pub(crate) use chain::{Chain, ChainMemory, Ends};
pub(crate) use dense::Form;
pub(crate) use memory::{LayerMemory, Scratch, packed, packed_mut, view, view_mut};
pub(crate) use slope::{Slope, Times};

crate::kind::kind! {
    /// A layer.
    Layer by "kind", each_layer, ($) {
        dense::{Dense => "dense"},
        dropout::{Dropout => "dropout"},
        layer_norm::{LayerNorm => "layer_norm"},
        #[cfg(test)] toys::{
            #[cfg(test)] ToyResidual => "toy residual",
            #[cfg(test)] ToyStatistics => "toy statistics",
        },
    }
}

/// Numbers with a row of the batch in each row, or in each column.
#[derive(Clone, Copy)]
pub(crate) enum By<M> {
    Rows(M),
    Columns(M),
}

impl<M> By<M> {
    /// Those in rows, which all layers but [`Form::Columns`] have.
    pub(crate) fn in_rows(self) -> M {
        match self {
            By::Rows(rows) => rows,
            By::Columns(_) => unreachable!("only a layer of that form works with the rows in columns"),
        }
    }
}

/// What a layer reads on the way back, beside its own memory.
#[derive(Clone, Copy)]
pub(crate) struct WayBack<'a, T> {
    /// Its inputs.
    pub(crate) x: Matrix<'a, T>,
    /// The error at its outputs: ∂L/∂a ⊙ slope.
    pub(crate) delta: By<Matrix<'a, T>>,
}

/// What a layer keeps from its forward half to its backward half, beside x and a.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keeps {
    /// Matrices of so many columns, a row for each row of the batch.
    pub(crate) a_row: Vec<usize>,
    /// Numbers for all rows of the batch.
    pub(crate) a_batch: usize,
    /// Numbers that only the way back needs, such as a copy of weights.
    pub(crate) back: usize,
}

/// How a layer uses the rows of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// What becomes of a row depends on that row: a batch may go through in tiles.
    Independent,
    /// In training it depends on all rows of the batch.
    Together,
}

/// Where a layer's numbers are, for a network of a given dtype.
#[derive(Clone, Debug)]
pub(crate) struct LayerPlan {
    /// Position in the network, from 0; random numbers follow from it.
    pub(crate) position: usize,
    pub(crate) n_in: usize,
    pub(crate) n_out: usize,
    /// Trained tensors in the order of the parameters.
    pub(crate) tensors: Vec<Tensor>,
    /// Saved and not trained.
    pub(crate) buffers: Vec<Tensor>,
    pub(crate) form: Form,
    /// What is kept for the way back.
    pub(crate) keeps: Keeps,
    /// The layers inside, for a layer that holds some.
    pub(crate) inner: Option<Box<Chain>>,
}

/// Where a layer works, and with what.
#[derive(Clone, Copy)]
pub(crate) struct At<'a, T> {
    pub(crate) machine: Machine,
    pub(crate) plan: &'a LayerPlan,
    pub(crate) parameters: &'a [T],
    #[allow(dead_code, reason = "for layers with buffers, which only tests have yet")]
    pub(crate) buffers: &'a [T],
    /// Present in training.
    pub(crate) draws: Option<Draws>,
}

/// What all layers of a network work with.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a, T> {
    pub(crate) machine: Machine,
    pub(crate) parameters: &'a [T],
    pub(crate) buffers: &'a [T],
    pub(crate) draws: Option<Draws>,
}

impl<'a, T> Surroundings<'a, T> {
    /// The same for one layer.
    pub(crate) fn at(self, plan: &'a LayerPlan) -> At<'a, T> {
        let Surroundings { machine, parameters, buffers, draws } = self;
        At { machine, plan, parameters, buffers, draws }
    }
}

impl<'a, T> At<'a, T> {
    /// The same for the layers inside.
    #[cfg_attr(not(test), allow(dead_code, reason = "for layers that hold layers, which only tests have yet"))]
    pub(crate) fn surroundings(self) -> Surroundings<'a, T> {
        let At { machine, parameters, buffers, draws, .. } = self;
        Surroundings { machine, parameters, buffers, draws }
    }
}

/// What random numbers follow from in training.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws {
    pub(crate) seed: u64,
    /// Updates made so far.
    pub(crate) update: u64,
    /// Which row of the update's batch is the first at hand.
    pub(crate) first_row: usize,
}

/// A gradient as a product, as its tensor is stored: Σ over rows of broadcastᵀ vector.
#[derive(Clone, Copy)]
pub(crate) struct Factors<'a, T> {
    /// x, or delta where the transpose is stored. Each of its numbers is broadcast to a vector.
    pub(crate) broadcast: Factor<'a, T>,
    /// delta, or x where the transpose is stored.
    pub(crate) vector: Matrix<'a, T>,
}

/// Takes the gradients that are products.
pub(crate) type Products<'a, T> = dyn FnMut(&Tensor, Factors<'_, T>) + 'a;

/// What the passes ask of any layer. Everything about a kind is in its file.
pub(crate) trait Propagate {
    /// Number of outputs for `n_in` inputs.
    fn n_out(&self, n_in: usize) -> usize;

    /// What is wrong with the options, if anything.
    fn check(&self) -> Result<(), String>;

    /// What is wrong with `n_in` inputs, if anything.
    fn check_inputs(&self, _n_in: usize) -> Result<(), String> {
        Ok(())
    }

    /// Trained tensors in the order of the parameters.
    fn tensors(&self, _n_in: usize) -> Vec<Declared> {
        Vec::new()
    }

    /// Numbers that are saved and not trained.
    fn buffers(&self, _n_in: usize) -> Vec<Declared> {
        Vec::new()
    }

    /// What is kept for the way back.
    fn keeps<T: Real>(&self, _plan: &LayerPlan) -> Keeps {
        Keeps::default()
    }

    /// Whether a batch may go through in tiles while training.
    fn rows(&self) -> Rows {
        Rows::Independent
    }

    /// The activation and the number of outputs, for a layer that may be the last.
    fn output(&self) -> Option<(&Activation, usize)> {
        None
    }

    /// How the tensors lie in memory. `is_last`: no layer comes after this one.
    fn form(&self, _n_in: usize, _is_last: bool, _limits: &crate::limits::Limits) -> Form {
        Form::Rows
    }

    /// The layers inside, which begin and end with `n_in` units.
    fn inside(&self) -> &[Layer] {
        &[]
    }

    /// Gets ready for the way back of a whole batch. Called where d_x is wanted.
    fn start_back<T: Real>(&self, _at: At<'_, T>, _memory: &mut LayerMemory<T>) {}

    /// a from x. x is mutable so that its padding can be cleared.
    fn forward<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &mut LayerMemory<T>,
        scratch: &mut Scratch<T>,
        x: MatrixMut<'_, T>,
        a: By<MatrixMut<'_, T>>,
    );

    /// What turns ∂L/∂a into delta. The layer above multiplies its d_x by it, in its `backward`.
    fn slope<'a, T: Real>(&self, _at: At<'_, T>, _memory: &'a LayerMemory<T>, _a: Matrix<'a, T>) -> Slope<'a, T> {
        Slope::One
    }

    /// Writes what an explanation shows: z, of which a is a function, and the slope of a. For a layer without a z of its
    /// own that is a itself, and what turns ∂L/∂a into delta.
    #[allow(clippy::too_many_arguments, reason = "it reads x and a and writes z and the slope")]
    fn shown<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &LayerMemory<T>,
        _scratch: &mut Scratch<T>,
        _x: Matrix<'_, T>,
        a: Matrix<'_, T>,
        mut z: MatrixMut<'_, T>,
        slope: MatrixMut<'_, T>,
    ) {
        z.data_mut().copy_from_slice(a.data());
        self.slope(at, memory, a).write(at.machine, slope);
    }

    /// d_x from delta, times the slope of the layer below.
    fn backward<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &mut LayerMemory<T>,
        scratch: &mut Scratch<T>,
        back: WayBack<'_, T>,
        below: Slope<'_, T>,
        d_x: MatrixMut<'_, T>,
    );

    /// Writes the gradients that are sums to their places in `gradient`, or with `accumulate` adds them to it. Returns
    /// Σ delta², in any order of its terms, or another number for which this holds: if it and Σ x² are at most the limit
    /// of [`Chain::bound`], every gradient of the layer is finite.
    fn sums<T: Real>(
        &self,
        _at: At<'_, T>,
        _memory: &LayerMemory<T>,
        _scratch: &mut Scratch<T>,
        _back: WayBack<'_, T>,
        _accumulate: bool,
        _gradient: &mut [T],
    ) -> T {
        T::ZERO
    }

    /// Hands the gradients that are products to `take`. It may change the parameters, so they are no argument here.
    fn products<T: Real>(
        &self,
        _machine: Machine,
        _plan: &LayerPlan,
        _memory: &LayerMemory<T>,
        _scratch: &mut Scratch<T>,
        _back: WayBack<'_, T>,
        _take: &mut Products<'_, T>,
    ) {
    }
}

impl Layer {
    /// Number of outputs of a layer with `n_in` inputs.
    pub fn n_out(&self, n_in: usize) -> usize {
        each_layer!(self, l => l.n_out(n_in))
    }

    /// What is wrong with the options, or with `n_in` inputs, if anything.
    pub(crate) fn check(&self, n_in: usize) -> Result<(), String> {
        each_layer!(self, l => l.check())?;
        each_layer!(self, l => l.check_inputs(n_in))
    }

    /// The activation and the number of the network's outputs, of a layer that can be the last.
    pub(crate) fn output(&self) -> Option<(&Activation, usize)> {
        each_layer!(self, l => l.output())
    }
}
