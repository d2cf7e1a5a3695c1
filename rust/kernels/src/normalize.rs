//! Layer normalization, row by row, and its way back.
//!
//! ```text
//! forward    x̂ = (x − mean(x)) r,  r = 1 / √(var(x) + eps),  a = gain ⊙ x̂ + shift
//! backward   d_x = r (g − mean(g) − x̂ mean(g ⊙ x̂)),  g = delta ⊙ gain
//! ```
//!
//! mean and var are over the units of a row. A row's sums run over [`Real::LINE`] interleaved partial sums, folded by halves,
//! on every instruction set; the variance is that of the centered numbers, so that no digits cancel. A row whose variance is
//! beyond the type's range becomes NaN.

use crate::isa::Kernel;
use crate::pool::{self, Cut, FLOPS_A_NUMBER};
use crate::rows::{MAX_VECTORS_A_LINE, fold};
use crate::vector::Raw;
use crate::{Machine, Matrix, MatrixMut, Real, padded};
use std::ops::Range;

/// x̂, a and the r of each row. The padding of x̂ and of a becomes 0.
///
/// # Panics
/// Unless x, x̂ and a have the same shape, gain and shift a number for each padded column, and `root` one for each row.
#[allow(clippy::too_many_arguments, reason = "three matrices, two tensors and a number a row")]
pub fn normalize<T: Real>(
    machine: Machine,
    x: Matrix<'_, T>,
    (gain, shift): (&[T], &[T]),
    eps: f64,
    mut x_hat: MatrixMut<'_, T>,
    root: &mut [T],
    mut a: MatrixMut<'_, T>,
) {
    let (rows, columns) = (x.rows(), x.columns());
    assert_eq!((x_hat.rows(), x_hat.columns()), (rows, columns), "x and x_hat differ in shape");
    assert_eq!((a.rows(), a.columns()), (rows, columns), "x and a differ in shape");
    assert!(gain.len().min(shift.len()) >= padded::<T>(columns), "a short gain or shift");
    assert!(root.len() >= rows, "{} roots for {rows} rows", root.len());
    let (x_hat_row, a_row) = (x_hat.stride(), a.stride());
    let (x_hat, a, root) = (x_hat.data_mut().as_mut_ptr(), a.data_mut().as_mut_ptr(), root.as_mut_ptr());
    let kernel = || Forward {
        rows,
        columns,
        x: x.data().as_ptr(),
        x_row: x.stride(),
        gain: gain.as_ptr(),
        shift: shift.as_ptr(),
        eps: T::from_f64(eps),
        x_hat,
        x_hat_row,
        root,
        a,
        a_row,
    };
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new); the rest is checked.
    unsafe { pool::run(machine, rows * columns * 3 * FLOPS_A_NUMBER, kernel) }
}

/// d_x from delta. Its padding becomes 0.
///
/// # Panics
/// Unless delta, x̂ and d_x have the same shape, gain a number for each padded column, and `root` one for each row.
pub fn normalize_back<T: Real>(
    machine: Machine,
    delta: Matrix<'_, T>,
    gain: &[T],
    x_hat: Matrix<'_, T>,
    root: &[T],
    mut d_x: MatrixMut<'_, T>,
) {
    let (rows, columns) = (delta.rows(), delta.columns());
    assert_eq!((x_hat.rows(), x_hat.columns()), (rows, columns), "delta and x_hat differ in shape");
    assert_eq!((d_x.rows(), d_x.columns()), (rows, columns), "delta and d_x differ in shape");
    assert!(gain.len() >= padded::<T>(columns) && root.len() >= rows, "a short gain or root");
    let (d_x_row, d_x) = (d_x.stride(), d_x.data_mut().as_mut_ptr());
    let kernel = || Backward {
        rows,
        columns,
        delta: delta.data().as_ptr(),
        delta_row: delta.stride(),
        gain: gain.as_ptr(),
        x_hat: x_hat.data().as_ptr(),
        x_hat_row: x_hat.stride(),
        root: root.as_ptr(),
        d_x,
        d_x_row,
    };
    // SAFETY: as above.
    unsafe { pool::run(machine, rows * columns * 3 * FLOPS_A_NUMBER, kernel) }
}

#[derive(Clone, Copy)]
struct Forward<T> {
    rows: usize,
    columns: usize,
    x: *const T,
    x_row: usize,
    gain: *const T,
    shift: *const T,
    eps: T,
    x_hat: *mut T,
    x_hat_row: usize,
    root: *mut T,
    a: *mut T,
    a_row: usize,
}

// SAFETY: a part writes rows of its own.
unsafe impl<T: Real> Cut for Forward<T> {
    type Out = ();

    fn units(&self) -> usize {
        self.rows
    }

