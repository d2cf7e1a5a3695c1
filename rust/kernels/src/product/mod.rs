//! The matrix products of backpropagation, each with the formula that follows it, and the transpose.
//!
//! ```text
//! forward             y   = f(bias + x w)
//! forward_transposed  yᵀ  = bias + wᵀ xᵀ
//! backward_input      d_x = slope(delta wᵀ, a)
//! backward_weight     d_w = xᵀ delta
//! update_weight       w   = u(w, xᵀ delta)           an optimizer's step, without d_w in memory
//! ```
//!
//! Every element is one chain of fused multiply-adds, k ascending. So its bits do not depend on the batch, on the
//! tiles, on the threads, on whether an operand is transposed, or on the instruction set, if that has fused
//! multiply-add.

mod driver;
mod finish;
mod parts;
mod tile;
mod transpose;

use crate::update::pointers;
use crate::{Buffer, Factor, Machine, Map, Map2, Matrix, MatrixMut, Real, Source, Update, padded};
pub(crate) use finish::{Finish, Step, Store};
use finish::{Value, Value2};
use std::ops::Range;
use tile::Operands;
pub(crate) use tile::{multiply, multiply_and_add};
pub(crate) use transpose::Transpose;
pub use transpose::transpose;

/// The start of chains without a bias.
static ZERO: f64 = 0.0;

/// The product a b, with every chain starting from 0.
fn operands<T: Real>(a: Factor<T>, b: Matrix<T>) -> Operands<T> {
    let whole = (a.rows(), b.columns());
    let (data, a_row, a_step) = a.parts();
    Operands {
        a: data.as_ptr(),
        a_row,
        a_step,
        b: b.data().as_ptr(),
        b_row: b.stride(),
        start: (&raw const ZERO).cast(),
        start_row: 0,
        start_columns: false,
        whole,
        k: b.rows(),
        ahead: 0,
    }
}

fn store<T: Real>(c: &mut MatrixMut<T>) -> Store<T> {
    Store { c_row: c.stride(), c: c.data_mut().as_mut_ptr() }
}

/// What the chains of [`forward_from`] start from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a, T> {
    /// 0.
    Zero,
    /// `bias[j]`, of `padded(n_out)` numbers.
    Bias(&'a [T]),
    /// What y holds: the product of the steps k before these. The whole chain has the bits of one product.
    Sums,
}

impl<T: Real> Start<'_, T> {
    /// The address, the distance of rows and whether columns differ, for a product that is stored to `c`.
    fn parts(self, columns: usize, c: Store<T>) -> (*const T, usize, bool) {
        match self {
            Start::Zero => ((&raw const ZERO).cast(), 0, false),
            Start::Bias(bias) => {
                assert!(bias.len() >= columns, "a bias shorter than {columns} padded columns");
                (bias.as_ptr(), 0, true)
            }
            Start::Sums => (c.c, c.c_row, true),
        }
    }
}

impl<'a, T> From<Option<&'a [T]>> for Start<'a, T> {
    fn from(bias: Option<&'a [T]>) -> Self {
        bias.map_or(Start::Zero, Start::Bias)
    }
}

/// `y[i][j] = f(bias[j] + Σ_k x[i][k] w[k][j])` for x (n, n_in), w (n_in, n_out), y (n, n_out).
///
/// Writes the whole padded rows of y. Their padding is computed like the columns, from that of w and bias.
///
/// # Panics
/// Unless the shapes fit and bias holds `padded(n_out)` numbers.
pub fn forward<T: Real, F: Map>(
    machine: Machine,
    x: Matrix<T>,
    w: Matrix<T>,
    bias: Option<&[T]>,
    f: F,
    y: MatrixMut<T>,
) {
    forward_from(machine, x, w, bias.into(), f, y);
}

