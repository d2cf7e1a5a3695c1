//! ln x of a single number, from IEEE operations alone: the same bits on every machine, and in pure Python.

use std::f64::consts::{LN_2, SQRT_2};

/// ln x for normal x > 0, to a relative 1e-15. ∞ and NaN stay.
///
/// x = m 2ᵉ with √½ ≤ m < √2, and ln m = 2 artanh t with t = (m − 1) / (m + 1), |t| < 0.172, by its series up to t²³.
/// The standard library's logarithm may differ in its last bit between platforms.
#[inline(always)] // for kernels
pub fn ln_f64(x: f64) -> f64 {
    if !x.is_finite() {
        return x;
    }
    let bits = x.to_bits();
    let mut e = (bits >> 52) as f64 - 1023.0;
    let mut m = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    if m >= SQRT_2 {
        m *= 0.5;
        e += 1.0;
    }
    let t = (m - 1.0) / (m + 1.0);
    let mut sum = 0.0;
    for k in (1..=23).rev().step_by(2) {
        sum = sum * (t * t) + 1.0 / f64::from(k);
    }
    2.0 * t * sum + e * LN_2
}

#[cfg(test)]
mod tests {
    use super::ln_f64;

    #[test]
    fn ln_f64_is_the_logarithm() {
        let mut bits: u64 = 1;
        for _ in 0..200_000 {
            // Any bits but those of the sign: all sizes of numbers.
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            for x in [f64::from_bits(bits >> 1), (bits >> 11) as f64 * 2f64.powi(-52)] {
                let want = x.ln();
                let error = (ln_f64(x) - want).abs();
                assert!(!x.is_normal() || error <= 1e-15 * want.abs(), "ln {x} = {}", ln_f64(x));
            }
        }
    }

    #[test]
    fn ln_f64_is_exact_where_it_can_be() {
        assert_eq!(ln_f64(1.0).to_bits(), 0.0f64.to_bits());
        assert_eq!(ln_f64(2.0), std::f64::consts::LN_2);
        assert_eq!(ln_f64(f64::INFINITY), f64::INFINITY);
        assert!(ln_f64(f64::NAN).is_nan());
    }
}
