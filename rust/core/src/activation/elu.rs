//! elu:  a = z where z > 0, else alpha (e^z − 1);  da/dz = 1 where z > 0, else alpha e^z = a + alpha.
//! At 0 it is alpha, as torch's.   Clevert, Unterthiner and Hochreiter 2016.

use super::Elementwise;
use crate::check::not_negative;
use chainrule_kernels::{Vector, math};
use serde::{Deserialize, Serialize};

/// a = z where z > 0, else alpha (e^z − 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elu {
    /// a → −alpha for z → −∞. Finite and ≥ 0: a then has the sign of z, and the slope follows from a.
    pub alpha: f64,
}

impl Elementwise for Elu {
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        V::select(z.gt(z.like(0.0)), z, math::expm1(z) * z.like(self.alpha))
    }
    #[inline(always)]
    fn slope<V: Vector>(self, a: V) -> V {
        V::select(a.gt(a.like(0.0)), a.like(1.0), a + a.like(self.alpha))
    }
    fn check(&self) -> Result<(), String> {
        not_negative("alpha", self.alpha)
    }
}
