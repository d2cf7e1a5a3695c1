//! leaky_relu:  a = z where z > 0, else negative_slope · z;  da/dz = 1 where z > 0, else negative_slope.
//! Maas et al. 2013.

use super::Elementwise;
use crate::check::fraction;
use chainrule_kernels::Vector;
use serde::{Deserialize, Serialize};

/// a = z where z > 0, else negative_slope · z.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakyRelu {
    /// Slope where z ≤ 0, in [0, 1). Never negative: a then has the sign of z, and the slope follows from a.
    pub negative_slope: f64,
}

impl Elementwise for LeakyRelu {
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        V::select(z.gt(z.like(0.0)), z, z * z.like(self.negative_slope))
    }
    #[inline(always)]
    fn slope<V: Vector>(self, a: V) -> V {
        V::select(a.gt(a.like(0.0)), a.like(1.0), a.like(self.negative_slope))
    }
    fn check(&self) -> Result<(), String> {
        fraction("negative_slope", self.negative_slope)
    }
}
