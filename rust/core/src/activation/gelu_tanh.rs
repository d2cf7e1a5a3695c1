//! gelu_tanh:  a = ½ z (1 + tanh(√(2/π) (z + 0.044715 z³))) = z σ(v)  with v = 2 √(2/π) (z + 0.044715 z³);
//! da/dz = σ(v) + z v' σ(v) (1 − σ(v)).   Hendrycks and Gimpel 2016, §2.
//!
//! Computed as z σ(v): for z < 0, 1 + tanh cancels and σ does not. The rounding of v moves a by up to 2 |v| units in
//! the last place, about as much as a change of z by half a unit. That is 180 units before a vanishes in f32.

use super::{Elementwise, FAR, Saves};
use chainrule_kernels::{Vector, math};
use serde::{Deserialize, Serialize};

/// v = LINEAR z + CUBIC z³:  LINEAR = 2 √(2/π),  CUBIC = 0.044715 · LINEAR.
const LINEAR: f64 = 1.595_769_121_605_730_7;
const CUBIC: f64 = 0.044715 * LINEAR;

/// a = ½ z (1 + tanh(√(2/π) (z + 0.044715 z³))).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeluTanh {}

impl Elementwise for GeluTanh {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn value<V: Vector>(self, z: V) -> V {
        let v = z * (z * z).fma(z.like(CUBIC), z.like(LINEAR));
        z.max(z.like(-FAR)) * math::sigmoid(v)
    }
    #[inline(always)]
    fn slope<V: Vector>(self, z: V) -> V {
        let z = z.max(z.like(-FAR)).min(z.like(FAR));
        let square = z * z;
        let v = z * square.fma(z.like(CUBIC), z.like(LINEAR));
        let dv = square.fma(z.like(3.0 * CUBIC), z.like(LINEAR));
        let (s, rest) = math::sigmoids(v);
        s * (z * dv).fma(rest, z.like(1.0))
    }
}
