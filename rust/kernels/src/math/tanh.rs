//! tanh:  tanh x = (1 − e⁻²ˣ) / (1 + e⁻²ˣ) = 1 − 2 e⁻²ˣ / (1 + e⁻²ˣ)
//!
//! Error: below 2 units in the last place (`f32`, `f64`); 3 on `portable`. Relative, near 0 too: tanh x = x for tiny x.

use super::exp::split_twice;
use crate::Vector;

/// The hyperbolic tangent, between −1 and 1.
///
/// With e⁻²ˣ = 2ⁿ (1 − 2 p), p from the polynomial before 1 is added, so that nothing cancels: half = e⁻²ˣ / 2 and
/// h = ½ − half. For |x| ≤ 0.55 tanh x = h + h q with q = h / (½ + half), where the errors of q count h ≤ ⅓ times only.
/// Beyond, 1 − 2 q with q = half / (½ + half) ≤ ¼. One division serves both.
#[inline(always)]
pub fn tanh<V: Vector>(x: V) -> V {
    let (one, one_half) = (x.like(1.0), x.like(0.5));
    // e⁻⁴⁴ is below a quarter of the last place of 1, in both types.
    let size = x.abs().min(x.like(22.0));
    let (n, p) = split_twice(size);
    let half_power = one_half.scale2(n);
    let power = half_power + half_power;
    let half = (-power).fma(p, half_power);
    let h = power.fma(p, one_half - half_power);
    let far = size.gt(x.like(0.55));
    let q = V::select(far, half, h) / (one_half + half);
    q.fma(V::select(far, x.like(-2.0), h), V::select(far, one, h)).copysign(x)
}
