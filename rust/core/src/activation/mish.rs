//! mish:  a = z tanh(ln(1 + e^z)),  da/dz = t + z (1 − t²) σ(z) with t = tanh(ln(1 + e^z)).   Misra 2020.
//!
//! t = ((1 + e^z)² − 1) / ((1 + e^z)² + 1) needs neither logarithm nor tanh. With e = e^−|z|, which cannot overflow:
//!
//! ```text
//!          t                             (1 − t²) σ(z),  d = the divisor of t
//! z < 0    e (2 + e) / (e (2 + e) + 2)   4 e (1 + e) / d²
//! z ≥ 0    (1 + 2 e) / (1 + 2 e + 2 e²)  4 e² (1 + e) / d²
//! ```

use super::{Elementwise, FAR, Saves};
use chainrule_kernels::{Vector, math};
use serde::{Deserialize, Serialize};

/// a = z tanh(ln(1 + e^z)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mish {}

/// e = e^−|z|;  right: z ≥ 0;  t = top / divisor.
struct Parts<V: Vector> {
    e: V,
    right: V::Mask,
    top: V,
    divisor: V,
}

#[inline(always)]
fn parts<V: Vector>(z: V) -> Parts<V> {
    let (one, two) = (z.like(1.0), z.like(2.0));
    let e = math::exp(-z.abs());
    let right = z.ge(z.like(0.0));
    let top = V::select(right, e.fma(two, one), e * (e + two));
    let divisor = top + V::select(right, e * e * two, two);
    Parts { e, right, top, divisor }
}

impl Elementwise for Mish {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        let Parts { top, divisor, .. } = parts(z);
        z.max(z.like(-FAR)) * (top / divisor)
    }
    #[inline(always)]
    fn slope<V: Vector>(self, z: V) -> V {
        let z = z.max(z.like(-FAR)).min(z.like(FAR));
        let Parts { e, right, top, divisor } = parts(z);
        let rise = V::select(right, e * e, e) * (e + z.like(1.0)) * z.like(4.0);
        (z * (rise / divisor) + top) / divisor
    }
}
