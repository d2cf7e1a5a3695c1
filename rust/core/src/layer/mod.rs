//! Layers: what a network is made of, each with its forward and its backward half.
//!
//! To add one: a file beside this one, a line in the list below, its arm in forward.rs and backward.rs, and its twin
//! in the Python reference.

crate::kind::kind! {
    /// A layer.
    #[derive(Copy)]
    Layer by "kind", each_layer, ($) {
        dense::{Dense => "dense"},
        dropout::{Dropout => "dropout"},
    }
}

pub(crate) use dense::{Factors, Place};

impl Layer {
    /// Number of outputs of a layer with `n_in` inputs.
    pub fn n_out(&self, n_in: usize) -> usize {
        match self {
            Layer::Dense(dense) => dense.units,
            Layer::Dropout(_) => n_in,
        }
    }

    /// What is wrong with the options, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        each_layer!(self, l => l.check())
    }
}
