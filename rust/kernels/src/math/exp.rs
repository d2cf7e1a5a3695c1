//! eˣ = 2ⁿ eʳ,  n = round(x / ln 2),  r = x − n ln 2,  |r| ≤ ½ ln 2.   Cody and Waite 1980, ch. 6.
//!
//! Error: below 1.1 units in the last place (`f32`, `f64`); 1.5 on `portable`. Underflows gradually.

use super::polynomial;
use crate::Vector;

/// eˣ; 0 and ∞ beyond the range of the type.
#[inline(always)]
pub fn exp<V: Vector>(x: V) -> V {
    let [low, high] = V::Scalar::EXP_RANGE;
    let (n, p) = split(x.max(x.like(low)).min(x.like(high)));
    (p + p.like(1.0)).scale2(n)
}

/// n and p with eˣ = 2ⁿ (1 + p), for functions that need eˣ − 1 without cancellation. x must be inside the range of the
/// type.
#[inline(always)]
pub(super) fn split<V: Vector>(x: V) -> (V, V) {
    let [high, low] = V::Scalar::LN_2;
    let n = (x * x.like(std::f64::consts::LOG2_E)).round();
    (n, reduced(n.fma(x.like(-low), n.fma(x.like(-high), x))))
}

/// n and p with e⁻²ˣ = 2ⁿ (1 − 2 p), with the bits of [`split`] of −2 x: the factors, powers of 2, are in the
/// constants. x must be ≥ 0 and inside the range.
#[inline(always)]
pub(super) fn split_twice<V: Vector>(x: V) -> (V, V) {
    let [high, low] = V::Scalar::LN_2;
    let n = (x * x.like(-2.0 * std::f64::consts::LOG2_E)).round();
    let r = n.fma(x.like(0.5 * low), n.fma(x.like(0.5 * high), x));
    (n, (r * r).fma(polynomial(r, V::Scalar::EXP_TWICE), r))
}

/// The same for x + y, without rounding the sum. x must be a multiple of 2⁻¹³ inside the range, y small.
#[inline(always)]
pub(super) fn split_sum<V: Vector>(x: V, y: V) -> (V, V) {
    let [high, low] = V::Scalar::LN_2;
    let n = ((x + y) * x.like(std::f64::consts::LOG2_E)).round();
    (n, reduced(n.fma(x.like(-low), n.fma(x.like(-high), x) + y)))
}

/// eʳ − 1.
#[inline(always)]
fn reduced<V: Vector>(r: V) -> V {
    (r * r).fma(polynomial(r, V::Scalar::EXP), r)
}

/// The constants of eˣ for a number type.
pub trait Constants {
    /// ln 2 in two parts. n times the first is exact for every exponent n; the second is the rest.
    const LN_2: [f64; 2];
    /// Beyond these eˣ is 0 or infinite.
    const EXP_RANGE: [f64; 2];
    /// q with eʳ ≈ 1 + r + r² q(r) for |r| ≤ ½ ln 2, lowest power first: the polynomial of least relative error, by
    /// Remez's algorithm in 50 digits.
    const EXP: &'static [f64];
    /// −2 q(−2 r).
    const EXP_TWICE: &'static [f64];
}

/// −2 q(−2 r) for the coefficients of q.
const fn twice<const N: usize>(q: &[f64]) -> [f64; N] {
    let (mut scaled, mut factor, mut i) = ([0.0; N], -2.0, 0);
    while i < N {
        scaled[i] = factor * q[i];
        factor *= -2.0;
        i += 1;
    }
    scaled
}

impl Constants for f32 {
    const LN_2: [f64; 2] = [0.693359375, -2.1219444005469058e-4];
    const EXP_RANGE: [f64; 2] = [-104.0, 89.0];
    // Error of the polynomial: 3.1e-9, a twentieth of half a unit in the last place.
    const EXP: &'static [f64] = &[0.499999934125, 0.166665201078, 0.0416683942109, 0.00836878041118, 0.00138144670593];
    const EXP_TWICE: &'static [f64] = &twice::<5>(Self::EXP);
}

impl Constants for f64 {
    const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
    const EXP_RANGE: [f64; 2] = [-746.0, 710.0];
    // Error of the polynomial: 3.7e-18, a thirtieth of half a unit in the last place.
    const EXP: &'static [f64] = &[
        0.5000000000000011,
        0.1666666666666641,
        0.04166666666652919,
        0.008333333333495624,
        0.001388888894392264,
        0.00019841269504765357,
        2.4801492762795647e-05,
        2.755758734220382e-06,
        2.763037862080518e-07,
        2.4999965343255924e-08,
    ];
    const EXP_TWICE: &'static [f64] = &twice::<10>(Self::EXP);
}
