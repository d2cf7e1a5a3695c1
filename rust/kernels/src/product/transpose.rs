//! The transpose of a matrix, in blocks of one line by one line.

use crate::target::Kernel;
use crate::vector::Raw;
use crate::{Matrix, MatrixMut, Real, Target, padded};

/// to[j][i] = from[i][j]; the padding of `to` becomes 0.
///
/// # Panics
/// Unless `to` has as many rows as `from` columns, and the other way round.
pub fn transpose<T: Real>(target: Target, from: Matrix<T>, mut to: MatrixMut<T>) {
    assert_eq!((from.rows(), from.columns()), (to.columns(), to.rows()), "not the shape of the transpose");
    let kernel = Transpose {
        rows: from.rows(),
        columns: from.columns(),
        from: from.data().as_ptr(),
        from_stride: from.stride(),
        to_stride: to.stride(),
        to: to.data_mut().as_mut_ptr(),
    };
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new).
    unsafe { target.run(kernel) }
}

struct Transpose<T> {
    rows: usize,
    columns: usize,
    from: *const T,
    from_stride: usize,
    to: *mut T,
    to_stride: usize,
}

impl<T: Real> Kernel<T> for Transpose<T> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        for i in (0..padded::<T>(self.rows)).step_by(T::LINE) {
            for j in (0..self.columns).step_by(T::LINE) {
                for y in j..(j + T::LINE).min(self.columns) {
                    for x in i..i + T::LINE {
                        // SAFETY: x is inside the padded columns of `to`, y one of its rows; `from` is read inside only.
                        unsafe {
                            *self.to.add(y * self.to_stride + x) =
                                if x < self.rows { *self.from.add(x * self.from_stride + y) } else { T::ZERO };
                        }
                    }
                }
            }
        }
    }
}
