//! hard_sigmoid:  a = min(max(z + 3, 0), 6) / 6,  da/dz = 1/6 where −3 < z < 3, else 0 (0 at both kinks, as torch's).
//! Courbariaux, Bengio and David 2015; the constants are those of Howard et al. 2019.

use super::{Elementwise, Saves};
use chainrule_kernels::Vector;
use serde::{Deserialize, Serialize};

/// a = min(max(z + 3, 0), 6) / 6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardSigmoid {}

impl Elementwise for HardSigmoid {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        (z + z.like(3.0)).max(z.like(0.0)).min(z.like(6.0)) / z.like(6.0)
    }
    #[inline(always)]
    fn slope<V: Vector>(self, z: V) -> V {
        V::select(z.like(3.0).gt(z.abs()), z.like(1.0 / 6.0), z.like(0.0))
    }
}
