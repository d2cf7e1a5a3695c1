//! The sizes of register tiles that pay for a vector, as values.

use super::Raw;
use crate::cpu;

/// The register tiles that pay on an instruction set.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Numbers in a vector.
    pub(crate) lanes: usize,
    /// Rows of the largest tile that is 1, 2 (`pairs`) or 3 (not `pairs`) vectors wide.
    pub(crate) rows: usize,
    /// The same if a long formula takes the sums.
    pub(crate) rows_long: usize,
    /// Whether the main tile is two vectors wide.
    pub(crate) pairs: bool,
    /// Whether tiles three vectors wide pay for all operands; if not, they pay where a is the larger one.
    pub(crate) wide: bool,
    /// Rows of the largest tile that is 4 vectors wide, used for products of few rows; 0 if there is none.
    pub(crate) rows_4_wide: usize,
    /// Whether there are tiles half a vector wide.
    pub(crate) halves: bool,
    /// Whether there are kernels for small networks.
    pub(crate) small: bool,
}

impl Shape {
    pub(crate) fn of<V: Raw>() -> Self {
        Shape {
            lanes: V::LANES,
            rows: V::TILE_ROWS,
            rows_long: V::TILE_ROWS_LONG,
            pairs: V::PAIRS,
            wide: cpu::waits_for_loads(),
            rows_4_wide: V::TILE_ROWS_4_WIDE,
            halves: V::HALVES,
            small: V::SMALL,
        }
    }
}
