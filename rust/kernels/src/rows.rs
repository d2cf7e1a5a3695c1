//! Softmax with log Σ exp row by row, and the sums of columns and of rows.
//!
//! The order of a sum depends on the shape of the data alone, never on the instruction set or on the batch.

use crate::isa::Kernel;
use crate::math;
use crate::pool::{self, Cut, FLOPS_A_NUMBER};
use crate::vector::Raw;
use crate::{Machine, Matrix, MatrixMut, Real, padded};
use std::ops::Range;

/// p = exp(z − c) / Σ exp(z − c) row by row, and `log_sum_exp` = c + ln Σ exp(z − c), with c = max z: the largest term
/// is exp(0), nothing overflows.
///
/// The padding of z is ignored, that of p becomes 0. The sum of a row is [`Real::LINE`] interleaved partial sums, then
/// folded by halves, on every instruction set. A row that holds NaN or +∞, or only −∞, gives NaN.
///
/// # Panics
/// Unless z and p have the same shape and `log_sum_exp` has a number for each row.
pub fn softmax<T: Real>(machine: Machine, z: Matrix<T>, mut p: MatrixMut<T>, log_sum_exp: &mut [T]) {
    assert_eq!((z.rows(), z.columns()), (p.rows(), p.columns()), "z and p differ in shape");
    assert!(log_sum_exp.len() >= z.rows(), "{} sums for {} rows", log_sum_exp.len(), z.rows());
    let (p_stride, p_data, sums) = (p.stride(), p.data_mut().as_mut_ptr(), log_sum_exp.as_mut_ptr());
    let kernel = || Softmax {
        rows: z.rows(),
        columns: z.columns(),
        z: z.data().as_ptr(),
        z_stride: z.stride(),
        p_stride,
        p: p_data,
        sums,
    };
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new); the sums are checked.
    unsafe { pool::run(machine, z.rows() * z.columns() * 4 * FLOPS_A_NUMBER, kernel) }
}

/// `out[j] = Σ_i m[i][j]`, or `out[j] + Σ_i m[i][j]` where `accumulate`: one chain a column, rows
/// ascending. Returns Σ m², summed in any order.
///
/// # Panics
/// If `out` is shorter than the padded columns.
pub fn column_sums<T: Real>(machine: Machine, m: Matrix<T>, accumulate: bool, out: &mut [T]) -> T {
    let columns = padded::<T>(m.columns());
    assert!(out.len() >= columns, "{} sums for {columns} padded columns", out.len());
    let out = out.as_mut_ptr();
    let kernel = || ColumnSums { rows: m.rows(), columns, m: m.data().as_ptr(), stride: m.stride(), accumulate, out };
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new); `out` is checked.
    unsafe { pool::run(machine, m.rows() * columns * FLOPS_A_NUMBER / 2, kernel) }
}

/// `out[i] = Σ_j m[i][j]`, or `out[i] + Σ_j m[i][j]` where `accumulate`: one chain a row, columns ascending, the bits
/// of [`column_sums`] of the transpose. Returns Σ m², summed in any order, with the padding but without the numbers
/// between the padding and the next row. For matrices of few rows.
///
/// # Panics
/// If `out` has fewer numbers than m has rows.
pub fn row_sums<T: Real>(machine: Machine, m: Matrix<T>, accumulate: bool, out: &mut [T]) -> T {
    assert!(out.len() >= m.rows(), "{} sums for {} rows", out.len(), m.rows());
    let (shape, from) = ((m.rows(), m.columns()), (m.data().as_ptr(), m.stride()));
    let kernel = RowSums::new(shape, from, accumulate, out.as_mut_ptr());
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new); `out` is checked.
    unsafe { machine.run(kernel) }
}

#[derive(Clone, Copy)]
struct Softmax<T> {
    rows: usize,
    columns: usize,
    z: *const T,
    z_stride: usize,
    p: *mut T,
    p_stride: usize,
    sums: *mut T,
}

/// The vectors in a line, if they have 16 bytes.
pub(crate) const MAX_VECTORS_A_LINE: usize = 4;

// SAFETY: a part writes rows of p, and their sums, of its own.
unsafe impl<T: Real> Cut for Softmax<T> {
    type Out = ();

    fn units(&self) -> usize {
        self.rows
    }

