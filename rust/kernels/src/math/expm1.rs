//! eˣ − 1 = 2 (2ⁿ⁻¹ p + (2ⁿ⁻¹ − ½))  with  eˣ = 2ⁿ (1 + p)
//!
//! Error: below 2.5 units in the last place (`f32`, `f64`). Relative, near 0 too: eˣ − 1 = x for tiny x.

use super::exp::{Constants, split};
use crate::Vector;

/// eˣ − 1; −1 and ∞ beyond the range of the type.
///
/// p comes from the polynomial before 1 is added, so nothing cancels. Half the result is computed and then doubled,
/// because 2ⁿ overflows before eˣ does.
#[inline(always)]
pub fn expm1<V: Vector>(x: V) -> V {
    let [_, high] = V::Scalar::EXP_RANGE;
    // e⁻⁴⁴ is below a quarter of the last place of 1, in both types.
    let (n, p) = split(x.max(x.like(-44.0)).min(x.like(high)));
    let half = x.like(0.5).scale2(n);
    let y = half.fma(p, half - x.like(0.5));
    // Half of a subnormal number would lose its last bit.
    V::select(x.abs().gt(x.like(1e-20)), y + y, x)
}