/// [`forward`], from any start.
///
/// # Panics
/// As there.
pub fn forward_from<T: Real, F: Map>(
    machine: Machine,
    x: Matrix<T>,
    w: Matrix<T>,
    start: Start<T>,
    f: F,
    mut y: MatrixMut<T>,
) {
    assert_eq!(x.columns(), w.rows(), "x and w do not fit");
    assert_eq!((x.rows(), w.columns()), (y.rows(), y.columns()), "y has not the shape of x w");
    let columns = padded::<T>(y.columns());
    let (shape, c) = ((y.rows(), y.columns()), store(&mut y));
    let mut operands = operands(x.into(), w);
    (operands.start, operands.start_row, operands.start_columns) = start.parts(columns, c);
    // SAFETY: the shapes are checked above, and a matrix holds rows · stride numbers (Matrix::new).
    unsafe {
        if F::IDENTITY {
            parts::multiply(machine, operands, shape, Some(c), c);
        } else {
            parts::multiply(machine, operands, shape, Some(c), Value { c, f });
        }
    }
}

/// The sums of [`forward_from`] with the first rows of a table as w, read where they are: all but the last, and but those
/// whose last vector ends outside the table. Returns their number, which is 0 too if the table has gaps or numbers of
/// another type. The padding of y becomes any numbers.
///
/// # Panics
/// Unless the shapes fit, x has as many columns as w rows, and bias holds `padded(n_out)` numbers.
pub fn forward_in_place<T: Real>(
    machine: Machine,
    x: Matrix<T>,
    w: &Source<'_>,
    start: Start<T>,
    mut y: MatrixMut<T>,
) -> usize {
    assert_eq!(x.columns(), w.rows(), "x and w do not fit");
    assert_eq!((x.rows(), w.columns()), (y.rows(), y.columns()), "y has not the shape of x w");
    let columns = padded::<T>(y.columns());
    let Some(b) = w.contiguous::<T>() else { return 0 };
    let room = (w.rows() * w.columns()).checked_sub(columns).and_then(|room| room.checked_div(w.columns()));
    let k = room.map_or(0, |room| (room + 1).min(w.rows() - 1));
    if k == 0 {
        return 0;
    }
    let (shape, c) = ((y.rows(), y.columns()), store(&mut y));
    let (a, a_row, a_step) = Factor::from(x).parts();
    let (start, start_row, start_columns) = start.parts(columns, c);
    let a = a.as_ptr();
    let operands = Operands {
        a,
        a_row,
        a_step,
        b,
        b_row: w.columns(),
        start,
        start_row,
        start_columns,
        whole: shape,
        k,
        ahead: 0,
    };
    // SAFETY: row k − 1 of w is read up to `columns` numbers from its start, which are inside the table by the choice
    // of k. The other shapes are checked above.
    unsafe { parts::multiply(machine, operands, shape, Some(c), c) }
    k
}

/// `y_t[j][i] = bias[j] + Σ_k w_t[j][k] x_t[k][i]` for w_t (n_out, n_in), x_t (n_in, n), y_t (n_out, n): forward
/// propagation in columns, for a layer of few outputs.
///
/// Writes the whole padded rows of y_t.
///
/// # Panics
/// Unless the shapes fit and bias holds n_out numbers.
pub fn forward_transposed<T: Real>(
    machine: Machine,
    w_t: Matrix<T>,
    x_t: Matrix<T>,
    bias: Option<&[T]>,
    mut y_t: MatrixMut<T>,
) {
    assert_eq!(w_t.columns(), x_t.rows(), "w_t and x_t do not fit");
    assert_eq!((w_t.rows(), x_t.columns()), (y_t.rows(), y_t.columns()), "y_t has not the shape of w_t x_t");
    assert!(bias.is_none_or(|b| b.len() >= y_t.rows()), "a bias shorter than {} outputs", y_t.rows());
    let (shape, c) = ((y_t.rows(), y_t.columns()), store(&mut y_t));
    let mut operands = operands(w_t.into(), x_t);
    if let Some(bias) = bias {
        (operands.start, operands.start_row) = (bias.as_ptr(), 1);
    }
    // SAFETY: the shapes are checked above, and a matrix holds rows · stride numbers (Matrix::new).
    unsafe { parts::multiply(machine, operands, shape, Some(c), c) }
}

