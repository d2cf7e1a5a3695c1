//! sigmoid:  a = 1 / (1 + exp(−z)),  da/dz = a (1 − a).   Rumelhart, Hinton and Williams 1986.

use super::Elementwise;
use chainrule_kernels::{Vector, math};
use serde::{Deserialize, Serialize};

/// a = 1 / (1 + exp(−z)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigmoid {}

impl Elementwise for Sigmoid {
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        math::sigmoid(z)
    }
    #[inline(always)]
    fn slope<V: Vector>(self, a: V) -> V {
        a * (a.like(1.0) - a)
    }
}