    fn part(self, units: Range<usize>) -> Self {
        Softmax {
            rows: units.len(),
            z: self.z.wrapping_add(units.start * self.z_stride),
            p: self.p.wrapping_add(units.start * self.p_stride),
            sums: self.sums.wrapping_add(units.start),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }
}

impl<T: Real> Kernel<T> for Softmax<T> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        let parts = T::LINE / V::LANES;
        let mut index = [T::ZERO; 16];
        for (i, x) in index.iter_mut().enumerate() {
            *x = T::from_f64(i as f64);
        }
        // SAFETY: every address is a whole vector inside a padded row, for i < rows and j < columns (`softmax` checked
        // the shapes); `index` holds a line.
        unsafe {
            let lowest = V::splat(T::from_f64(f64::NEG_INFINITY));
            for i in 0..self.rows {
                let z = self.z.add(i * self.z_stride);
                let p = self.p.add(i * self.p_stride);
                // True in the lanes of vector v of the line at j that are columns and not padding.
                let real = |j: usize, v: usize| {
                    V::splat(T::from_f64((self.columns - j) as f64)).gt(V::load(index.as_ptr().add(v * V::LANES)))
                };
                let mut top = [lowest; MAX_VECTORS_A_LINE];
                for j in (0..self.columns).step_by(T::LINE) {
                    for (v, top) in top.iter_mut().enumerate().take(parts) {
                        *top = top.max(V::select(real(j, v), V::load(z.add(j + v * V::LANES)), lowest));
                    }
                }
                let c = fold(top, |x, y| x.max(y), |x, y| if y > x { y } else { x });
                let mut sum = [V::splat(T::ZERO); MAX_VECTORS_A_LINE];
                for j in (0..self.columns).step_by(T::LINE) {
                    for (v, sum) in sum.iter_mut().enumerate().take(parts) {
                        let e = math::exp(V::load(z.add(j + v * V::LANES)) - V::splat(c));
                        let e = V::select(real(j, v), e, V::splat(T::ZERO));
                        e.store(p.add(j + v * V::LANES));
                        *sum = *sum + e;
                    }
                }
                let sum = fold(sum, |x, y| x + y, |x, y| x + y);
                for j in (0..self.columns).step_by(T::LINE) {
                    for v in 0..parts {
                        // The padding is selected, not computed: 0 / NaN would be NaN.
                        let p = p.add(j + v * V::LANES);
                        V::select(real(j, v), V::load(p) / V::splat(sum), V::splat(T::ZERO)).store(p);
                    }
                }
                *self.sums.add(i) = c + T::from_f64(math::ln_f64(sum.to_f64()));
            }
        }
    }
}

/// One number from a line of numbers: the upper half is combined with the lower until one is left, the same tree for
/// every width of vector.
#[inline(always)]
pub(crate) fn fold<V: Raw>(
    mut parts: [V; MAX_VECTORS_A_LINE],
    vectors: impl Fn(V, V) -> V,
    lanes: impl Fn(V::Scalar, V::Scalar) -> V::Scalar,
) -> V::Scalar {
    let mut half = V::Scalar::LINE / V::LANES / 2;
    while half > 0 {
        for v in 0..half {
            parts[v] = vectors(parts[v], parts[v + half]);
        }
        half /= 2;
    }
    let mut x = [V::Scalar::ZERO; 16];
    // SAFETY: no vector has more than 16 lanes; a value proves the CPU.
    unsafe { parts[0].store(x.as_mut_ptr()) };
    let mut half = V::LANES / 2;
    while half > 0 {
        for i in 0..half {
            x[i] = lanes(x[i], x[i + half]);
        }
        half /= 2;
    }
    x[0]
}

#[derive(Clone, Copy)]
struct ColumnSums<T> {
    rows: usize,
    columns: usize,
    m: *const T,
    stride: usize,
    accumulate: bool,
    out: *mut T,
}

// SAFETY: a part writes sums of its own.
unsafe impl<T: Real> Cut for ColumnSums<T> {
    type Out = T;

    fn units(&self) -> usize {
        self.columns / T::LINE
    }

