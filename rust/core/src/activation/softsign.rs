//! softsign:  a = z / (1 + |z|),  da/dz = 1 / (1 + |z|)².   Bergstra, Desjardins, Lamblin and Bengio 2009.
//!
//! The slope is computed from z. It also equals (1 − |a|)², but that has no digits left once a rounds to ±1.

use super::{Elementwise, Saves};
use chainrule_kernels::Vector;
use serde::{Deserialize, Serialize};

/// a = z / (1 + |z|).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softsign {}

impl Elementwise for Softsign {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        // z is clamped, because ∞ / ∞ would be NaN. a is ±1 beyond |z| = 10³⁰ anyway.
        let z = z.max(z.like(-1e30)).min(z.like(1e30));
        z / (z.abs() + z.like(1.0))
    }
    #[inline(always)]
    fn slope<V: Vector>(self, z: V) -> V {
        let r = z.like(1.0) / (z.abs() + z.like(1.0));
        r * r
    }
}
