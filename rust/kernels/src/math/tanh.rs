//! tanh:  tanh x = (1 − e⁻²ˣ) / (1 + e⁻²ˣ) = 1 − 2 e⁻²ˣ / (1 + e⁻²ˣ)
//!
//! Error: below 2 units in the last place (`f32`, `f64`); 3 on `portable`. Relative, near 0 too: tanh x = x for tiny x.

use super::exp::split;
use crate::Vector;

/// The hyperbolic tangent, between −1 and 1.
///
/// For |x| ≤ 0.55 the first form, with e⁻²ˣ − 1 = 2ⁿ p + (2ⁿ − 1) taken from the polynomial before 1 is added, so that
/// nothing cancels; beyond the second, where the error of the quotient counts for half or less. One division serves
/// both.
#[inline(always)]
pub fn tanh<V: Vector>(x: V) -> V {
    let one = x.like(1.0);
    let size = x.abs();
    // e⁻⁴⁴ is below a quarter of the last place of 1, in both types.
    let (n, p) = split((size * x.like(-2.0)).max(x.like(-44.0)));
    let power = one.scale2(n);
    let e = power.fma(p, power);
    let e_minus_1 = power.fma(p, power - one);
    let far = size.gt(x.like(0.55));
    let quotient = V::select(far, e + e, -e_minus_1) / (one + e);
    V::select(far, one - quotient, quotient).copysign(x)
}
