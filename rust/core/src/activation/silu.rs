//! silu:  a = z σ(z) with σ the logistic sigmoid,  da/dz = σ (1 + z (1 − σ)).   Elfwing, Uchibe and Doya 2018;
//! Ramachandran, Zoph and Le 2017, under the name swish.
//!
//! z is clamped first: for z → ±∞ the formulas would multiply ∞ by 0. σ is exactly 0 or 1 long before the clamp.

use super::{Elementwise, FAR, Saves};
use chainrule_kernels::{Vector, math};
use serde::{Deserialize, Serialize};

/// a = z / (1 + e^−z).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silu {}

impl Elementwise for Silu {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        z.max(z.like(-FAR)) * math::sigmoid(z)
    }
    #[inline(always)]
    fn slope<V: Vector>(self, z: V) -> V {
        let z = z.max(z.like(-FAR)).min(z.like(FAR));
        let (s, rest) = math::sigmoids(z);
        s * z.fma(rest, z.like(1.0))
    }
}
