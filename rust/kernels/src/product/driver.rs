//! From a product's shape to tiles: the order of the work, chosen so that each operand is found in a near cache.
//!
//! ```text
//!          k                             n                          n
//!    ┌───────────┬───────────┐      ┌───┬───┬───┬─┐          ┌───┬───┬───┬─┐
//!    │           │           │    k │   │   │   │ │ block    │ tile  │   │ │
//!  m │  block    │   block   │      ├───┼───┼───┼─┤        m ├───┼───┼───┼─┤
//!    │           │           │      │   │   │   │ │ block    │ tile  │   │ │
//!    └───────────┴───────────┘      └───┴───┴───┴─┘          └───┴───┴───┴─┘
//!                a                    strips of b                  c
//!
//! for each block of k              a strip of b in one block stays in the first cache
//!   for each strip of b            one to four vectors wide; meanwhile the next strip is fetched
//!     for each tile of rows        its sums stay in registers
//!   in the last block              the formula, unless it was applied to the registers
//! ```
//!
//! No order changes the chain of an element, so none changes a bit.

use super::finish::{Finish, Store};
use super::tile::{HALF, Operands, tiles};
use crate::isa::Kernel;
use crate::vector::{Raw, Shape};
use crate::{Machine, Real, padded};

/// From this size on, b is large: its strips come from the third cache.
const MIN_BYTES_OF_LARGE_B: usize = 256 << 10;
/// The length of a block if b is large, as bytes of a row of a (the last block may be half as long again). A strip of b
/// then has at most 16 KiB, and 256 rows of a stay in the second cache.
const BLOCK_BYTES: usize = 1 << 10;
/// The length of a block otherwise, in steps of k.
const BLOCK_STEPS: usize = 1536;
/// From this size of the result on, a long formula goes row by row: all tiles of some rows, then those of the next.
const MIN_NUMBERS_ROW_BY_ROW: usize = 1 << 15;
/// Tiles three vectors wide pay from this many steps on: each number of a serves three vectors.
const MIN_STEPS_OF_WIDE_TILES: usize = 100;
/// The same on CPUs that wait for loads.
const MIN_STEPS_IF_LOADS_ARE_SLOW: usize = 30;
/// No tile three vectors wide has fewer rows.
const MIN_ROWS_OF_A_WIDE_TILE: usize = 6;

/// Gives the sums start + a b of m rows and n columns to `finish`. The padding of the last line of c becomes what that
/// of the operands gives, or 0.
///
/// The operands may be a part of a product. The shape of the whole product decides the order of the work.
///
/// # Safety
/// The operands, c and the memory of `finish` have m rows, `padded(n)` columns and k steps. Without c, which keeps the
/// sums between blocks of k, there is one block, and `finish` takes the sums from registers.
pub(super) unsafe fn multiply<T: Real, F: Finish<T>>(
    machine: Machine,
    mut operands: Operands<T>,
    (m, n): (usize, usize),
    c: Option<Store<T>>,
    finish: F,
) {
    if m == 0 || n == 0 {
        return;
    }
    let mut shape = machine.shape::<T>();
    let rows = if F::LONG { shape.rows_long } else { shape.rows };
    if F::LONG {
        shape.rows_4_wide = 0;
    }
    if F::LONG && m * n >= MIN_NUMBERS_ROW_BY_ROW {
        // SAFETY: the caller's operands.
        return unsafe { rows_outside(machine, &shape, &operands, (m, rows), n, &finish) };
    }
    let k = operands.k;
    let large = operands.whole.0 <= operands.whole.1 && operands.whole.1 * k * size_of::<T>() > MIN_BYTES_OF_LARGE_B;
    let blocks =
        if c.is_some() { blocks(k, if large { BLOCK_BYTES / size_of::<T>() } else { BLOCK_STEPS }) } else { 1 };
    let steps = if shape.wide { MIN_STEPS_IF_LOADS_ARE_SLOW } else { MIN_STEPS_OF_WIDE_TILES };
    let wide = (shape.wide || operands.whole.0 > operands.whole.1)
        && k > steps
        && m / m.div_ceil(rows) >= MIN_ROWS_OF_A_WIDE_TILE
        && !F::LONG;
    let mut done = 0;
    for block in 0..blocks {
        operands.k = (k - done).div_ceil(blocks - block);
        operands.ahead = if large { operands.k.div_ceil(m.div_ceil(rows)) } else { 0 };
        let last = block + 1 == blocks;
        let mut v = 0;
        let vectors = n.div_ceil(shape.lanes);
        while v < vectors {
            let width = width(&shape, m, vectors - v, wide);
            let column = v * shape.lanes;
            v += width;
            if v == vectors {
                operands.ahead = 0;
            }
            let tile = if width == 1 && is_half(&shape, m, n - column) { HALF } else { width };
            // SAFETY: m rows and `width` vectors of those left.
            unsafe {
                if F::FUSED && last {
                    strip(machine, &operands, &finish, (m, rows), column, tile);
                } else if let Some(c) = &c {
                    strip(machine, &operands, c, (m, rows), column, tile);
                    if last {
                        finish.strip(machine, m, column, width * shape.lanes);
                    }
                }
            }
        }
        done += operands.k;
        operands.a = operands.a.wrapping_add(operands.k * operands.a_step);
        operands.b = operands.b.wrapping_add(operands.k * operands.b_row);
        if let Some(c) = &c {
            (operands.start, operands.start_row, operands.start_columns) = (c.c, c.c_row, true);
        }
    }
    if let Some(c) = &c {
        let lanes = if shape.halves { shape.lanes / 2 } else { shape.lanes };
        let (from, to) = (n.next_multiple_of(lanes), padded::<T>(n));
        if from < to {
            let clear = Clear { c: c.c.wrapping_add(from), c_row: c.c_row, rows: m, columns: to - from };
            // SAFETY: between the last vector and the end of its line.
            unsafe { machine.run(clear) }
        }
    }
}

