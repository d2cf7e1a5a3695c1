//! sigmoid:  σ(x) = 1 / (1 + e⁻ˣ) = eˣ / (1 + eˣ)
//!
//! Error: below 2 units in the last place (`f32`, `f64`); 3 on `portable`.

use super::exp;
use crate::Vector;

/// σ(x) and σ(−x) = 1 − σ(x), each with an error below 2.5 units in its own last place (3.5 on `portable`).
#[inline(always)]
pub fn sigmoids<V: Vector>(x: V) -> (V, V) {
    let e = exp(-x.abs());
    let near = x.like(1.0) / (x.like(1.0) + e);
    let far = e * near;
    let right = x.ge(x.like(0.0));
    (V::select(right, near, far), V::select(right, far, near))
}

/// The logistic sigmoid, between 0 and 1.
///
/// With e = exp(−|x|) ≤ 1 nothing overflows: σ = 1 / (1 + e) for x ≥ 0 and q = e / (1 + e) below, which for very
/// negative x is as small as eˣ itself. There e − e q is the same with less rounding: the errors of q count e times
/// only.
#[inline(always)]
pub fn sigmoid<V: Vector>(x: V) -> V {
    let one = x.like(1.0);
    let e = exp(-x.abs());
    let q = V::select(x.ge(x.like(0.0)), one, e) / (one + e);
    V::select(x.gt(x.like(-1.0)), q, (-e).fma(q, e))
}
