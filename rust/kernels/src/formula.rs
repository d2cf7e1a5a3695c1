//! The kinds of formula that come in from outside: a = f(x), g = f(x, y), the update of an optimizer, a term of a loss.
//!
//! A formula is a small `Copy` value with its constants as fields and one method generic over [`Vector`]. It is safe to
//! write. **The method must be `#[inline(always)]`**: only then is it compiled inside the kernel, with the target's
//! instructions; forgotten, everything still works, 20 to 60 times slower. The core's `tests/seam.rs` finds it in the binary.

use crate::Vector;

/// An elementwise formula of one argument, such as an activation: a = f(z).
pub trait Map: Copy + Send + Sync {
    /// True where `map` returns its argument: the kernels then leave the pass out.
    const IDENTITY: bool = false;
    /// True for a formula of a few instructions that is used often: products then apply it to their sums in registers,
    /// at the price of some 30 KB of code.
    const FUSED: bool = Self::IDENTITY;
    /// f(x), lane by lane.
    fn map<V: Vector>(self, x: V) -> V;
}

/// An elementwise formula of two arguments, such as a gradient through an activation: d_z = d_a ⊙ f'(a).
pub trait Map2: Copy + Send + Sync {
    /// True where `map` returns its first argument: the kernels then leave the pass out and never read the second.
    const IDENTITY: bool = false;
    /// As [`Map::FUSED`].
    const FUSED: bool = Self::IDENTITY;
    /// f(x, y), lane by lane.
    fn map<V: Vector>(self, x: V, y: V) -> V;
}

/// One step of an optimizer for a vector of parameters: (w, states) ← update(w, states, g).
pub trait Update: Copy + Send + Sync {
    /// How many of the three states are used (0 to 3): sgd 0, momentum 1, adam 2.
    const STATES: usize;
    /// The new parameters and states; states beyond `STATES` come in as 0 and are dropped.
    fn update<V: Vector>(self, w: V, states: [V; 3], g: V) -> (V, [V; 3]);
}

/// One output's part in the loss of a row: l(a, y), summed over the outputs, and dl/da.
pub trait Term: Copy + Send + Sync {
    /// (l, dl/da), lane by lane.
    fn term<V: Vector>(self, a: V, y: V) -> (V, V);
}

/// f(x) = x and f(x, y) = x: costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity;

impl Map for Identity {
    const IDENTITY: bool = true;
    #[inline(always)]
    fn map<V: Vector>(self, x: V) -> V {
        x
    }
}

impl Map2 for Identity {
    const IDENTITY: bool = true;
    #[inline(always)]
    fn map<V: Vector>(self, x: V, _: V) -> V {
        x
    }
}
