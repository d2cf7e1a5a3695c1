//! Two vectors as one. In a long formula each operation waits for the one before, so two vectors take little longer
//! than one.
//!
//! There are no closures and no arrays, because what is not inlined into a kernel is compiled without its instruction
//! set.

use super::Vector;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Two vectors.
#[derive(Clone, Copy)]
pub(crate) struct Pair<V>(pub(crate) V, pub(crate) V);

/// Methods of two arguments.
macro_rules! both {
    ($($method:ident -> $out:ty: $wrap:expr),*) => { $(
        #[inline(always)]
        fn $method(self, other: Self) -> $out {
            $wrap(self.0.$method(other.0), self.1.$method(other.1))
        }
    )* };
}

macro_rules! operators {
    ($($op:ident $method:ident),*) => { $(
        impl<V: Vector> $op for Pair<V> {
            type Output = Self;
            both! { $method -> Self: Pair }
        }
    )* };
}
operators!(Add add, Sub sub, Mul mul, Div div);

impl<V: Vector> Neg for Pair<V> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Pair(-self.0, -self.1)
    }
}

impl<V: Vector> Vector for Pair<V> {
    type Scalar = V::Scalar;
    type Mask = Pair<V::Mask>;
    both! {
        max -> Self: Pair, min -> Self: Pair, copysign -> Self: Pair, scale2 -> Self: Pair,
        gt -> Self::Mask: Pair, ge -> Self::Mask: Pair, eq -> Self::Mask: Pair
    }
    #[inline(always)]
    fn like(self, c: f64) -> Self {
        Pair(self.0.like(c), self.1.like(c))
    }
    #[inline(always)]
    fn fma(self, b: Self, c: Self) -> Self {
        Pair(self.0.fma(b.0, c.0), self.1.fma(b.1, c.1))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Pair(self.0.sqrt(), self.1.sqrt())
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Pair(self.0.abs(), self.1.abs())
    }
    #[inline(always)]
    fn round(self) -> Self {
        Pair(self.0.round(), self.1.round())
    }
    #[inline(always)]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        Pair(V::select(mask.0, a.0, b.0), V::select(mask.1, a.1, b.1))
    }
}
