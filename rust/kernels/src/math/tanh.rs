//! tanh:  tanh x = (1 − e⁻²ˣ) / (1 + e⁻²ˣ) = 1 − 2 e⁻²ˣ / (1 + e⁻²ˣ)
//!
//! Error: below 2 units in the last place (`f32`, `f64`); 3 on `portable`. Relative, near 0 too: tanh x = x for tiny x.

use super::exp::split;
use crate::Vector;

/// The hyperbolic tangent, between −1 and 1.
///
/// For |x| ≤ 0.55 with t = e⁻²ˣ − 1 = 2ⁿ p + (2ⁿ − 1), taken from the polynomial before 1 is added, so that nothing
/// cancels: tanh x = h + h q with h = −t / 2 and q = −t / (1 + e⁻²ˣ), where the errors of q count h ≤ ⅓ times only.
/// Beyond, 1 − q with q = 2 e⁻²ˣ / (1 + e⁻²ˣ) ≤ ½. One division serves both.
#[inline(always)]
pub fn tanh<V: Vector>(x: V) -> V {
    let one = x.like(1.0);
    let size = x.abs();
    // e⁻⁴⁴ is below a quarter of the last place of 1, in both types.
    let (n, p) = split((size * x.like(-2.0)).max(x.like(-44.0)));
    let power = one.scale2(n);
    let e = power.fma(p, power);
    let h = power.fma(p, power - one) * x.like(-0.5);
    let far = size.gt(x.like(0.55));
    let q = V::select(far, e + e, h + h) / (one + e);
    V::select(far, one - q, h.fma(q, h)).copysign(x)
}
