//! The register tile: H rows × W vectors of C held in registers while k runs.
//!
//! ```text
//! c[i][j..] = start[i][j..] + Σ_k a[i][k] b[k][j..]     one fused chain an element, k ascending
//! ```
//!
//! The only form of product there is: a(i, k) is a number broadcast from any two strides, b(k, j..) a contiguous vector.

use crate::Real;
use crate::target::{Kernel, Target};
use crate::vector::Raw;

/// Where the operands of some tiles lie, and how long the chain is.
#[derive(Clone, Copy)]
pub(super) struct Operands<T> {
    /// a(i, k) = a[i * a_row + k * a_step].
    pub(super) a: *const T,
    pub(super) a_row: usize,
    pub(super) a_step: usize,
    /// From the a of a tile to that of the next one: its height · a_row, unless a is packed.
    pub(super) a_tile: usize,
    /// b(k, j) = b[k * b_row + j].
    pub(super) b: *const T,
    pub(super) b_row: usize,
    /// Where a chain starts: start[i * start_row + j * start_column], start_column 1, or 0 for one vector everywhere.
    pub(super) start: *const T,
    pub(super) start_row: usize,
    pub(super) start_column: usize,
    /// c(i, j) = c[i * c_row + j].
    pub(super) c: *mut T,
    pub(super) c_row: usize,
    /// Length of the chain.
    pub(super) k: usize,
    /// The part of b that is needed next: each tile asks for `ahead_steps` lines of it, `b_row` apart.
    pub(super) ahead: *const T,
    pub(super) ahead_steps: usize,
}

impl<T> Operands<T> {
    /// The same from row i and column j on.
    #[inline(always)]
    pub(super) fn at(mut self, i: usize, j: usize) -> Self {
        self.a = self.a.wrapping_add(i * self.a_row);
        self.b = self.b.wrapping_add(j);
        self.start = self.start.wrapping_add(i * self.start_row + j * self.start_column);
        self.c = self.c.wrapping_add(i * self.c_row + j);
        self
    }

    /// `k` steps of the chain after the first `done`, going on from c where some are done.
    #[inline(always)]
    pub(super) fn steps(mut self, done: usize, k: usize) -> Self {
        self.a = self.a.wrapping_add(done * self.a_step);
        self.b = self.b.wrapping_add(done * self.b_row);
        if done > 0 {
            (self.start, self.start_row, self.start_column) = (self.c, self.c_row, 1);
        }
        self.k = k;
        self
    }
}

/// The tiles that pay on a target.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Numbers in a vector.
    pub(super) lanes: usize,
    /// Rows of the largest tile that is 2 (`pairs`) or 1 vectors wide.
    pub(super) rows: usize,
    /// Whether the main tile is two vectors wide.
    pub(super) pairs: bool,
    /// Rows of the largest tile that is 4 vectors wide, for few rows.
    pub(super) few: usize,
}

impl Shape {
    pub(crate) fn of<V: Raw>() -> Self {
        Shape { lanes: V::LANES, rows: V::ROWS, pairs: V::PAIRS, few: V::FEW }
    }
}

/// Tiles of H rows × W vectors: `count` of them one below the other, in `strips` such strips side by side.
struct Tiles<'a, T, const H: usize, const W: usize> {
    operands: &'a Operands<T>,
    count: usize,
    strips: usize,
}

impl<T: Real, const H: usize, const W: usize> Kernel<T> for Tiles<'_, T, H, W> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        // Other shapes are never asked for on this target: do not compile them.
        if !(H <= V::FEW && W == 4 || H <= V::ROWS && (W == 1 || W == 2 && V::PAIRS)) {
            return;
        }
        for strip in 0..self.strips {
            let mut o = self.operands.at(0, strip * W * V::LANES);
            for _ in 0..self.count {
                // SAFETY: the caller promises count · H rows and strips · W vectors of every operand, for all k.
                unsafe {
                    let mut c = [[V::splat(T::ZERO); W]; H];
                    for (i, row) in c.iter_mut().enumerate() {
                        for (v, c) in row.iter_mut().enumerate() {
                            *c = V::load(o.start.add(i * o.start_row + v * V::LANES * o.start_column));
                        }
                    }
                    if o.ahead_steps > 0 {
                        for step in 0..o.ahead_steps {
                            V::prefetch(o.ahead.wrapping_add(step * o.b_row));
                        }
                        // And the next tile's part of c, where its chains go on: 2 to 4 %.
                        for i in H..2 * H {
                            V::prefetch(o.c.wrapping_add(i * o.c_row));
                        }
                    }
                    let (mut a, mut b) = (o.a, o.b);
                    for _ in 0..o.k {
                        let mut vectors = [V::splat(T::ZERO); W];
                        for (v, vector) in vectors.iter_mut().enumerate() {
                            *vector = V::load(b.add(v * V::LANES));
                        }
                        for (i, row) in c.iter_mut().enumerate() {
                            let broadcast = V::splat(*a.add(i * o.a_row));
                            for (c, vector) in row.iter_mut().zip(vectors) {
                                *c = broadcast.fma(vector, *c);
                            }
                        }
                        a = a.wrapping_add(o.a_step);
                        b = b.wrapping_add(o.b_row);
                    }
                    for (i, row) in c.into_iter().enumerate() {
                        for (v, c) in row.into_iter().enumerate() {
                            c.store(o.c.add(i * o.c_row + v * V::LANES));
                        }
                    }
                }
                o.a = o.a.wrapping_add(o.a_tile);
                o.start = o.start.wrapping_add(H * o.start_row);
                o.c = o.c.wrapping_add(H * o.c_row);
                o.ahead = o.ahead.wrapping_add(o.ahead_steps * o.b_row);
            }
        }
    }
}

/// `count` tiles of `height` rows and `width` vectors one below the other, in `strips` strips side by side.
///
/// # Safety
/// The operands are good for count · height rows, strips · width vectors and k steps; the shape is one of the target's.
#[inline]
pub(super) unsafe fn tiles<T: Real>(
    target: Target,
    operands: &Operands<T>,
    (count, height): (usize, usize),
    (strips, width): (usize, usize),
) {
    macro_rules! shapes {
        ($(($h:literal, $w:literal))*) => {
            match (height, width) {
                // SAFETY: the caller's promise.
                $(($h, $w) => unsafe { target.run(Tiles::<T, $h, $w> { operands, count, strips }) },)*
                _ => unreachable!("no tile of {height} rows and {width} vectors"),
            }
        };
    }
    shapes!((1, 1)(2, 1)(3, 1)(4, 1)(5, 1)(6, 1)(7, 1)(8, 1)(1, 2)(2, 2)(3, 2)(4, 2)(5, 2)(6, 2)(1, 4)(2, 4)(3, 4));
}
