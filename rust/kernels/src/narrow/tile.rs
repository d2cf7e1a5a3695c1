//! The register tile of narrow layers, and the shapes of it that pay.

use super::Narrow;
use crate::vector::Raw;

/// `sums[r][v] + Σ_k a(r, k) b(k, v)`, one chain an element, k ascending: the chain of [`product`](crate::product).
///
/// # Safety
/// a(r, k) = a[r · row + k · step] and W vectors from b[k · b_row] on are there for r < H and all k; the CPU is V's.
#[inline(always)]
pub(super) unsafe fn multiply<V: Raw, const H: usize, const W: usize>(
    sums: [[V; W]; H],
    (a, row, step): (*const V::Scalar, usize, usize),
    (b, b_row): (*const V::Scalar, usize),
    k: usize,
) -> [[V; W]; H] {
    let none = [sums[0][0]; W];
    // SAFETY: the caller's promise.
    unsafe { multiply_and_add(sums, none, (a, row, step), (b, b_row), k).0 }
}

/// [`multiply`], and `totals[v] + Σ_k b(k, v)`.
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn multiply_and_add<V: Raw, const H: usize, const W: usize>(
    mut sums: [[V; W]; H],
    mut totals: [V; W],
    (a, row, step): (*const V::Scalar, usize, usize),
    (b, b_row): (*const V::Scalar, usize),
    k: usize,
) -> ([[V; W]; H], [V; W]) {
    let (mut a, mut b) = (a, b);
    for _ in 0..k {
        // SAFETY: the caller's promise.
        unsafe {
            let mut vectors = totals;
            for (v, vector) in vectors.iter_mut().enumerate() {
                *vector = V::load(b.add(v * V::LANES));
            }
            for (total, vector) in totals.iter_mut().zip(vectors) {
                *total = *total + vector;
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let number = V::splat(*a.add(r * row));
                for (sum, vector) in sums.iter_mut().zip(vectors) {
                    *sum = number.fma(vector, *sum);
                }
            }
        }
        a = a.wrapping_add(step);
        b = b.wrapping_add(b_row);
    }
    (sums, totals)
}

/// Most rows of a tile, the last of which may go that far beyond the rows there are: activations and deltas have room for
/// it, and behind dᵀ, of which the last row is read as far, lie the sums of its deltas.
pub(super) const TALLEST: usize = 8;

/// Calls `$tile::<V, H, W>(i, j)` for all tiles of `$rows` rows, up to whole tiles, and `$columns` columns: the shape that
/// keeps the multiply-add units busy, and one vector where that is all there is.
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

/// What is worked on.
#[derive(Clone, Copy)]
pub(super) struct At<'a, T> {
    pub(super) narrow: &'a Narrow<T>,
    pub(super) arena: *mut T,
    pub(super) parameters: *const T,
    pub(super) rows: usize,
}
