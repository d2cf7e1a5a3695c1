//! softplus:  ln(1 + eˣ) = max(x, 0) + ln(1 + e⁻|ˣ|)
//!
//! Error: below 2 units in the last place (`f32`, `f64`). For very negative x it is as small as eˣ.

use super::exp::Constants as _;
use super::{exp, polynomial};
use crate::Vector;

/// ln(1 + eˣ), at least 0. No exponent is positive, so nothing overflows.
#[inline(always)]
pub fn softplus<V: Vector>(x: V) -> V {
    x.max(x.like(0.0)) + log1p(exp(-x.abs()))
}

/// ln(1 + y) for y in [0, 1].
///
/// 1 + y = (1 + f) m with m = 1, or m = 2 where y > ½; f in [−¼, ½] is exact, as 1 + y is not. With s = f / (2 + f),
/// ln(1 + f) = 2 artanh s = f − (f²/2 − s (f²/2 + s² q(s²))), where rounding errors of s count s times only.
#[inline(always)]
fn log1p<V: Vector>(y: V) -> V {
    let one = y.like(1.0);
    let [high, low] = V::Scalar::LN_2;
    let large = y.gt(y.like(0.5));
    // f = (y − 1) / 2 and s = (y − 1) / (y + 3), or f = y and s = y / (y + 2).
    let top = V::select(large, y - one, y);
    let s = top / (y + V::select(large, y.like(3.0), y.like(2.0)));
    let f = V::select(large, top * y.like(0.5), top);
    let z = s * s;
    let q = polynomial(z, V::Scalar::ARTANH);
    let h = f * f * y.like(0.5);
    let small = V::select(large, y.like(low), y.like(0.0));
    let rest = h - s.fma(z.fma(q, h), small);
    V::select(large, y.like(high), y.like(0.0)) + (f - rest)
}

/// ln x for 1 ≤ x ≤ 2ⁿ with n = `halvings`, such as the sum of exponentials in a softmax. Error: below 2 units in the
/// last place of max(1, ln x).
///
/// x = m 2ᵉ with ¾ < m ≤ 1½, found by halving; with f = m − 1, exact, and s = f / (2 + f): ln m = 2 artanh s. NaN and ∞
/// stay.
#[inline(always)]
pub(crate) fn ln<V: Vector>(x: V, halvings: u32) -> V {
    let [high, low] = V::Scalar::LN_2;
    let (mut m, mut e) = (x, x.like(0.0));
    for _ in 0..halvings {
        let large = m.gt(x.like(1.5));
        m = V::select(large, m * x.like(0.5), m);
        e = V::select(large, e + x.like(1.0), e);
    }
    let f = m - x.like(1.0);
    let s = f / (f + x.like(2.0));
    let z = s * s;
    let q = polynomial(z, V::Scalar::ARTANH);
    let h = f * f * x.like(0.5);
    let rest = h - s.fma(z.fma(q, h), e * x.like(low));
    let ln = e * x.like(high) + (f - rest);
    // f / (2 + f) is NaN for ∞.
    V::select(m.gt(x.like(2.0)), m, ln)
}

/// The constants of ln(1 + y) for a number type.
pub trait Constants {
    /// q with 2 artanh s ≈ 2 s + s³ q(s²) for s² ≤ 0.04, lowest power first: the polynomial of least relative error, by
    /// Remez's algorithm in 50 digits.
    const ARTANH: &'static [f64];
}

impl Constants for f32 {
    // Error of the logarithm by the polynomial: 8e-11.
    const ARTANH: &'static [f64] = &[0.666666662712, 0.400003145504, 0.285324845586, 0.237523487911];
}

impl Constants for f64 {
    // Error of the logarithm by the polynomial: 5e-19.
    const ARTANH: &'static [f64] = &[
        0.6666666666666666,
        0.4000000000000798,
        0.2857142856726054,
        0.22222223050660478,
        0.18181737461522332,
        0.15388873840636672,
        0.13209598664805797,
        0.1360981174967718,
    ];
}
