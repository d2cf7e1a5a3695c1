//! The normal distribution:  Φ(x) = ½ erfc(−x / √2),  φ(x) = Φ'(x) = e^(−x²/2) / √(2π).
//!
//! Error of Φ: below 4 units in the last place (`f32`, `f64`), 5 on `portable`; of φ: below 2.
//! Relative, in the left tail too, down to where Φ is subnormal: 1 + erf has lost all digits at x = −9.

use super::exp::split_sum;
use super::polynomial;
use crate::Vector;

/// The t at which u is 0. It is chosen for two reasons. q(0), whose rounding matters for most t, is a number of both
/// types up to a tenth of half a unit (at 3.0: 0.9). And w q is at most 1.8 times what it leaves of c / 2 (at 3.0:
/// 2.5). Together they save 2 units of error in the left tail.
const CENTER: f64 = 2.34375;

/// (Φ(x), φ(x)): the probability of a normal number below x, and the density at x.
///
/// Φ(−t) = e^(−t²/2) r(t) for t = |x|, and Φ(x) = 1 − Φ(−x) for x ≥ 0. r falls from ½ like 1 / t, so that g = r(t) (t +
/// c), c = `CENTER`, stays between c / 2 and 2/5, and in u = (t − c) / (t + c) one polynomial serves all t (Schonfelder
/// 1978): no branch, one division. In the form g = c / 2 − w q(u) with w = u + 1 = 2 t / (t + c) it is exact at 0,
/// where rounding errors of q count w times only.
#[inline(always)]
pub fn normal<V: Vector>(x: V) -> (V, V) {
    let one = x.like(1.0);
    let t = x.abs().min(x.like(V::Scalar::NORMAL_RANGE));
    let inverse = one / (t + x.like(CENTER));
    let w = (t + t) * inverse;
    let r = (-w).fma(polynomial(w - one, V::Scalar::MILLS), x.like(CENTER / 2.0)) * inverse;
    // t² / 2 needs a small absolute error, however large it is. So t = k + d with few digits in k: k² / 2 is exact, and
    // in t² / 2 = k² / 2 + d (t + k) / 2 the second part is small.
    let k = (t * x.like(64.0)).round() * x.like(1.0 / 64.0);
    let (n, p) = split_sum(k * k * x.like(-0.5), (t - k) * (t + k) * x.like(-0.5));
    let tail = p.fma(r, r).scale2(n);
    let root = x.like(0.398_942_280_401_432_7); // 1 / √(2π)
    (V::select(x.ge(x.like(0.0)), one - tail, tail), p.fma(root, root).scale2(n))
}

/// The constants of Φ for a number type.
pub trait Constants {
    /// Beyond this Φ(−t) is 0.
    const NORMAL_RANGE: f64;
    /// q of g(u), lowest power first: that of least relative error of g over the range, by Lawson's algorithm, each
    /// coefficient rounded before the next are found.
    const MILLS: &'static [f64];
}

impl Constants for f32 {
    const NORMAL_RANGE: f64 = 14.5;
    // Error of g: 2.7e-9, a twentieth of half a unit in the last place.
    const MILLS: &'static [f64] = &[
        0.47434235,
        -0.06937604,
        -0.03027348,
        0.008407531,
        0.0049541392,
        -0.00059341494,
        -0.0010549377,
        -0.00016878448,
        0.00016274037,
        7.127989e-05,
    ];
}

impl Constants for f64 {
    const NORMAL_RANGE: f64 = 38.7;
    // Error of g: 2.2e-17, a fifth of half a unit in the last place.
    const MILLS: &'static [f64] = &[
        0.47434234659096003,
        -0.06937601740182059,
        -0.030273488913347805,
        0.008406807118344517,
        0.004954486850144352,
        -0.000586722670341202,
        -0.0010571716268212065,
        -0.00019342616738366215,
        0.00016486134138188124,
        0.00011170173388594933,
        8.922294161353818e-06,
        -2.4779615310555286e-05,
        -1.5416573502657778e-05,
        -1.6051402684150144e-06,
        3.5400831362424924e-06,
        2.6678370451734365e-06,
        6.710452194956076e-07,
        -3.88768734940972e-07,
        -5.616456631434766e-07,
        -2.8103294413797924e-07,
        6.29632760057072e-08,
        1.4867770730425746e-07,
        3.7656666595739656e-08,
        -2.40996764326099e-08,
        -1.0738639578120671e-08,
    ];
}
