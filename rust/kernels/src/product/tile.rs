//! The register tile: H rows × W vectors of sums held in registers while k runs.
//!
//! ```text
//! sum[i][j..] = start[i][j..] + Σ_k a[i][k] b[k][j..]     one fused chain an element, k ascending
//! ```
//!
//! All products have this form: a(i, k) is a number at any two strides, which is broadcast; b(k, j..) is a contiguous
//! vector.

use super::finish::Finish;
use crate::isa::Kernel;
use crate::vector::Raw;
use crate::{Machine, Real};

/// The operands of a product, and the length of its chains.
#[derive(Clone, Copy)]
pub(super) struct Operands<T> {
    /// a(i, k) = a[i * a_row + k * a_step].
    pub(super) a: *const T,
    pub(super) a_row: usize,
    pub(super) a_step: usize,
    /// b(k, j) = b[k * b_row + j].
    pub(super) b: *const T,
    pub(super) b_row: usize,
    /// The start of a chain: start[i * start_row + j] if `start_columns`, otherwise start[i * start_row] in every
    /// column.
    pub(super) start: *const T,
    pub(super) start_row: usize,
    pub(super) start_columns: bool,
    /// Rows and columns of the whole product, of which these operands may be a part.
    pub(super) whole: (usize, usize),
    /// Length of the chain.
    pub(super) k: usize,
    /// Rows of the next strip of b that each tile prefetches.
    pub(super) ahead: usize,
}

impl<T: Real> Operands<T> {
    /// The operands of the part that starts at row i and column j.
    pub(super) fn at(self, i: usize, j: usize) -> Self {
        let start = i * self.start_row + if self.start_columns { j } else { 0 };
        Operands {
            a: self.a.wrapping_add(i * self.a_row),
            b: self.b.wrapping_add(j),
            start: self.start.wrapping_add(start),
            ..self
        }
    }
}

/// `sums[r][v] + Σ_k a(r, k) b(k, v)`, one chain an element, k ascending: the inner loop of all products.
///
/// # Safety
/// a(r, k) = a[r · row + k · step] and W vectors from b[k · b_row] on are readable for r < H and all k. The CPU has V's
/// instructions.
#[inline(always)]
pub(crate) unsafe fn multiply<V: Raw, const H: usize, const W: usize>(
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
pub(crate) unsafe fn multiply_and_add<V: Raw, const H: usize, const W: usize>(
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

/// The width that means half a vector.
pub(super) const HALF: usize = 0;

/// `count` tiles of H rows × W vectors (or [`HALF`] a vector), one below the other, or side by side if `across`.
struct Tiles<'a, T, F, const H: usize, const W: usize> {
    operands: &'a Operands<T>,
    finish: &'a F,
    row: usize,
    column: usize,
    count: usize,
    across: bool,
}

impl<T: Real, F: Finish<T>, const H: usize, const W: usize> Kernel<T> for Tiles<'_, T, F, H, W> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        let rows = if F::LONG { V::TILE_ROWS_LONG } else { V::TILE_ROWS };
        // The driver never asks for other shapes with these vectors, so they are not compiled.
        if !(W == HALF && V::HALVES && (3..=rows).contains(&H)
            || W == 8 && H == 1 && V::TILE_ROWS_4_WIDE > 0 && !F::LONG
            || W == 4 && H <= V::TILE_ROWS_4_WIDE && !F::LONG
            || H <= rows && (W == 1 || (W == 2) && V::PAIRS || W == 3 && H > 5 && !V::PAIRS && !F::LONG))
        {
            return;
        }
        // SAFETY: the caller's promise; half a vector is inside a whole one, and the CPU has its instructions.
        unsafe { if W == HALF { self.go::<V::Half, 1>() } else { self.go::<V, W>() } }
    }
}

impl<T: Real, F: Finish<T>, const H: usize, const WIDTH: usize> Tiles<'_, T, F, H, WIDTH> {
    /// The tiles, W vectors wide.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn go<V: Raw<Scalar = T>, const W: usize>(self) {
        let (o, finish) = (*self.operands, *self.finish);
        let (mut i, mut j) = (self.row, self.column);
        let (down, right) = if F::LONG && self.across { (0, W * V::LANES) } else { (H, 0) };
        for _ in 0..self.count {
            let strip = o.b.wrapping_add(j);
            // SAFETY: the caller promises all tiles: of every operand and of the result, H rows from `row` on and W
            // vectors from `column` on, and `count` times as many rows, or vectors if `across`, for all k.
            unsafe {
                let mut sums = [[V::splat(T::ZERO); W]; H];
                for (r, sums) in sums.iter_mut().enumerate() {
                    let start = o.start.add((i + r) * o.start_row);
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = if o.start_columns { V::load(start.add(j + v * V::LANES)) } else { V::splat(*start) };
                    }
                }
                if o.ahead > 0 {
                    let first = i / H * o.ahead;
                    for step in first..(first + o.ahead).min(o.k) {
                        for v in 0..W {
                            V::prefetch_far(strip.wrapping_add(step * o.b_row + (W + v) * V::LANES));
                        }
                    }
                }
                for r in 0..H {
                    for v in 0..W {
                        finish.ahead::<V>(i + down + r, j + right + v * V::LANES);
                    }
                }
                let a = (o.a.add(i * o.a_row), o.a_row, o.a_step);
                let sums = multiply::<V, H, W>(sums, a, (strip, o.b_row), o.k);
                for (r, sums) in sums.into_iter().enumerate() {
                    for (v, sum) in sums.into_iter().enumerate() {
                        finish.done(sum, i + r, j + v * V::LANES);
                    }
                }
            }
            i += down;
            j += right;
        }
    }
}

/// `count` tiles of `height` rows and `width` vectors (or [`HALF`] a vector) from (row, column) on, one below the
/// other, or side by side if `across`.
///
/// # Safety
/// The operands and the result have all their rows, vectors and k steps. The instruction set has tiles of this shape.
#[inline]
pub(super) unsafe fn tiles<T: Real, F: Finish<T>>(
    machine: Machine,
    operands: &Operands<T>,
    finish: &F,
    (row, column): (usize, usize),
    (count, height): (usize, usize),
    width: usize,
    across: bool,
) {
    macro_rules! shapes {
        ($(($h:literal, $w:literal))*) => {
            match (height, width) {
                $(($h, $w) => {
                    let tiles = Tiles::<T, F, $h, $w> { operands, finish, row, column, count, across };
                    // SAFETY: the caller's promise.
                    unsafe { machine.run(tiles) }
                })*
                _ => unreachable!("no tile of {height} rows and {width} vectors"),
            }
        };
    }
    shapes!((1, 1)(2, 1)(3, 1)(4, 1)(5, 1)(6, 1)(7, 1)(8, 1)(1, 2)(2, 2)(3, 2)(4, 2)(5, 2)(6, 2)(6, 3)(7, 3)(8, 3)(
        1, 4
    )(2, 4)(3, 4)(1, 8)(3, 0)(4, 0)(5, 0)(6, 0)(7, 0)(8, 0));
}
