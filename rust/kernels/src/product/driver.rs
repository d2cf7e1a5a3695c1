//! From a product's shape to tiles: what is done in which order, so that each operand is found in the cache it fits.
//!
//! ```text
//! blocks of rows: their part of a stays in the second cache
//!   blocks of k: a strip of b stays in the first
//!     strips of columns, one or two vectors wide; meanwhile the next strip is asked for
//!       tiles, one below the other
//!     a panel of strips finished: the formula, while c is still in the first
//! ```
//!
//! No order changes that of an element's chain, so none changes a bit.

use super::pack::{Group, PACKED, Room, pack, packs};
use super::tile::{Operands, Shape, tiles};
use crate::elementwise::{Region, map_region};
use crate::{Map, Real, Target, Vector, padded};

/// Steps of k done at a time (up to half as many more): the strip of b is then 16 KiB.
const STEPS: usize = 256;
/// Bytes of a in a block of rows.
const BLOCK: usize = 192 << 10;
/// Bytes of b from which it is taken strip by strip; less is in the first cache anyway.
const LARGE: usize = 32 << 10;
/// Bytes of c from which a panel is finished.
const PANEL: usize = 32 << 10;

/// A rectangle of c that has its sums: rows and columns, first and number. The columns are whole vectors.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    pub(super) row: usize,
    pub(super) rows: usize,
    pub(super) column: usize,
    pub(super) columns: usize,
}

/// c = start + a b for m rows and n columns; the padding of c's last line is computed from the operands' or 0.
/// Calls `finish` once for each part of c, padding included.
///
/// # Safety
/// The operands are good for m rows, `padded(n)` columns and k steps.
pub(super) unsafe fn multiply<T: Real>(
    target: Target,
    operands: Operands<T>,
    m: usize,
    n: usize,
    finish: &mut dyn FnMut(Panel),
) {
    if m == 0 || n == 0 {
        return;
    }
    let shape = target.shape::<T>();
    let packed = packs(&operands, n);
    let blocks = blocks(operands.k);
    let steps = if blocks == 1 { operands.k.max(1) } else { operands.k.div_ceil(blocks) };
    let large = steps * n * size_of::<T>() >= LARGE;
    if !large && !packed && blocks == 1 && m * steps.max(n) * size_of::<T>() <= PANEL {
        // SAFETY: the caller's operands.
        return unsafe { multiply_small(target, shape, operands, m, n, finish) };
    }
    let mut block = if packed { PACKED } else { BLOCK } / (steps * size_of::<T>());
    if !large {
        block = block.min(PANEL / (n * size_of::<T>()));
    }
    block = (block / shape.rows).max(1) * shape.rows;
    // Split evenly: a last block of few rows would take all of b from memory once more. Only packing has a hard limit.
    let parts = if packed { m.div_ceil(block) } else { ((m + block / 2) / block).max(1) };
    block = m.div_ceil(parts).next_multiple_of(shape.rows);
    let mut row = 0;
    while row < m {
        let work = Work { target, shape, operands: operands.at(row, 0), row, rows: block.min(m - row), n, large };
        // SAFETY: `rows` rows of m from `row` on.
        unsafe {
            if packed {
                work.packed(finish);
            } else {
                work.run(None, finish);
            }
        }
        row += block;
    }
}

/// A product that is in the first cache as a whole: nothing to order, and the driver's own time counts (16 × 16 × 4 on
/// AVX2 takes 0.6 of the time that the general way takes).
///
/// # Safety
/// As [`multiply`].
unsafe fn multiply_small<T: Real>(
    target: Target,
    shape: Shape,
    mut operands: Operands<T>,
    m: usize,
    n: usize,
    finish: &mut dyn FnMut(Panel),
) {
    let (c, lanes) = (operands.c, shape.lanes);
    let vectors = n.div_ceil(lanes);
    let (height, taller, count) = split(m, shape.rows);
    let mut v = 0;
    while v < vectors {
        let (width, strips) = widths(&shape, m, vectors - v);
        let mut group = operands;
        // SAFETY: the caller's rows, all of them, and strips · width vectors of those left.
        unsafe {
            if taller > 0 {
                group.a_tile = (height + 1) * group.a_row;
                tiles(target, &group, (taller, height + 1), (strips, width));
                group = group.at(taller * (height + 1), 0);
            }
            group.a_tile = height * group.a_row;
            tiles(target, &group, (count - taller, height), (strips, width));
        }
        v += strips * width;
        operands = operands.at(0, strips * width * lanes);
    }
    // SAFETY: m rows of c, whose sums reach to `vectors`.
    unsafe { clear(target, c, operands.c_row, m, vectors * lanes, padded::<T>(n)) };
    finish(Panel { row: 0, rows: m, column: 0, columns: padded::<T>(n) });
}

/// m rows split evenly into tiles of at most `rows`: the height of most, how many are one row taller (they come first),
/// and how many there are.
#[inline]
fn split(m: usize, rows: usize) -> (usize, usize, usize) {
    if m <= rows {
        return (m, 0, 1);
    }
    let count = m.div_ceil(rows);
    (m / count, m % count, count)
}

