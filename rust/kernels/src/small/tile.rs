//! The shapes of register tiles that pay in small networks.

use super::Small;
use crate::Machine;

/// The most rows of a tile. The last tile may reach that far beyond the last row, so activations and deltas have room
/// for it. Reading dᵀ so far beyond its last row reads the sums of its deltas, which follow it in the arena.
pub(super) const MAX_TILE_ROWS: usize = 8;

/// Calls `$tile::<V, H, W>(i, j)` for all tiles of `$rows` rows, rounded up to whole tiles, and `$columns` columns. The
/// shapes are those that keep the multiply-add units busy, or one vector if there are no more columns.
macro_rules! tiles {
    ($rows:expr, $columns:expr, |$i:ident, $j:ident| $self:ident.$tile:ident($($argument:expr),*)) => {
        let mut $j = 0;
        while $j < $columns {
            if $rows == 1 && $j + 3 * V::LANES < $columns {
                let $i = 0;
                $self.$tile::<V, 1, 4>($($argument),*);
                $j += 4 * V::LANES;
            } else if $rows == 1 {
                let $i = 0;
                $self.$tile::<V, 1, 1>($($argument),*);
                $j += V::LANES;
            } else if V::PAIRS && $j + V::LANES < $columns {
                for $i in (0..$rows).step_by(6) {
                    $self.$tile::<V, 6, 2>($($argument),*);
                }
                $j += 2 * V::LANES;
            } else if V::HALVES && 2 * ($columns - $j) <= V::LANES {
                for $i in (0..$rows).step_by(8) {
                    $self.$tile::<V::Half, 8, 1>($($argument),*);
                }
                $j += V::LANES;
            } else {
                for $i in (0..$rows).step_by(8) {
                    $self.$tile::<V, 8, 1>($($argument),*);
                }
                $j += V::LANES;
            }
        }
    };
}

pub(super) use tiles;

/// The network, its memory, and the rows to compute.
#[derive(Clone, Copy)]
pub(super) struct At<'a, T> {
    pub(super) machine: Machine,
    pub(super) small: &'a Small<T>,
    pub(super) arena: *mut T,
    pub(super) parameters: *const T,
    pub(super) rows: usize,
}
