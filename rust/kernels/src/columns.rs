//! Losses where the rows of a batch lie in columns: everything about a row is in one lane, and a line of rows goes at once.
//!
//! The transposes of few outputs, (k, n) for k outputs and n rows. What a lane gets depends on its column alone.

use crate::math;
use crate::target::Kernel;
use crate::vector::Raw;
use crate::{Matrix, MatrixMut, Real, Target, Term, padded};

/// `p[j][i] = scale[i] exp(z[j][i] − c) / Σ_j exp(z[j][i] − c)` and `log_sum_exp[i]` = c + ln Σ_j exp(z[j][i] − c), with
/// c = max_j z[j][i]: the largest term is exp(0), nothing overflows. For z and p of (k, n), k ≥ 1.
///
/// A column that holds NaN or +∞, or only −∞, gives NaN. Writes the whole padded rows of p.
///
/// # Panics
/// Unless z and p have the same shape and `scale` and `log_sum_exp` hold `padded(n)` numbers.
pub fn softmax<T: Real>(target: Target, z: Matrix<T>, scale: &[T], mut p: MatrixMut<T>, log_sum_exp: &mut [T]) {
    assert_eq!((z.rows(), z.columns()), (p.rows(), p.columns()), "z and p differ in shape");
    let columns = padded::<T>(z.columns());
    assert!(z.rows() > 0, "no outputs");
    assert!(scale.len() >= columns && log_sum_exp.len() >= columns, "a scale or sums shorter than {columns}");
    let kernel = Softmax {
        rows: z.rows(),
        columns,
        z: z.data().as_ptr(),
        z_stride: z.stride(),
        scale: scale.as_ptr(),
        p_stride: p.stride(),
        p: p.data_mut().as_mut_ptr(),
        sums: log_sum_exp.as_mut_ptr(),
    };
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new); the rest is checked.
    unsafe { target.run(kernel) }
}

/// (l, s) = term(a, y) for each element, then `loss[i] = Σ_j l[j][i]` and `d[j][i] = s[j][i] scale[i]`, for a, y and d of
/// (k, n). Writes the whole padded rows of d.
///
/// # Panics
/// Unless a, y and d have the same shape and `scale` and `loss` hold `padded(n)` numbers.
pub fn terms<T: Real>(
    target: Target,
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
    let kernel = Terms {
        rows: a.rows(),
        columns,
        a: a.data().as_ptr(),
        a_stride: a.stride(),
        y: y.data().as_ptr(),
        y_stride: y.stride(),
        scale: scale.as_ptr(),
        d_stride: d.stride(),
        d: d.data_mut().as_mut_ptr(),
        loss: loss.as_mut_ptr(),
        term,
    };
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new); the rest is checked.
    unsafe { target.run(kernel) }
}

struct Softmax<T> {
    rows: usize,
    columns: usize,
    z: *const T,
    z_stride: usize,
    scale: *const T,
    p: *mut T,
    p_stride: usize,
    sums: *mut T,
}

impl<T: Real> Kernel<T> for Softmax<T> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        // The sum of k exponentials of which one is 1 is at most k.
        let halvings = usize::BITS - (self.rows - 1).leading_zeros();
        for i in (0..self.columns).step_by(V::LANES) {
            // SAFETY: the vector at i is inside every padded row, and inside `scale` and `sums` (`softmax` checked).
            unsafe {
                let (z, p) = (self.z.add(i), self.p.add(i));
                let mut top = V::load(z);
                for j in 1..self.rows {
                    top = top.max(V::load(z.add(j * self.z_stride)));
                }
                let mut sum = V::splat(T::ZERO);
                for j in 0..self.rows {
                    let e = math::exp(V::load(z.add(j * self.z_stride)) - top);
                    e.store(p.add(j * self.p_stride));
                    sum = sum + e;
                }
                let share = V::load(self.scale.add(i)) / sum;
                for j in 0..self.rows {
                    let p = p.add(j * self.p_stride);
                    (V::load(p) * share).store(p);
                }
                (top + math::ln(sum, halvings)).store(self.sums.add(i));
            }
        }
    }
}

struct Terms<T, F> {
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
