//! relu:  a = max(0, z),  da/dz = 1 where z > 0, else 0. At the kink it is 0, as torch's.   Nair and Hinton 2010.

use super::Elementwise;
use chainrule_kernels::Vector;
use serde::{Deserialize, Serialize};

/// a = max(0, z).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relu {}

impl Elementwise for Relu {
    const FUSED: bool = true;
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        z.max(z.like(0.0))
    }
    #[inline(always)]
    fn slope<V: Vector>(self, a: V) -> V {
        V::select(a.gt(a.like(0.0)), a.like(1.0), a.like(0.0))
    }
}
