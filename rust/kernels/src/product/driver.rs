//! From a product's shape to tiles: what is done in which order, so that each operand is found in the cache it fits.
//!
//! ```text
//! blocks of k: a strip of b stays in the first cache
//!   strips of columns, one to four vectors wide; meanwhile the next strip is asked for
//!     tiles, one below the other
//!     in the last block: the formula, where it was not applied to the registers
//! ```
//!
//! No order changes that of an element's chain, so none changes a bit.

use super::finish::{Finish, Store};
use super::tile::{HALF, Operands, tiles};
use crate::isa::Kernel;
use crate::vector::{Raw, Shape};
use crate::{Machine, Real, padded};

/// Bytes of b from which it comes out of the third cache, strip by strip.
const LARGE: usize = 256 << 10;
/// Bytes of a row of a for as many steps of k as are done at a time (up to half as many more) where b is large: a strip of b
/// is then 16 KiB or less, and the numbers of 256 rows stay in the second cache.
const STEPS: usize = 1 << 10;
/// The same where it is a that is large.
const STEPS_LONG: usize = 1536;
/// Numbers of the result from which a long formula takes it row by row.
const SPREAD: usize = 1 << 15;
/// Steps from which wider tiles pay where it is a that is large: each number of it then serves three vectors.
const STEPS_WIDE: usize = 100;
/// The same for rows: they are then cut into tiles of more than five.
const ROWS_WIDE: usize = 25;

/// The sums start + a b for m rows and n columns, given to `finish`. The padding of the last line of c is computed from
/// the operands' or 0.
///
/// They may be a part of a product, whose shape is what decides the order.
///
/// # Safety
/// The operands, c and what `finish` holds are good for m rows, `padded(n)` columns and k steps. Without a c to keep the
/// sums between blocks of k there is one block, and `finish` takes the sums from registers.
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
        shape.few = 0;
    }
    if F::LONG && m * n >= SPREAD {
        // SAFETY: the caller's operands.
        return unsafe { rows_outside(machine, &shape, &operands, (m, rows), n, &finish) };
    }
    let k = operands.k;
    let large = operands.whole.0 <= operands.whole.1 && operands.whole.1 * k * size_of::<T>() > LARGE;
    let blocks = if c.is_some() { blocks(k, if large { STEPS / size_of::<T>() } else { STEPS_LONG }) } else { 1 };
    let wide = operands.whole.0 > operands.whole.1 && k > STEPS_WIDE && m >= ROWS_WIDE && !F::LONG;
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

/// Into how many blocks a chain of k steps is cut.
fn blocks(k: usize, steps: usize) -> usize {
    if k <= steps + steps / 2 { 1 } else { k.div_ceil(steps) }
}

/// How many vectors wide the next tiles are.
#[inline]
fn width(shape: &Shape, m: usize, vectors: usize, wide: bool) -> usize {
    match vectors {
        // One row reads all of b once: whole lines of it, one after the other, as far as possible.
        8.. if m == 1 && shape.few > 0 => 8,
        4.. if m <= shape.few => 4,
        2.. if shape.pairs => 2,
        3.. if wide && !shape.pairs => 3,
        _ => 1,
    }
}

/// Whether the last vector of m rows and `columns` columns is no more than half full, where that makes a difference.
#[inline]
fn is_half(shape: &Shape, m: usize, columns: usize) -> bool {
    // From 5 rows on no tile has fewer than 3.
    shape.halves && m > 4 && 2 * columns <= shape.lanes
}

/// All m rows of one strip, split evenly into tiles of at most `rows`.
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

/// All tiles of a row before those of the next: what a long formula reads and writes beside the sums then comes and goes in
/// one stream.
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

/// c ← 0 from a vector, or half of one, to the end of a line.
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
