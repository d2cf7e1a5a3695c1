//! Losses of outputs in columns: matrices are (k, n) for k outputs and n rows of the batch. All numbers of a row are in
//! one lane, so a vector computes many rows at once, which pays for few outputs. What a lane computes depends on its
//! column alone.

use crate::isa::Kernel;
use crate::math;
use crate::pool::{self, Cut, FLOPS_A_NUMBER};
use crate::vector::Raw;
use crate::{Machine, Matrix, MatrixMut, Real, Term, padded};
use std::ops::Range;

/// `loss[i] = ln Σ_j exp(z[j][i]) − z[label][i]` with `label = labels[i]`, and its derivative times scale,
/// `d[j][i] = scale[i] (exp(z[j][i]) / Σ_k exp(z[k][i]) − [j = label])`. For z and d of (k, n), k ≥ 1.
///
/// With `c = max_j z[j][i]`, ln Σ exp(z) = c + ln Σ exp(z − c): the largest term is exp(0), nothing overflows. A column
/// that holds NaN or +∞, or only −∞, gives NaN. Writes the whole padded rows of d. Labels ≥ k match no output.
///
/// # Panics
/// Unless z and d have the same shape, there are n labels, and `scale` and `loss` hold `padded(n)` numbers.
pub fn cross_entropy<T: Real>(
    machine: Machine,
    z: Matrix<T>,
    labels: &[u32],
    scale: &[T],
    mut d: MatrixMut<T>,
    loss: &mut [T],
) {
    assert_eq!((z.rows(), z.columns()), (d.rows(), d.columns()), "z and d differ in shape");
    assert_eq!(labels.len(), z.columns(), "not a label a column");
    let columns = padded::<T>(z.columns());
    assert!(z.rows() > 0, "no outputs");
    assert!(scale.len() >= columns && loss.len() >= columns, "a scale or losses shorter than {columns}");
    let (d, loss) = ((d.data_mut().as_mut_ptr(), d.stride()), loss.as_mut_ptr());
    let (from, labels) = ((z.data().as_ptr(), z.stride()), (labels.as_ptr(), labels.len()));
    let kernel = || CrossEntropy::new((z.rows(), columns), from, labels, scale.as_ptr(), d, loss);
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new); the rest is checked.
    unsafe { pool::run(machine, z.rows() * columns * 4 * FLOPS_A_NUMBER, kernel) }
}

/// (l, s) = term(a, y) for each element, then `loss[i] = Σ_j l[j][i]` and `d[j][i] = s[j][i] scale[i]`, for a, y and d
/// of (k, n). Writes the whole padded rows of d.
///
/// # Panics
/// Unless a, y and d have the same shape and `scale` and `loss` hold `padded(n)` numbers.
pub fn terms<T: Real>(
    machine: Machine,
    a: Matrix<T>,
    y: Matrix<T>,
    scale: &[T],
    mut d: MatrixMut<T>,
    loss: &mut [T],
    term: impl Term,
) {
    assert_eq!((a.rows(), a.columns()), (y.rows(), y.columns()), "a and y differ in shape");
    assert_eq!((a.rows(), a.columns()), (d.rows(), d.columns()), "a and d differ in shape");
    let columns = padded::<T>(a.columns());
    assert!(scale.len() >= columns && loss.len() >= columns, "a scale or losses shorter than {columns}");
    let (d, loss) = ((d.data_mut().as_mut_ptr(), d.stride()), loss.as_mut_ptr());
    let (from, y) = ((a.data().as_ptr(), a.stride()), (y.data().as_ptr(), y.stride()));
    let kernel = || Terms::new((a.rows(), columns), from, y, scale.as_ptr(), d, loss, term);
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new); the rest is checked.
    unsafe { pool::run(machine, a.rows() * columns * 2 * FLOPS_A_NUMBER, kernel) }
}

