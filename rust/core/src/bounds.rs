//! What proves that a gradient can be squared before it is known: a number of xᵀ delta is at most ‖x‖ ‖delta‖.

use crate::Real;

/// Half the root of the largest number: its square is finite, and so is a sum of two.
pub(crate) fn largest_gradient<T: Real>() -> T {
    T::MAX.sqrt() * T::from_f64(0.5)
}

/// Σ x² and Σ delta² up to here make no gradient larger than [`largest_gradient`], rounding included.
pub(crate) fn small_squares<T: Real>() -> T {
    largest_gradient::<T>() * T::from_f64(0.5)
}

/// The largest |x| with which Σ x² over `rows` rows of `columns` numbers is small for certain.
pub(crate) fn small_x<T: Real>(rows: usize, columns: usize) -> T {
    (small_squares::<T>() / T::from_f64((rows * columns) as f64)).sqrt()
}
