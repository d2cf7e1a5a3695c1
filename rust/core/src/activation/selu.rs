//! selu:  a = lambda z where z > 0, else lambda alpha (e^z − 1);
//! da/dz = lambda where z > 0, else lambda alpha e^z = a + lambda alpha. At 0 it is the latter, as torch's.
//! Klambauer, Unterthiner, Mayr and Hochreiter 2017, §2.
//!
//! The two constants make mean 0 and variance 1 of the weighted inputs a fixed point from layer to layer.

use super::Elementwise;
use chainrule_kernels::{Vector, math};
use serde::{Deserialize, Serialize};

const ALPHA: f64 = 1.673_263_242_354_377_2;
const LAMBDA: f64 = 1.050_700_987_355_480_5;

/// a = lambda z where z > 0, else lambda alpha (e^z − 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selu {}

impl Elementwise for Selu {
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        V::select(z.gt(z.like(0.0)), z * z.like(LAMBDA), math::expm1(z) * z.like(LAMBDA * ALPHA))
    }
    #[inline(always)]
    fn slope<V: Vector>(self, a: V) -> V {
        V::select(a.gt(a.like(0.0)), a.like(LAMBDA), a + a.like(LAMBDA * ALPHA))
    }
}
