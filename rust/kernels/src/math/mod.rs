//! Functions of vectors: eˣ, eˣ − 1, the logistic sigmoid, softplus, tanh and the normal distribution, for both number
//! types; and one of single numbers, ln x.
//!
//! They use no branches, no tables and no approximate instructions. Each file states its error bound, which is tested.
//! The bits are the same on every instruction set with fused multiply-add. NaN gives NaN; ∞ and huge arguments give the
//! limit.

use crate::Vector;

mod exp;
mod expm1;
mod ln;
mod normal;
mod sigmoid;
mod softplus;
mod tanh;

pub use exp::exp;
pub use expm1::expm1;
pub use ln::ln_f64;
pub use normal::normal;
pub use sigmoid::{sigmoid, sigmoids};
pub(crate) use softplus::ln;
pub use softplus::softplus;
pub use tanh::tanh;

/// The constants that the functions need for a number type.
pub trait Constants: exp::Constants + normal::Constants + softplus::Constants {}

impl<T: exp::Constants + normal::Constants + softplus::Constants> Constants for T {}

/// c₀ + c₁ x + c₂ x² + …
#[inline(always)]
fn polynomial<V: Vector>(x: V, c: &[f64]) -> V {
    let (last, rest) = c.split_last().expect("a polynomial has coefficients");
    let mut sum = x.like(*last);
    for &c in rest.iter().rev() {
        sum = sum.fma(x, x.like(c));
    }
    sum
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