    fn part(self, units: Range<usize>) -> Self {
        let at = units.start;
        Forward {
            rows: units.len(),
            x: self.x.wrapping_add(at * self.x_row),
            x_hat: self.x_hat.wrapping_add(at * self.x_hat_row),
            root: self.root.wrapping_add(at),
            a: self.a.wrapping_add(at * self.a_row),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }
}

impl<T: Real> Kernel<T> for Forward<T> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        let n = T::from_f64(self.columns as f64);
        // SAFETY: every address is a whole vector inside a padded row, for i < rows and j < columns (`normalize` checked).
        unsafe {
            let zero = V::splat(T::ZERO);
            for i in 0..self.rows {
                let (x, x_hat) = (self.x.add(i * self.x_row), self.x_hat.add(i * self.x_hat_row));
                let a = self.a.add(i * self.a_row);
                let mean = V::splat(sum::<V>(self.columns, |j| V::load(x.add(j))) / n);
                let squares = sum::<V>(self.columns, |j| {
                    let centered = V::load(x.add(j)) - mean;
                    centered * centered
                });
                let root = T::ONE / (squares / n + self.eps).sqrt();
                // The variance overflowed: NaN tells, where x̂ = 0 would look like a row of equal numbers.
                let root = if root == T::ZERO { T::from_f64(f64::NAN) } else { root };
                *self.root.add(i) = root;
                let root = V::splat(root);
                each::<V>(self.columns, |j, real| {
                    let normal = V::select(real, (V::load(x.add(j)) - mean) * root, zero);
                    normal.store(x_hat.add(j));
                    let (gain, shift) = (V::load(self.gain.add(j)), V::load(self.shift.add(j)));
                    V::select(real, normal.fma(gain, shift), zero).store(a.add(j));
                });
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Backward<T> {
    rows: usize,
    columns: usize,
    delta: *const T,
    delta_row: usize,
    gain: *const T,
    x_hat: *const T,
    x_hat_row: usize,
    root: *const T,
    d_x: *mut T,
    d_x_row: usize,
}

// SAFETY: a part writes rows of its own.
unsafe impl<T: Real> Cut for Backward<T> {
    type Out = ();

    fn units(&self) -> usize {
        self.rows
    }

    fn part(self, units: Range<usize>) -> Self {
        let at = units.start;
        Backward {
            rows: units.len(),
            delta: self.delta.wrapping_add(at * self.delta_row),
            x_hat: self.x_hat.wrapping_add(at * self.x_hat_row),
            root: self.root.wrapping_add(at),
            d_x: self.d_x.wrapping_add(at * self.d_x_row),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }
}

impl<T: Real> Kernel<T> for Backward<T> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        let n = T::from_f64(self.columns as f64);
        // SAFETY: every address is a whole vector inside a padded row, for i < rows and j < columns (`normalize_back`
        // checked).
        unsafe {
            let zero = V::splat(T::ZERO);
            for i in 0..self.rows {
                let delta = self.delta.add(i * self.delta_row);
                let (x_hat, d_x) = (self.x_hat.add(i * self.x_hat_row), self.d_x.add(i * self.d_x_row));
                let g = |j: usize| V::load(delta.add(j)) * V::load(self.gain.add(j));
                let mean = V::splat(sum::<V>(self.columns, g) / n);
                let along = V::splat(sum::<V>(self.columns, |j| g(j) * V::load(x_hat.add(j))) / n);
                let root = V::splat(*self.root.add(i));
                each::<V>(self.columns, |j, real| {
                    let d = (g(j) - mean - V::load(x_hat.add(j)) * along) * root;
                    V::select(real, d, zero).store(d_x.add(j));
                });
            }
        }
    }
}

/// Σ_j term(j) over the real columns: term gives the vector from column j on.
///
/// # Safety
/// The CPU is V's, and `term` may be asked for every vector of a padded row.
#[inline(always)]
unsafe fn sum<V: Raw>(columns: usize, term: impl Fn(usize) -> V) -> V::Scalar {
    // SAFETY: the caller's promise.
    unsafe {
        let zero = V::splat(V::Scalar::ZERO);
        let mut parts = [zero; MAX_VECTORS_A_LINE];
        for line in (0..columns).step_by(V::Scalar::LINE) {
            for (v, part) in parts.iter_mut().enumerate().take(V::Scalar::LINE / V::LANES) {
                let j = line + v * V::LANES;
                *part = *part + V::select(real::<V>(columns, j), term(j), zero);
            }
        }
        fold(parts, |x, y| x + y, |x, y| x + y)
    }
}

/// Calls `f` for every vector of a padded row with the mask of its real columns.
///
/// # Safety
/// As [`sum`].
#[inline(always)]
unsafe fn each<V: Raw>(columns: usize, f: impl Fn(usize, V::Mask)) {
    for j in (0..padded::<V::Scalar>(columns)).step_by(V::LANES) {
        // SAFETY: the caller's promise.
        f(j, unsafe { real::<V>(columns, j) });
    }
}

/// True in the lanes from column j on that are real columns.
///
/// # Safety
/// The CPU is V's.
#[inline(always)]
unsafe fn real<V: Raw>(columns: usize, j: usize) -> V::Mask {
    let mut index = [V::Scalar::ZERO; 16];
    for (i, x) in index.iter_mut().enumerate() {
        *x = V::Scalar::from_f64(i as f64);
    }
    // SAFETY: 16 lanes are the most that a vector has; the caller knows the CPU.
    unsafe { V::splat(V::Scalar::from_f64(columns as f64 - j as f64)).gt(V::load(index.as_ptr())) }
}
