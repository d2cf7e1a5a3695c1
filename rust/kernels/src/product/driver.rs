//! From a product's shape to tiles.

use super::tile::{Operands, tiles};
use crate::elementwise::{Region, map_region};
use crate::{Map, Real, Target, Vector, padded};

/// Steps of k done at a time: the part of b under a strip of tiles is then 16 KiB and stays in the first cache.
const BLOCK: usize = 256;

/// c = start + a b for m rows and n columns; the padding of c's last line is computed from the operands' or 0.
///
/// # Safety
/// The operands are good for m rows, `padded(n)` columns and k steps.
pub(super) unsafe fn multiply<T: Real>(target: Target, operands: Operands<T>, m: usize, n: usize) {
    if m == 0 || n == 0 {
        return;
    }
    let size = match super::tune(0) { 0 => BLOCK, s => s };
    let copy = super::tune(5);
    if copy > 0 && operands.a_row == 1 && m > copy && n >= 256 && operands.k <= 384 {
        #[repr(align(64))]
        struct Scratch([core::mem::MaybeUninit<u8>; 128 * 1024]);
        let mut scratch = Scratch([core::mem::MaybeUninit::uninit(); 128 * 1024]);
        let mut done = 0;
        while done < m {
            let rows = copy.min(m - done);
            let to = scratch.0.as_mut_ptr().cast::<T>();
            let mut o = operands.at(done, 0);
            let padded = padded::<T>(rows);
            unsafe { target.run(super::tile::Copy { k: o.k, from: o.a, row: o.a_step, to, columns: padded }) };
            o.a = to;
            o.a_step = padded;
            unsafe { multiply2(target, o, rows, n) };
            done += rows;
        }
        return;
    }
    let mc = super::tune(3) * 1024 / size_of::<T>() / size.min(operands.k);
    if mc > 0 && m > mc + mc / 2 {
        let blocks = m.div_ceil(mc);
        let mut done = 0;
        for b in 0..blocks {
            let rows = ((m - done) / (blocks - b)).next_multiple_of(super::tune(4).max(1)).min(m - done);
            unsafe { multiply2(target, operands.at(done, 0), rows, n) };
            done += rows;
        }
        return;
    }
    unsafe { multiply2(target, operands, m, n) };
}
unsafe fn multiply2<T: Real>(target: Target, operands: Operands<T>, m: usize, n: usize) {

    let shape = target.shape::<T>();
    let vectors = n.div_ceil(shape.lanes);
    let size = match super::tune(0) { 0 => BLOCK, s => s };
    let blocks = if operands.k <= size + size / 2 { 1 } else { operands.k.div_ceil(size) };
    #[repr(align(64))]
    struct Scratch([core::mem::MaybeUninit<u8>; 128 * 1024]);
    let mut scratch = Scratch([core::mem::MaybeUninit::uninit(); 128 * 1024]);
    let tiles = m.div_ceil(shape.rows);
    let mut done = 0;
    for block in 0..blocks {
        let k = (operands.k - done) / (blocks - block);
        let part = operands.steps(done, k);
        let mut v = 0;
        while v < vectors {
            let width = match vectors - v {
                4.. if m <= shape.few => 4,
                2.. if shape.pairs => 2,
                _ => 1,
            };
            // SAFETY: width ≤ vectors − v.
            let mut o = part.at(0, v * shape.lanes);
            if super::tune(1) > 0 && v + width < vectors {
                o.ahead = part.b.wrapping_add((v + width) * shape.lanes);
                o.ahead_row = o.b_row;
                o.ahead_steps = k.div_ceil(tiles);
            }
            if super::tune(2) > 0 {
                let to = scratch.0.as_mut_ptr().cast::<T>();
                unsafe { if width == 2 { target.run(super::tile::Pack::<T, 2> { k, from: o.b, row: o.b_row, to }) } else { target.run(super::tile::Pack::<T, 1> { k, from: o.b, row: o.b_row, to }) } };
                o.b = to; o.b_row = width * shape.lanes;
            }
            unsafe { strip(target, o, m, width, shape.rows) };
            v += width;
        }
        done += k;
    }
    let (done, all) = (vectors * shape.lanes, padded::<T>(n));
    if done < all {
        let region = Region { rows: m, columns: all - done, stride: operands.c_row };
        // SAFETY: between the last column and the end of its line.
        unsafe { map_region(target, operands.c.add(done), region, Zero) };
    }
}

/// All m rows of a strip `width` vectors wide, split evenly into tiles of at most `rows`.
///
/// # Safety
/// As [`multiply`].
unsafe fn strip<T: Real>(target: Target, operands: Operands<T>, m: usize, width: usize, rows: usize) {
    let count = m.div_ceil(rows);
    let (height, taller) = (m / count, m % count);
    // SAFETY: taller · (height + 1) + (count − taller) · height = m rows.
    unsafe {
        if taller > 0 {
            tiles(target, operands, taller, height + 1, width);
        }
        tiles(target, operands.at(taller * (height + 1), 0), count - taller, height, width);
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
