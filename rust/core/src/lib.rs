//! What chainrule computes: a multilayer perceptron, its gradient by backpropagation, and its training.
//!
//! The letters, fixed here and used everywhere:
//!
//! | letter | meaning | shape |
//! |---|---|---|
//! | `x` | input of a layer | (n, n_in) |
//! | `w`, `b` | weight, bias | (n_in, n_out), (n_out,) |
//! | `z = x w + b` | weighted input | (n, n_out) |
//! | `a = f(z)` | activation | (n, n_out) |
//! | `y` | target; for most losses n_targets = n_out | (n, n_targets), or labels (n,) |
//! | `l_i`, `L` | loss of row i, loss of the batch: L = Σ wᵢ lᵢ / Σ wᵢ + Σ ½ l2 ‖w‖² | |
//! | `delta = ∂L/∂z` | passed back: delta_l = (delta_{l+1} w_{l+1}ᵀ) ⊙ f'(z_l) | (n, n_out) |
//! | `d_w, d_b, d_x` | gradients of L: d_w = xᵀ delta, d_b = Σ_rows delta, d_x = delta wᵀ | as w, b, x |
//! | `m, v, t` | an optimizer's moments; the number of the update, counted from 1 | as the parameters; scalar |
//!
//! The words, fixed here too:
//!
//! - **tile**: the rows of a batch that go through the network at once. A large batch is several tiles, and their
//!   gradients add up in order.
//! - **lane**: the memory in which one thread at a time computes tiles. In the kernels: one number of a vector.
//! - **line**: a cache line of 64 bytes, 16 `f32` or 8 `f64`. The rows of a matrix start on a line.
//! - **padding**: the numbers from the end of a row to the end of its last line, so that no vector loop has a
//!   remainder. Zero in parameters, gradients and deltas; in activations nothing reads it.
//! - **small network**: dense layers of few units with one hidden activation. One kernel computes the whole network.
//! - **in columns**: the matrix has a column for each row of the batch. A last layer of few outputs is computed in
//!   columns.
//! - **in place**: the delta goes back through `w` itself, without a transposed copy of `w`. So do layers of many
//!   weights. Of a function: it overwrites its argument.
//! - **fused**: a formula is applied to the sums of a product while they are in registers. A fused update needs no
//!   gradient in memory.
//!
//! Data goes one way, and nothing comes back but results:
//!
//! ```text
//! Spec ─▶ Plan ─▶ Network + Workspace ─▶ forward ─▶ loss ─▶ backward ─▶ gradient ─▶ optimizer's rule
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | spec | the description of a network, validated |
//! | plan, tensor | the place of each tensor, the tile size and the cost model; a function of the spec alone |
//! | network, threads | parameters, moments and counters; the thread count |
//! | layer | the tensors of each layer, its forward and its backward half; the chain of layers |
//! | pass | a batch through the network: layer by layer or in one kernel; the loss; tiles in parallel |
//! | pass/workspace | all memory besides the network's, so that a step allocates nothing |
//! | fit | one update; one epoch of updates |
//! | answers, trace | predictions, losses and gradients; all numbers of a step. The network stays as it is |
//! | activation, loss, optimizer, init, schedule | the other kinds: a list, and a file for each formula |
//! | sklearn | training with scikit-learn's penalty, loss and order of rows |
//!
//! `chainrule-kernels` holds all loops over vectors. This crate knows neither Python nor the processor, and holds no
//! unsafe code.
#![forbid(unsafe_code)]

pub mod activation;
mod answers;
mod bounds;
mod check;
mod data;
mod error;
mod fit;
pub mod init;
mod kind;
pub mod layer;
mod limits;
pub mod loss;
mod network;
pub mod optimizer;
mod pass;
mod plan;
pub mod rng;
pub mod schedule;
pub mod sklearn;
mod spec;
mod tensor;
mod threads;
mod trace;

pub use chainrule_kernels::{Machine, Real, Source};
pub use data::{Batch, Rows, Selected, Targets};
pub use error::{Error, ErrorKind};
pub use fit::Epoch;
pub use network::{Network, TensorInfo};
pub use pass::{Route, Workspace};
pub use plan::Worth;
pub use spec::{Dtype, Spec};
pub use trace::{LayerTrace, TensorTrace};

#[doc(hidden)]
pub use chainrule_kernels::pool::force as force_threads;

/// The kinds with the names of their entries, and the instruction sets under the key "target".
pub fn registry() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("activation", activation::Activation::NAMES.to_vec()),
        ("loss", loss::Loss::NAMES.to_vec()),
        ("optimizer", optimizer::Optimizer::NAMES.to_vec()),
        ("init", init::Init::NAMES.to_vec()),
        ("layer", layer::Layer::NAMES.to_vec()),
        ("target", Machine::all_names().to_vec()),
    ]
}