/// How many vectors wide the next tiles are, and how many strips of that width are left.
#[inline]
fn widths(shape: &Shape, m: usize, vectors: usize) -> (usize, usize) {
    match vectors {
        4.. if m <= shape.few => (4, vectors / 4),
        2.. if shape.pairs => (2, vectors / 2),
        _ => (1, if shape.pairs { 1 } else { vectors }),
    }
}

/// Zeros in the columns from..to, the part of the last line that no vector has reached.
///
/// # Safety
/// c has m rows of at least `to` numbers, `c_row` apart.
#[inline]
unsafe fn clear<T: Real>(target: Target, c: *mut T, c_row: usize, m: usize, from: usize, to: usize) {
    if from < to {
        let region = Region { rows: m, columns: to - from, stride: c_row };
        // SAFETY: between the last vector and the end of its line.
        unsafe { map_region(target, c.add(from), region, Zero) };
    }
}

/// Into how many blocks a chain of k steps is cut.
#[inline]
fn blocks(k: usize) -> usize {
    if k <= STEPS + STEPS / 2 { 1 } else { k.div_ceil(STEPS) }
}

/// A block of rows, the first of them `row`.
struct Work<T> {
    target: Target,
    shape: Shape,
    operands: Operands<T>,
    row: usize,
    rows: usize,
    n: usize,
    large: bool,
}

impl<T: Real> Work<T> {
    /// With room to pack a. Apart, for so much stack costs a small product more than its sums.
    ///
    /// # Safety
    /// As [`multiply`].
    #[inline(never)]
    unsafe fn packed(&self, finish: &mut dyn FnMut(Panel)) {
        let mut room = Room::new();
        // SAFETY: the caller's operands.
        unsafe { self.run(Some(&mut room), finish) }
    }

    /// # Safety
    /// As [`multiply`].
    unsafe fn run(&self, mut room: Option<&mut Room>, finish: &mut dyn FnMut(Panel)) {
        let m = self.rows;
        let (height, taller, count) = split(m, self.shape.rows);
        let blocks = blocks(self.operands.k);
        let mut done = 0;
        for block in 0..blocks {
            let k = if blocks == 1 { self.operands.k } else { (self.operands.k - done).div_ceil(blocks - block) };
            let part = self.operands.steps(done, k);
            done += k;
            let mut groups = [
                Group { operands: part, count: taller, height: height + 1 },
                Group { operands: part.at(taller * (height + 1), 0), count: count - taller, height },
            ];
            for group in &mut groups {
                group.operands.a_tile = group.height * part.a_row;
            }
            if let Some(room) = &mut room {
                // SAFETY: the groups are m rows together.
                unsafe { pack(self.target, &mut groups, room) };
            }
            let ahead = if self.large { k.div_ceil(count) } else { 0 };
            // SAFETY: the groups are m rows together; the caller's operands.
            unsafe { self.strips(&mut groups, ahead, block + 1 == blocks, finish) };
        }
    }

    /// All columns of a block of k, whose operands come at column 0 and leave beyond the last.
    ///
    /// # Safety
    /// As [`multiply`], the groups being all rows.
    #[inline]
    unsafe fn strips(&self, groups: &mut [Group<T>; 2], ahead_steps: usize, last: bool, finish: &mut dyn FnMut(Panel)) {
        let lanes = self.shape.lanes;
        let vectors = self.n.div_ceil(lanes);
        let (mut v, mut finished) = (0, 0);
        while v < vectors {
            let (width, strips) = widths(&self.shape, self.rows, vectors - v);
            let strips = if self.large { 1 } else { strips };
            v += strips * width;
            // Asking for the next strip gains a wide product 3 to 12 % (f32, AVX2, b from the third cache).
            let mut ahead = groups[0].operands.b.wrapping_add(width * lanes);
            for group in groups.iter_mut() {
                let operands = &mut group.operands;
                if group.count > 0 {
                    operands.ahead = ahead;
                    operands.ahead_steps = if v < vectors { ahead_steps } else { 0 };
                    ahead = ahead.wrapping_add(group.count * ahead_steps * operands.b_row);
                    // SAFETY: the group's rows, and strips · width vectors of those left.
                    unsafe { tiles(self.target, operands, (group.count, group.height), (strips, width)) };
                }
                *operands = operands.at(0, strips * width * lanes);
            }
            let mut columns = (v - finished) * lanes;
            if last && (v == vectors || columns * self.rows * size_of::<T>() >= PANEL) {
                if v == vectors {
                    columns = padded::<T>(self.n) - finished * lanes;
                    // SAFETY: the rows of c, whose sums reach to `vectors`.
                    unsafe {
                        let Operands { c, c_row, .. } = self.operands;
                        clear(self.target, c, c_row, self.rows, vectors * lanes, padded::<T>(self.n));
                    }
                }
                finish(Panel { row: self.row, rows: self.rows, column: finished * lanes, columns });
                finished = v;
            }
        }
    }
}

/// f(x) = 0.
#[derive(Clone, Copy)]
struct Zero;

impl Map for Zero {
    #[inline(always)]
    fn map<V: Vector>(self, x: V) -> V {
        x.like(0.0)
    }
}
