//! hard_tanh:  a = min(max(z, −1), 1),  da/dz = 1 where −1 < a < 1, else 0. At both kinks it is 0, as torch's.
//! Collobert 2004.

use super::Elementwise;
use chainrule_kernels::Vector;
use serde::{Deserialize, Serialize};

/// a = min(max(z, −1), 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardTanh {}

impl Elementwise for HardTanh {
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        z.max(z.like(-1.0)).min(z.like(1.0))
    }
    #[inline(always)]
    fn slope<V: Vector>(self, a: V) -> V {
        V::select(a.like(1.0).gt(a.abs()), a.like(1.0), a.like(0.0))
    }
}