/// The number of blocks of about `steps` steps in a chain of k.
fn blocks(k: usize, steps: usize) -> usize {
    if k <= steps + steps / 2 { 1 } else { k.div_ceil(steps) }
}

/// The width of the next strip, in vectors.
#[inline]
fn width(shape: &Shape, m: usize, vectors: usize, wide: bool) -> usize {
    match vectors {
        // One row reads b only once, so wide tiles read whole lines of it one after the other.
        8.. if m == 1 && shape.rows_4_wide > 0 => 8,
        4.. if m <= shape.rows_4_wide => 4,
        2.. if shape.pairs => 2,
        3.. if wide && !shape.pairs => 3,
        _ => 1,
    }
}

/// Whether the last vector of m rows, with `columns` columns left, should be half a vector: it is at most half full,
/// and that costs less.
#[inline]
fn is_half(shape: &Shape, m: usize, columns: usize) -> bool {
    // There are no half tiles of fewer than 3 rows, and from 5 rows on no tile has fewer.
    shape.halves && m > 4 && 2 * columns <= shape.lanes
}

/// All m rows of one strip, split evenly into tiles of at most `rows` rows.
///
/// # Safety
/// As [`multiply`].
#[inline]
unsafe fn strip<T: Real, F: Finish<T>>(
    machine: Machine,
    operands: &Operands<T>,
    finish: &F,
    (m, rows): (usize, usize),
    column: usize,
    width: usize,
) {
    let count = m.div_ceil(rows);
    let (height, taller) = if count == 1 { (m, 0) } else { (m / count, m % count) };
    let row = taller * (height + 1);
    // SAFETY: `row` rows and the rest, m together.
    unsafe {
        if taller > 0 {
            tiles(machine, operands, finish, (0, column), (taller, height + 1), width, false);
        }
        tiles(machine, operands, finish, (row, column), (count - taller, height), width, false);
    }
}

/// The product row by row: all tiles of some rows, then those of the next. What a long formula reads and writes beside
/// the sums is then one stream of memory.
///
/// # Safety
/// As [`multiply`].
unsafe fn rows_outside<T: Real, F: Finish<T>>(
    machine: Machine,
    shape: &Shape,
    operands: &Operands<T>,
    (m, rows): (usize, usize),
    n: usize,
    finish: &F,
) {
    let count = m.div_ceil(rows);
    let vectors = n.div_ceil(shape.lanes);
    let pairs = if shape.pairs { vectors / 2 } else { 0 };
    let mut row = 0;
    for tile in 0..count {
        let height = (m - row).div_ceil(count - tile);
        // SAFETY: `height` rows of those left, and all vectors.
        unsafe {
            if pairs > 0 {
                tiles(machine, operands, finish, (row, 0), (pairs, height), 2, true);
            }
            let column = 2 * pairs * shape.lanes;
            let half = usize::from(is_half(shape, m, n - (vectors - 1) * shape.lanes));
            tiles(machine, operands, finish, (row, column), (vectors - 2 * pairs - half, height), 1, true);
            if half > 0 {
                let column = (vectors - 1) * shape.lanes;
                tiles(machine, operands, finish, (row, column), (1, height), HALF, true);
            }
        }
        row += height;
    }
}

/// c ← 0, from the end of the last vector, or half vector, to the end of the line.
struct Clear<T> {
    c: *mut T,
    c_row: usize,
    rows: usize,
    columns: usize,
}

impl<T: Real> Kernel<T> for Clear<T> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        for i in 0..self.rows {
            let mut j = 0;
            // SAFETY: inside the line that the caller promised, of which whole vectors and at most one half are left.
            unsafe {
                let row = self.c.add(i * self.c_row);
                while j + V::LANES <= self.columns {
                    V::splat(T::ZERO).store(row.add(j));
                    j += V::LANES;
                }
                if j < self.columns {
                    V::Half::splat(T::ZERO).store(row.add(j));
                }
            }
        }
    }
}
