//! identity:  a = z,  da/dz = 1. The output activation for regression, and for every loss that applies its own link.

use super::Elementwise;
use chainrule_kernels::Vector;
use serde::{Deserialize, Serialize};

/// a = z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {}

impl Elementwise for Identity {
    const IDENTITY: bool = true;
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        z
    }
    #[inline(always)]
    fn slope<V: Vector>(self, a: V) -> V {
        a.like(1.0)
    }
}
