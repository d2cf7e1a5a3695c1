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
//! | `y` | target | (n, n_targets), for most losses one an output, or labels (n,) |
//! | `l_i`, `L` | loss of row i, loss of the batch: L = Σ wᵢ lᵢ / Σ wᵢ + Σ ½ l2 ‖w‖² | |
//! | `delta = ∂L/∂z` | passed back: delta_l = (delta_{l+1} w_{l+1}ᵀ) ⊙ f'(z_l) | (n, n_out) |
//! | `d_w, d_b, d_x` | gradients of L: d_w = xᵀ delta, d_b = Σ_rows delta, d_x = delta wᵀ | as w, b, x |
//! | `m, v, t` | an optimizer's moments and its step | as the parameters |
//!
//! Data goes one way: [`Spec`] (what was asked) → plan (sizes and places) → forward → loss → backward →
//! optimizer; each calls `chainrule-kernels`, and nothing comes back but results. This crate knows neither
//! Python nor the processor, and holds no unsafe code.
#![forbid(unsafe_code)]

pub mod activation;
mod answers;
mod check;
mod data;
mod error;
mod fit;
pub mod init;
mod kind;
pub mod layer;
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
mod workspace;

pub use chainrule_kernels::{Machine, Real, Source};
pub use data::{Batch, RowMajor, Rows, Selected, Targets};
pub use error::{Error, ErrorKind};
pub use fit::Epoch;
pub use network::{Network, TensorInfo};
pub use pass::Route;
pub use spec::{Dtype, Spec};
pub use trace::{LayerTrace, TensorTrace};
pub use workspace::Workspace;

#[doc(hidden)]
pub use chainrule_kernels::pool::force as force_threads;

/// Every kind with its names.
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
