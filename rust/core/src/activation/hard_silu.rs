//! hard_silu:  a = z min(max(z + 3, 0), 6) / 6,  da/dz = 0 where z ≤ −3, (2 z + 3) / 6 where −3 < z < 3, 1 where z ≥ 3;
//! at the kinks as torch's.   Howard et al. 2019, §5.2, under the name hard swish.

use super::{Elementwise, HardSigmoid, Saves};
use chainrule_kernels::Vector;
use serde::{Deserialize, Serialize};

/// a = z min(max(z + 3, 0), 6) / 6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardSilu {}

impl Elementwise for HardSilu {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        // For z < −3 the second factor is 0. The first is clamped, because −∞ · 0 would be NaN.
        z.max(z.like(-3.0)) * HardSigmoid {}.value(z)
    }
    #[inline(always)]
    fn slope<V: Vector>(self, z: V) -> V {
        let outside = V::select(z.gt(z.like(0.0)), z.like(1.0), z.like(0.0));
        let inside = z.fma(z.like(1.0 / 3.0), z.like(0.5));
        V::select(z.like(3.0).gt(z.abs()), inside, outside)
    }
}