/// `d_x[i][k] = slope(Σ_j delta[i][j] w_t[j][k], a[i][k])` for delta (n, n_out), w_t the transpose of w (n_out, n_in),
/// a and d_x (n, n_in).
///
/// Writes the whole padded rows of d_x. Their padding is slope(0, a) where that of w_t is 0.
///
/// # Panics
/// Unless the shapes fit.
pub fn backward_input<'a, T: Real, F: Map2>(
    machine: Machine,
    delta: impl Into<Factor<'a, T>>,
    w_t: Matrix<T>,
    slope: F,
    a: Matrix<T>,
    mut d_x: MatrixMut<T>,
) {
    let delta = delta.into();
    assert_eq!(delta.columns(), w_t.rows(), "delta and w_t do not fit");
    assert_eq!((delta.rows(), w_t.columns()), (d_x.rows(), d_x.columns()), "d_x has not the shape of delta w_t");
    assert_eq!((a.rows(), a.columns()), (d_x.rows(), d_x.columns()), "a and d_x differ in shape");
    let (shape, c) = ((d_x.rows(), d_x.columns()), store(&mut d_x));
    let operands = operands(delta, w_t);
    let finish = Value2 { c, saved: a.data().as_ptr(), saved_row: a.stride(), f: slope };
    // SAFETY: the shapes are checked above, and a matrix holds rows · stride numbers (Matrix::new).
    unsafe {
        if F::IDENTITY {
            parts::multiply(machine, operands, shape, Some(c), c);
        } else {
            parts::multiply(machine, operands, shape, Some(c), finish);
        }
    }
}

/// `d_w[k][j] = Σ_i x[i][k] delta[i][j]` for x (n, n_in), delta (n, n_out), d_w (n_in, n_out).
///
/// # Panics
/// Unless the shapes fit.
pub fn backward_weight<'a, T: Real>(
    machine: Machine,
    x: impl Into<Factor<'a, T>>,
    delta: Matrix<T>,
    mut d_w: MatrixMut<T>,
) {
    let x_t = x.into().transposed();
    assert_eq!(x_t.columns(), delta.rows(), "x and delta differ in rows");
    assert_eq!((x_t.rows(), delta.columns()), (d_w.rows(), d_w.columns()), "d_w has not the shape of x^T delta");
    let (shape, c) = ((d_w.rows(), d_w.columns()), store(&mut d_w));
    // SAFETY: the shapes are checked above, and a matrix holds rows · stride numbers (Matrix::new).
    unsafe { parts::multiply(machine, operands(x_t, delta), shape, Some(c), c) }
}

/// (w, states) ← u(w, states, d_w) with `d_w[k][j] = Σ_i x[i][k] delta[i][j]`, the bits of [`backward_weight`], for x
/// (n, n_in), delta (n, n_out). w is at `place` of `parameters`, and its states at `place` of each of `states`: n_in
/// rows of n_out numbers, `stride` apart. Padding that is zero stays zero if that of delta is.
///
/// # Panics
/// Unless the shapes fit, `place` is inside, and there are `U::STATES` states as long as `parameters`.
#[allow(clippy::too_many_arguments, reason = "two factors, and a place in four buffers")]
pub fn update_weight<'a, T: Real, U: Update>(
    machine: Machine,
    x: impl Into<Factor<'a, T>>,
    delta: Matrix<T>,
    parameters: &mut [T],
    states: &mut [Buffer<T>],
    place: Range<usize>,
    stride: usize,
    u: U,
) {
    let x_t = x.into().transposed();
    assert_eq!(x_t.columns(), delta.rows(), "x and delta differ in rows");
    let states = pointers::<T, U>(parameters, states).map(|state| state.wrapping_add(place.start));
    let mut w = MatrixMut::new(&mut parameters[place], x_t.rows(), delta.columns(), stride);
    let shape = (w.rows(), w.columns());
    let finish = Step { w: w.data_mut().as_mut_ptr(), states, w_row: stride, u };
    // SAFETY: the shapes are checked above, a matrix holds rows · stride numbers (Matrix::new), and the states are as
    // long as the parameters.
    unsafe { parts::multiply(machine, operands(x_t, delta), shape, None, finish) }
}
