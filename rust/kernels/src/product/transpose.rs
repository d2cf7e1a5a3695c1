//! The transpose of a matrix, in blocks of a line by a line.

use crate::isa::Kernel;
use crate::pool::{self, Cut, FLOPS_A_NUMBER};
use crate::vector::Raw;
use crate::{Machine, Matrix, MatrixMut, Real, padded};
use std::mem::MaybeUninit;
use std::ops::Range;

/// `to[j][i] = from[i][j]`; the padding of `to` becomes 0.
///
/// # Panics
/// Unless `to` has the shape of the transpose of `from`.
pub fn transpose<T: Real>(machine: Machine, from: Matrix<T>, mut to: MatrixMut<T>) {
    assert_eq!((from.rows(), from.columns()), (to.columns(), to.rows()), "not the shape of the transpose");
    let (shape, to) = ((from.rows(), from.columns()), (to.data_mut().as_mut_ptr(), to.stride()));
    let kernel = || Transpose::new(shape, (from.data().as_ptr(), from.stride()), to);
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new).
    unsafe { pool::run(machine, from.rows() * from.columns() * FLOPS_A_NUMBER, kernel) }
}

#[derive(Clone, Copy)]
pub(crate) struct Transpose<T> {
    rows: usize,
    columns: usize,
    from: *const T,
    from_stride: usize,
    to: *mut T,
    to_stride: usize,
}

// SAFETY: a part writes rows of `to` of its own.
unsafe impl<T: Real> Cut for Transpose<T> {
    type Out = ();

    fn units(&self) -> usize {
        self.columns.div_ceil(T::LINE)
    }

    fn part(self, units: Range<usize>) -> Self {
        let column = units.start * T::LINE;
        Transpose {
            columns: (units.end * T::LINE).min(self.columns) - column,
            from: self.from.wrapping_add(column),
            to: self.to.wrapping_add(column * self.to_stride),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }
}

impl<T: Real> Kernel<T> for Transpose<T> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        for i in (0..padded::<T>(self.rows)).step_by(T::LINE) {
            for j in (0..self.columns).step_by(T::LINE) {
                let whole = i + T::LINE <= self.rows && j + T::LINE <= self.columns;
                // SAFETY: inside both matrices: `from` is read at rows < rows and columns < columns, `to` is written at
                // rows < columns and inside its padded columns.
                unsafe { if whole { self.line::<V>(i, j) } else { self.edge::<V>(i, j) } }
            }
        }
    }
}

impl<T: Real> Transpose<T> {
    /// For (rows, columns) numbers of `from`, and the strides of both.
    #[inline(always)]
    pub(crate) fn new(
        (rows, columns): (usize, usize),
        (from, from_stride): (*const T, usize),
        (to, to_stride): (*mut T, usize),
    ) -> Self {
        Transpose { rows, columns, from, from_stride, to, to_stride }
    }

    /// A block of a line by a line.
    ///
    /// # Safety
    /// The block is inside both matrices, and the CPU has V's instructions.
    #[inline(always)]
    unsafe fn line<V: Raw<Scalar = T>>(&self, i: usize, j: usize) {
        for y in (j..j + T::LINE).step_by(V::LANES) {
            for x in (i..i + T::LINE).step_by(V::LANES) {
                // SAFETY: inside the block that the caller promises.
                unsafe {
                    let from = self.from.add(x * self.from_stride + y);
                    V::transpose(from, self.from_stride, self.to.add(y * self.to_stride + x), self.to_stride);
                }
            }
        }
    }

    /// The same for a block in which the matrix ends: through two blocks on the stack, with zeros for missing rows.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn edge<V: Raw<Scalar = T>>(&self, i: usize, j: usize) {
        let (mut from, mut to) = (MaybeUninit::<Block<T>>::uninit(), MaybeUninit::<Block<T>>::uninit());
        let (from, to) = (from.as_mut_ptr().cast::<T>(), to.as_mut_ptr().cast::<T>());
        let (rows, columns) = (T::LINE.min(self.rows.saturating_sub(i)), T::LINE.min(self.columns - j));
        // SAFETY: rows i .. i + rows of `from` are read up to the end of their padded columns, rows j .. j + columns of
        // `to` are written inside theirs; the blocks hold a line by a line, and are written before they are read.
        unsafe {
            for x in 0..T::LINE {
                let row = self.from.wrapping_add((i + x) * self.from_stride + j);
                for y in (0..T::LINE).step_by(V::LANES) {
                    let part = if x < rows { V::load(row.add(y)) } else { V::splat(T::ZERO) };
                    part.store(from.add(x * 16 + y));
                }
            }
            for y in (0..columns).step_by(V::LANES) {
                for x in (0..T::LINE).step_by(V::LANES) {
                    V::transpose(from.add(x * 16 + y), 16, to.add(y * 16 + x), 16);
                }
            }
            for y in 0..columns {
                for x in (0..T::LINE).step_by(V::LANES) {
                    V::load(to.add(y * 16 + x)).store(self.to.add((j + y) * self.to_stride + i + x));
                }
            }
        }
    }
}

/// Room for a line by a line of either type, aligned: a vector that crosses two lines of the cache takes twice as long.
#[repr(align(64))]
struct Block<T> {
    _rows: [[T; 16]; 16],
}
