//! softplus:  a = ln(1 + e^z),  da/dz = 1 / (1 + e^−z) = 1 − e^−a.   Dugas et al. 2001.
//!
//! The slope is computed from a, as −expm1(−a), without loss of digits: it tends to a itself for z → −∞, and to 1 for
//! z → ∞.

use super::Elementwise;
use chainrule_kernels::{Vector, math};
use serde::{Deserialize, Serialize};

/// a = ln(1 + e^z).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softplus {}

impl Elementwise for Softplus {
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        math::softplus(z)
    }
    #[inline(always)]
    fn slope<V: Vector>(self, a: V) -> V {
        -math::expm1(-a)
    }
}
