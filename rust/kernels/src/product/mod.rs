//! The three matrix products of backpropagation, with the formulas that follow them, and the transpose.
//!
//! ```text
//! forward           y   = f(bias + x w)
//! backward_input    d_x = slope(delta wᵀ, a)
//! backward_weight   d_w = xᵀ delta                 (or d_w + xᵀ delta)
//! ```
//!
//! Every element is one chain of fused multiply-adds, k ascending: its bits depend neither on the batch it is in, nor on
//! how the work is cut into tiles, nor on which of the targets with fused multiply-add runs it.

mod driver;
mod pack;
mod tile;
mod transpose;

use crate::elementwise::{Region, map_region, map2_region};
use crate::{Map, Map2, Matrix, MatrixMut, Real, Target, padded};
use driver::Panel;
use tile::Operands;
pub(crate) use tile::Shape;
pub use transpose::transpose;

/// Where chains without a bias start.
static ZEROS: [f64; 32] = [0.0; 32];

/// `y[i][j] = f(bias[j] + Σ_k x[i][k] w[k][j])` for x (n, n_in), w (n_in, n_out), y (n, n_out).
///
/// Writes the whole padded rows of y: their padding is f of what the padding of w and bias gives.
///
/// # Panics
/// Unless the shapes fit and bias holds `padded(n_out)` numbers.
pub fn forward<T: Real, F: Map>(
    target: Target,
    x: Matrix<T>,
    w: Matrix<T>,
    bias: Option<&[T]>,
    f: F,
    mut y: MatrixMut<T>,
) {
    assert_eq!(x.columns(), w.rows(), "x and w do not fit");
    assert_eq!((x.rows(), w.columns()), (y.rows(), y.columns()), "y has not the shape of x w");
    let columns = padded::<T>(y.columns());
    assert!(bias.is_none_or(|b| b.len() >= columns), "a bias shorter than {columns} padded columns");
    let (m, n) = (y.rows(), y.columns());
    let operands = Operands {
        a: x.data().as_ptr(),
        a_row: x.stride(),
        a_step: 1,
        a_tile: 0,
        b: w.data().as_ptr(),
        b_row: w.stride(),
        start: bias.map_or(ZEROS.as_ptr().cast(), <[T]>::as_ptr),
        start_row: 0,
        start_column: usize::from(bias.is_some()),
        c_row: y.stride(),
        c: y.data_mut().as_mut_ptr(),
        k: x.columns(),
        ahead: std::ptr::null(),
        ahead_steps: 0,
    };
    let mut finish = |panel: Panel| {
        let region = Region { rows: panel.rows, columns: panel.columns, stride: operands.c_row };
        // SAFETY: a part of y (driver::multiply).
        unsafe { map_region(target, operands.at(panel.row, panel.column).c, region, f) };
    };
    // SAFETY: the shapes are checked above, and a matrix holds rows · stride numbers (Matrix::new).
    unsafe { driver::multiply(target, operands, m, n, &mut finish) }
}

/// `d_x[i][k] = slope(Σ_j delta[i][j] w_t[j][k], a[i][k])` for delta (n, n_out), w_t the transpose of w (n_out, n_in),
/// a and d_x (n, n_in).
///
/// Writes the whole padded rows of d_x: 0 where those of w_t are and slope(0, a) is.
///
/// # Panics
/// Unless the shapes fit.
pub fn backward_input<T: Real, F: Map2>(
    target: Target,
    delta: Matrix<T>,
    w_t: Matrix<T>,
    slope: F,
    a: Matrix<T>,
    mut d_x: MatrixMut<T>,
) {
    assert_eq!(delta.columns(), w_t.rows(), "delta and w_t do not fit");
    assert_eq!((delta.rows(), w_t.columns()), (d_x.rows(), d_x.columns()), "d_x has not the shape of delta w_t");
    assert_eq!((a.rows(), a.columns()), (d_x.rows(), d_x.columns()), "a and d_x differ in shape");
    let (m, n) = (d_x.rows(), d_x.columns());
    let operands = Operands {
        a: delta.data().as_ptr(),
        a_row: delta.stride(),
        a_step: 1,
        a_tile: 0,
        b: w_t.data().as_ptr(),
        b_row: w_t.stride(),
        start: ZEROS.as_ptr().cast(),
        start_row: 0,
        start_column: 0,
        c_row: d_x.stride(),
        c: d_x.data_mut().as_mut_ptr(),
        k: delta.columns(),
        ahead: std::ptr::null(),
        ahead_steps: 0,
    };
    let mut finish = |panel: Panel| {
        let region = Region { rows: panel.rows, columns: panel.columns, stride: operands.c_row };
        let a_part = a.data().as_ptr().wrapping_add(panel.row * a.stride() + panel.column);
        // SAFETY: a part of d_x (driver::multiply), and the same part of a, which has its shape.
        unsafe { map2_region(target, operands.at(panel.row, panel.column).c, a_part, a.stride(), region, slope) };
    };
    // SAFETY: the shapes are checked above, and a matrix holds rows · stride numbers (Matrix::new).
    unsafe { driver::multiply(target, operands, m, n, &mut finish) }
}

/// `d_w[k][j] = Σ_i x[i][k] delta[i][j]`, or `d_w[k][j] + Σ_i …` where `accumulate`, for x (n, n_in), delta (n, n_out), d_w
/// (n_in, n_out).
///
/// The chain goes on from d_w: a batch cut into parts, accumulated in order, gives the bits of the whole batch.
///
/// # Panics
/// Unless the shapes fit.
pub fn backward_weight<T: Real>(
    target: Target,
    x: Matrix<T>,
    delta: Matrix<T>,
    accumulate: bool,
    mut d_w: MatrixMut<T>,
) {
    assert_eq!(x.rows(), delta.rows(), "x and delta differ in rows");
    assert_eq!((x.columns(), delta.columns()), (d_w.rows(), d_w.columns()), "d_w has not the shape of x^T delta");
    let (m, n) = (d_w.rows(), d_w.columns());
    let c_row = d_w.stride();
    let c = d_w.data_mut().as_mut_ptr();
    let operands = Operands {
        a: x.data().as_ptr(),
        a_row: 1,
        a_step: x.stride(),
        a_tile: 0,
        b: delta.data().as_ptr(),
        b_row: delta.stride(),
        start: if accumulate { c } else { ZEROS.as_ptr().cast() },
        start_row: if accumulate { c_row } else { 0 },
        start_column: usize::from(accumulate),
        c,
        c_row,
        k: x.rows(),
        ahead: std::ptr::null(),
        ahead_steps: 0,
    };
    // SAFETY: the shapes are checked above, and a matrix holds rows · stride numbers (Matrix::new).
    unsafe { driver::multiply(target, operands, m, n, &mut |_| ()) }
}