/// `z[j][i] ← exp(z[j][i]) / Σ_k exp(z[k][i])` for z of (k, n), k ≥ 1, over whole padded rows; computed as in
/// [`cross_entropy`], with NaN in the same cases.
///
/// # Panics
/// If there are no rows.
pub fn softmax<T: Real>(machine: Machine, mut z: MatrixMut<T>) {
    let (rows, columns, stride) = (z.rows(), padded::<T>(z.columns()), z.stride());
    assert!(rows > 0, "no outputs");
    let z = z.data_mut().as_mut_ptr();
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new).
    unsafe { pool::run(machine, rows * columns * 4 * FLOPS_A_NUMBER, || Softmax { rows, columns, z, stride }) }
}

#[derive(Clone, Copy)]
struct Softmax<T> {
    rows: usize,
    columns: usize,
    z: *mut T,
    stride: usize,
}

// SAFETY: a part writes lines of its own.
unsafe impl<T: Real> Cut for Softmax<T> {
    type Out = ();

    fn units(&self) -> usize {
        self.columns / T::LINE
    }

    fn part(self, units: Range<usize>) -> Self {
        Softmax { columns: units.len() * T::LINE, z: self.z.wrapping_add(units.start * T::LINE), ..self }
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
        for i in (0..self.columns).step_by(V::LANES) {
            // SAFETY: the vector at i is inside every padded row (`softmax` checked).
            unsafe {
                let sum = exponentials::<V>(self.rows, (self.z.add(i), self.stride), (self.z.add(i), self.stride)).1;
                let share = V::splat(T::ONE) / sum;
                for j in 0..self.rows {
                    let p = self.z.add(j * self.stride + i);
                    (V::load(p) * share).store(p);
                }
            }
        }
    }
}

/// Writes exp(z − c) of a vector of columns to `e`, which may be z. Returns c = max z, and the sum.
///
/// # Safety
/// The vectors are there for all rows, of which there is at least one, and the CPU has V's instructions.
#[inline(always)]
unsafe fn exponentials<V: Raw>(
    rows: usize,
    (z, z_stride): (*const V::Scalar, usize),
    (e, e_stride): (*mut V::Scalar, usize),
) -> (V, V) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut top = V::load(z);
        for j in 1..rows {
            top = top.max(V::load(z.add(j * z_stride)));
        }
        let mut sum = V::splat(V::Scalar::ZERO);
        for j in 0..rows {
            let term = math::exp(V::load(z.add(j * z_stride)) - top);
            term.store(e.add(j * e_stride));
            sum = sum + term;
        }
        (top, sum)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct CrossEntropy<T> {
    rows: usize,
    columns: usize,
    z: *const T,
    z_stride: usize,
    labels: *const u32,
    n_labels: usize,
    scale: *const T,
    d: *mut T,
    d_stride: usize,
    loss: *mut T,
}

// SAFETY: a part writes lines of d and losses of its own.
unsafe impl<T: Real> Cut for CrossEntropy<T> {
    type Out = ();

    fn units(&self) -> usize {
        self.columns / T::LINE
    }

    fn part(self, units: Range<usize>) -> Self {
        let at = units.start * T::LINE;
        CrossEntropy {
            columns: units.len() * T::LINE,
            z: self.z.wrapping_add(at),
            labels: self.labels.wrapping_add(at),
            n_labels: self.n_labels - at,
            scale: self.scale.wrapping_add(at),
            d: self.d.wrapping_add(at),
            loss: self.loss.wrapping_add(at),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }
}

impl<T: Real> Kernel<T> for CrossEntropy<T> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        // One of the k exponentials is 1 and none is larger, so their sum is between 1 and k.
        let halvings = usize::BITS - (self.rows - 1).leading_zeros();
        for i in (0..self.columns).step_by(V::LANES) {
            // SAFETY: the vector at i is inside every padded row, and inside `scale` and `loss`; n_labels labels are
            // there (`cross_entropy` checked).
            unsafe {
                let (z, d) = (self.z.add(i), self.d.add(i));
                let (top, sum) = exponentials::<V>(self.rows, (z, self.z_stride), (d, self.d_stride));
                let (label, scale) = (self.label::<V>(i), V::load(self.scale.add(i)));
                let share = scale / sum;
                let mut own = V::splat(T::ZERO);
                for j in 0..self.rows {
                    let (z, d) = (z.add(j * self.z_stride), d.add(j * self.d_stride));
                    let p = V::load(d) * share;
                    let is_own = label.eq(label.like(j as f64));
                    own = V::select(is_own, V::load(z), own);
                    V::select(is_own, p - scale, p).store(d);
                }
                (top + math::ln(sum, halvings) - own).store(self.loss.add(i));
            }
        }
    }
}

