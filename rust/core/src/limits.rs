//! The sizes from which on a layer or a network is computed in another way.

/// The limits, which tests may set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most outputs of a last layer that is computed with the rows in columns; four times as many in a small network.
    pub(crate) outputs_in_columns: usize,
    /// Least weights of a layer whose deltas go back through w itself.
    pub(crate) weights_in_place: usize,
    /// Most units of a layer of a small network, inputs too.
    pub(crate) units_of_small: usize,
}

impl Limits {
    /// As measured (docs/design/2026-11-26-speed.md).
    pub(crate) const USUAL: Limits = Limits { outputs_in_columns: 16, weights_in_place: 1 << 17, units_of_small: 128 };
}
