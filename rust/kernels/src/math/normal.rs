//! The normal distribution:  Φ(x) = ½ erfc(−x / √2),  φ(x) = Φ'(x) = e^(−x²/2) / √(2π).
//!
//! Error of Φ: below 5.5 units in the last place (`f32`, `f64`), 7 on `portable`, and half of that for |x| < 3; of φ: below 2.
//! Relative, in the left tail too, down to where Φ is subnormal: 1 + erf has lost all digits at x = −9.

use super::exp::split_sum;
use super::polynomial;
use crate::Vector;

/// (Φ(x), φ(x)): the probability of a normal number below x, and the density at x.
///
/// Φ(−t) = e^(−t²/2) r(t) for t = |x|, and Φ(x) = 1 − Φ(−x) for x ≥ 0. r falls from ½ like 1 / t, so that g = r(t) (t + 3)
/// stays between 3/2 and 2/5, and in u = (t − 3) / (t + 3) one polynomial serves all t (Schonfelder 1978): no branch, one
/// division. In the form g = 3/2 − w q(u) with w = u + 1 = 2 t / (t + 3) it is exact at 0 and its roundings count w times
/// only: 2.5 units there instead of 8.
#[inline(always)]
pub fn normal<V: Vector>(x: V) -> (V, V) {
    let one = x.like(1.0);
    let t = x.abs().min(x.like(V::Scalar::NORMAL_RANGE));
    let inverse = one / (t + x.like(3.0));
    let w = (t + t) * inverse;
    let r = (-w).fma(polynomial(w - one, V::Scalar::MILLS), x.like(1.5)) * inverse;
    // t² / 2 has to be right to an absolute error, however large it is: t = k + d with few digits in k, so that k² / 2 is
    // exact, and t² / 2 = k² / 2 + d (t + k) / 2 with a small second part.
    let k = (t * x.like(64.0)).round() * x.like(1.0 / 64.0);
    let (n, p) = split_sum(k * k * x.like(-0.5), (t - k) * (t + k) * x.like(-0.5));
    let tail = p.fma(r, r).scale2(n);
    let root = x.like(0.398_942_280_401_432_7); // 1 / √(2π)
    (V::select(x.ge(x.like(0.0)), one - tail, tail), p.fma(root, root).scale2(n))
}

/// What Φ needs to know of a number type.
pub trait Constants {
    /// Beyond this Φ(−t) is 0.
    const NORMAL_RANGE: f64;
    /// q of g(u), lowest power first: that of least relative error of g over the range, by Remez's algorithm in 50
    /// digits.
    const MILLS: &'static [f64];
}

impl Constants for f32 {
    const NORMAL_RANGE: f64 = 14.5;
    // Error of g: 1.0e-9, a fiftieth of half a unit in the last place.
    const MILLS: &'static [f64] = &[
        0.770916309609,
        -0.261584317379,
        0.0315666188188,
        0.0156960449347,
        -0.00523354357268,
        -0.00173557765621,
        0.000710915005498,
        0.000321102219319,
        -7.67119810146e-5,
        -5.40647764225e-5,
    ];
}

impl Constants for f64 {
    const NORMAL_RANGE: f64 = 38.7;
    // Error of g: 2.4e-17, a fifth of half a unit in the last place.
    const MILLS: &'static [f64] = &[
        0.770916309866627,
        -0.2615843279491372,
        0.031566607974533284,
        0.015696417168404406,
        -0.005233550145076784,
        -0.0017390710942479755,
        0.0007114788347920303,
        0.00033434976989633853,
        -7.777442032032347e-05,
        -7.66198812319064e-05,
        -2.192806844122181e-06,
        1.5437910185463567e-05,
        5.251283294212505e-06,
        -1.7300796867064979e-06,
        -1.910150225502277e-06,
        -3.5498613514025075e-07,
        3.475671794252123e-07,
        2.59406555704597e-07,
        1.2763150667610039e-08,
        -6.95039688045009e-08,
        -2.4684049173675226e-08,
        8.236122648732434e-09,
        4.7201566505266755e-09,
    ];
}