impl<T> CrossEntropy<T> {
    /// For (rows, whole lines of columns) of z and d, each with its stride, and the labels with their number.
    #[inline(always)]
    pub(crate) fn new(
        (rows, columns): (usize, usize),
        (z, z_stride): (*const T, usize),
        (labels, n_labels): (*const u32, usize),
        scale: *const T,
        (d, d_stride): (*mut T, usize),
        loss: *mut T,
    ) -> Self {
        CrossEntropy { rows, columns, z, z_stride, labels, n_labels, scale, d, d_stride, loss }
    }
}

impl<T: Real> CrossEntropy<T> {
    /// The labels of a vector of columns, −1 beyond the last row of the batch.
    ///
    /// # Safety
    /// `n_labels` labels are readable, and the CPU has V's instructions.
    #[inline(always)]
    unsafe fn label<V: Raw<Scalar = T>>(&self, i: usize) -> V {
        let mut lanes = [T::ZERO - T::ONE; 16];
        // SAFETY: only the first n_labels labels are read, and no vector has more than 16 lanes.
        unsafe {
            if i + V::LANES <= self.n_labels {
                for (j, lane) in lanes.iter_mut().enumerate().take(V::LANES) {
                    *lane = T::from_f64(f64::from(*self.labels.add(i + j)));
                }
            } else {
                for (j, lane) in lanes.iter_mut().enumerate().take(self.n_labels.saturating_sub(i)) {
                    *lane = T::from_f64(f64::from(*self.labels.add(i + j)));
                }
            }
            V::load(lanes.as_ptr())
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Terms<T, F> {
    rows: usize,
    columns: usize,
    a: *const T,
    a_stride: usize,
    y: *const T,
    y_stride: usize,
    scale: *const T,
    d: *mut T,
    d_stride: usize,
    loss: *mut T,
    term: F,
}

impl<T, F> Terms<T, F> {
    /// For (rows, whole lines of columns) of a, y and d, each with its stride.
    #[inline(always)]
    pub(crate) fn new(
        (rows, columns): (usize, usize),
        (a, a_stride): (*const T, usize),
        (y, y_stride): (*const T, usize),
        scale: *const T,
        (d, d_stride): (*mut T, usize),
        loss: *mut T,
        term: F,
    ) -> Self {
        Terms { rows, columns, a, a_stride, y, y_stride, scale, d, d_stride, loss, term }
    }
}

// SAFETY: a part writes lines of d and losses of its own.
unsafe impl<T: Real, F: Term> Cut for Terms<T, F> {
    type Out = ();

    fn units(&self) -> usize {
        self.columns / T::LINE
    }

    fn part(self, units: Range<usize>) -> Self {
        let at = units.start * T::LINE;
        Terms {
            columns: units.len() * T::LINE,
            a: self.a.wrapping_add(at),
            y: self.y.wrapping_add(at),
            scale: self.scale.wrapping_add(at),
            d: self.d.wrapping_add(at),
            loss: self.loss.wrapping_add(at),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }
}

impl<T: Real, F: Term> Kernel<T> for Terms<T, F> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        for i in (0..self.columns).step_by(V::LANES) {
            // SAFETY: the vector at i is inside every padded row, and inside `scale` and `loss` (`terms` checked).
            unsafe {
                let scale = V::load(self.scale.add(i));
                let mut loss = V::splat(T::ZERO);
                for j in 0..self.rows {
                    let (a, y) = (self.a.add(j * self.a_stride + i), self.y.add(j * self.y_stride + i));
                    let (l, slope) = self.term.term(V::load(a), V::load(y));
                    loss = loss + l;
                    (slope * scale).store(self.d.add(j * self.d_stride + i));
                }
                loss.store(self.loss.add(i));
            }
        }
    }
}
