//! The formulas that callers bring: a = f(x), g = f(x, y), the update of an optimizer, a term of a loss.
//!
//! A formula is a small `Copy` value: its constants are fields, and its one method, in safe code, is generic over
//! [`Vector`]. **The method must be `#[inline(always)]`**: only then is it compiled inside the kernel, with the
//! instructions of each instruction set. Without the attribute everything works, but 20 to 60 times slower; the core's
//! `tests/seam.rs` detects that in the binary.

use crate::Vector;

/// An elementwise formula of one argument, such as an activation: a = f(z).
pub trait Map: Copy + Send + Sync {
    /// True if `map` returns its argument: the kernels then skip the pass.
    const IDENTITY: bool = false;
    /// True for a formula of a few instructions that is used often: products then apply it to their sums in registers.
    /// Each such formula adds some 30 KB of code.
    const FUSED: bool = Self::IDENTITY;
    /// f(x), lane by lane.
    fn map<V: Vector>(self, x: V) -> V;
}

/// An elementwise formula of two arguments, such as a gradient through an activation: d_z = d_a ⊙ f'(a).
pub trait Map2: Copy + Send + Sync {
    /// True if `map` returns its first argument: the kernels then skip the pass and never read the second.
    const IDENTITY: bool = false;
    /// As [`Map::FUSED`].
    const FUSED: bool = Self::IDENTITY;
    /// f(x, y), lane by lane.
    fn map<V: Vector>(self, x: V, y: V) -> V;
}

/// One step of an optimizer for a vector of parameters: (w, states) ← update(w, states, g).
pub trait Update: Copy + Send + Sync {
    /// The number of states in use, 0 to 3: sgd has 0, momentum 1, adam 2.
    const STATES: usize;
    /// The new parameters and states. States beyond `STATES` come in as 0, and what is returned for them is dropped.
    fn update<V: Vector>(self, w: V, states: [V; 3], g: V) -> (V, [V; 3]);
}

/// The part of one output in the loss of a row: l(a, y), to be summed over the outputs, and dl/da.
pub trait Term: Copy + Send + Sync {
    /// (l, dl/da), lane by lane.
    fn term<V: Vector>(self, a: V, y: V) -> (V, V);
}

/// f(x) = x and f(x, y) = x. The kernels skip it, so it costs nothing.
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
