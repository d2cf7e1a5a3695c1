//! tanh:  a = tanh(z),  da/dz = 1 − a².   LeCun et al. 1998, §4.4.

use super::Elementwise;
use chainrule_kernels::{Vector, math};
use serde::{Deserialize, Serialize};

/// a = tanh(z).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tanh {}

impl Elementwise for Tanh {
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        math::tanh(z)
    }
    #[inline(always)]
    fn slope<V: Vector>(self, a: V) -> V {
        a.like(1.0) - a * a
    }
}