    fn part(self, units: Range<usize>) -> Self {
        let column = units.start * T::LINE;
        ColumnSums {
            columns: units.len() * T::LINE,
            m: self.m.wrapping_add(column),
            out: self.out.wrapping_add(column),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) -> T {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }

    fn join(one: T, other: T) -> T {
        one + other
    }
}

impl<T: Real> Kernel<T> for ColumnSums<T> {
    type Out = T;
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) -> T {
        let mut j = 0;
        // SAFETY: the vectors from j on are inside every padded row and inside `out` (`column_sums` checked).
        unsafe {
            let mut squares = V::splat(T::ZERO);
            // Up to four chains at a time, so that no addition waits for the one before.
            while j < self.columns {
                let vectors = ((self.columns - j) / V::LANES).min(4);
                squares = match vectors {
                    1 => self.strip::<V, 1>(j, squares),
                    2 => self.strip::<V, 2>(j, squares),
                    3 => self.strip::<V, 3>(j, squares),
                    _ => self.strip::<V, 4>(j, squares),
                };
                j += vectors * V::LANES;
            }
            squares.sum()
        }
    }
}

impl<T: Real> ColumnSums<T> {
    /// Writes the sums of W vectors from column j on. Returns `squares` plus the squares of their numbers.
    ///
    /// # Safety
    /// The vectors are inside every padded row and inside `out`, and the CPU has V's instructions.
    #[inline(always)]
    unsafe fn strip<V: Raw<Scalar = T>, const W: usize>(&self, j: usize, squares: V) -> V {
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [V::splat(T::ZERO); W];
            let mut square = [V::splat(T::ZERO); W];
            for i in 0..self.rows {
                let row = self.m.add(i * self.stride + j);
                for (v, (sum, square)) in sums.iter_mut().zip(&mut square).enumerate() {
                    let x = V::load(row.add(v * V::LANES));
                    *sum = *sum + x;
                    *square = x.fma(x, *square);
                }
            }
            for (v, sum) in sums.into_iter().enumerate() {
                let out = self.out.add(j + v * V::LANES);
                (if self.accumulate { V::load(out) + sum } else { sum }).store(out);
            }
            square.into_iter().fold(squares, |squares, square| squares + square)
        }
    }
}

pub(crate) struct RowSums<T> {
    rows: usize,
    columns: usize,
    m: *const T,
    stride: usize,
    accumulate: bool,
    out: *mut T,
}

impl<T: Real> Kernel<T> for RowSums<T> {
    type Out = T;
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) -> T {
        let mut i = 0;
        // SAFETY: `chains` reads no row beyond the last (`row_sums` checked the rest).
        unsafe {
            while i < self.rows {
                let left = self.rows - i;
                match left {
                    1..=4 => self.chains::<4>(i),
                    5..=12 => self.chains::<12>(i),
                    _ => self.chains::<16>(i),
                }
                i += left.min(if left <= 12 { 12 } else { 16 });
            }
            let mut squares = V::splat(T::ZERO);
            for i in 0..self.rows {
                for j in (0..padded::<T>(self.columns)).step_by(V::LANES) {
                    let x = V::load(self.m.add(i * self.stride + j));
                    squares = x.fma(x, squares);
                }
            }
            squares.sum()
        }
    }
}

impl<T: Real> RowSums<T> {
    /// For (rows, columns) of m, with its stride.
    #[inline(always)]
    pub(crate) fn new(
        (rows, columns): (usize, usize),
        (m, stride): (*const T, usize),
        accumulate: bool,
        out: *mut T,
    ) -> Self {
        RowSums { rows, columns, m, stride, accumulate, out }
    }

    /// The sums of up to H rows from row i on, all at a time: in one row each addition waits for the one before.
    ///
    /// # Safety
    /// Row i is there.
    #[inline(always)]
    unsafe fn chains<const H: usize>(&self, i: usize) {
        let last = self.rows - 1;
        // SAFETY: no row beyond the last is read, and no column beyond the last.
        unsafe {
            let rows: [*const T; H] = std::array::from_fn(|r| self.m.add((i + r).min(last) * self.stride));
            let mut sums = [T::ZERO; H];
            for j in 0..self.columns {
                for (sum, row) in sums.iter_mut().zip(rows) {
                    *sum += *row.add(j);
                }
            }
            for (r, sum) in sums.into_iter().enumerate().take(self.rows - i) {
                let out = self.out.add(i + r);
                *out = if self.accumulate { *out + sum } else { sum };
            }
        }
    }
}
