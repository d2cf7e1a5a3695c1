//! A vector of numbers in one register. Formulas use its arithmetic ([`Vector`], safe); only kernels load it, store it
//! or make one from nothing ([`Raw`], unsafe).
//!
//! Not every CPU has these instructions, yet the arithmetic is safe, for one reason: **a value proves the CPU**. Only
//! `Raw` makes a first value, in code that is unsafe and private, and kernels run only inside [`Machine::run`], which
//! holds a token that detection made. Constants are made from an existing value: `x.like(0.5)`.
//!
//! [`Machine::run`]: crate::machine::Machine::run

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
mod pair;
pub(crate) mod portable;
mod shape;

use crate::Real;
pub(crate) use pair::Pair;
pub(crate) use shape::Shape;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A register full of numbers. All operations work lane by lane and round as IEEE 754 says.
///
/// A formula gives the same bits on every instruction set with fused multiply-add (`avx512`, `avx2`). On `portable`
/// only [`fma`](Vector::fma) differs: it rounds twice.
pub trait Vector:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The type of a lane.
    type Scalar: Real;
    /// One truth value a lane.
    type Mask: Copy;
    /// c in every lane, rounded to the lane's type. The numbers in `self` do not matter.
    fn like(self, c: f64) -> Self;
    /// self · b + c, rounded once (twice on `portable`).
    fn fma(self, b: Self, c: Self) -> Self;
    /// √self
    fn sqrt(self) -> Self;
    /// `other` where it is greater, otherwise `self`: a NaN in `self` stays, one in `other` is dropped.
    fn max(self, other: Self) -> Self;
    /// `other` where it is smaller, otherwise `self`: a NaN in `self` stays, one in `other` is dropped.
    fn min(self, other: Self) -> Self;
    /// |self|
    fn abs(self) -> Self;
    /// |self| with the sign of `sign`, for zeros and NaN too.
    fn copysign(self, sign: Self) -> Self;
    /// The nearest whole number, ties to even.
    fn round(self) -> Self;
    /// self · 2ⁿ with a whole n in every lane, rounded once; |n| ≤ 252 (`f32`) or 2044 (`f64`), 2⁻³⁰ ≤ |self| < 4.
    /// Overflows to infinity, underflows gradually to 0. NaN stays NaN for every n.
    fn scale2(self, n: Self) -> Self;
    /// self > other; false if one is NaN.
    fn gt(self, other: Self) -> Self::Mask;
    /// self ≥ other; false if one is NaN.
    fn ge(self, other: Self) -> Self::Mask;
    /// self = other; false if one is NaN.
    fn eq(self, other: Self) -> Self::Mask;
    /// `a` where the mask is true, otherwise `b`. Both are computed; a NaN in the other one has no effect.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;
}

/// What kernels need beyond arithmetic.
///
/// # Safety
/// The CPU must have the vector's instructions, which `Machine::run` guarantees in kernels. `load` and `store` need
/// `LANES` readable or writable numbers at `p`, of any alignment.
pub trait Raw: Vector {
    /// Numbers in a vector. Divides [`Real::LINE`].
    const LANES: usize;
    /// Rows of the largest register tile of the usual width: two vectors (`PAIRS`) or one.
    const TILE_ROWS: usize;
    /// The same if a long formula, an optimizer's, takes the sums.
    const TILE_ROWS_LONG: usize;
    /// Whether that tile is two vectors wide.
    const PAIRS: bool;
    /// Rows of the largest tile four vectors wide; 0 if there is none.
    const TILE_ROWS_4_WIDE: usize;
    /// Whether half a vector costs half as much: a last vector that is at most half full then is half a vector.
    const HALVES: bool = false;
    /// Whether the kernels of [`small`](crate::small) are compiled for it, some 60 KB of code.
    const SMALL: bool = true;
    /// Half a vector, or a whole one if that costs as much.
    type Half: Raw<Scalar = Self::Scalar>;
    /// c in every lane.
    unsafe fn splat(c: Self::Scalar) -> Self;
    /// The numbers at p.
    unsafe fn load(p: *const Self::Scalar) -> Self;
    /// The first `count` numbers at p, at least 1 and fewer than LANES, and zeros; touches no memory beyond them.
    unsafe fn load_first(p: *const Self::Scalar, count: usize) -> Self;
    /// Writes the numbers to p.
    unsafe fn store(self, p: *mut Self::Scalar);
    /// Prefetches the line at p, which may be any address.
    unsafe fn prefetch(p: *const Self::Scalar);
    /// The same, but only into the second cache.
    unsafe fn prefetch_far(p: *const Self::Scalar);
    /// The sum of all lanes, in any order.
    #[inline(always)]
    unsafe fn sum(self) -> Self::Scalar {
        let mut lanes = [Self::Scalar::ZERO; 16];
        // SAFETY: 16 lanes are the most that a vector has; the caller knows the CPU.
        unsafe { self.store(lanes.as_mut_ptr()) };
        let mut half = Self::LANES;
        while half > 1 {
            half /= 2;
            for i in 0..half {
                lanes[i] += lanes[i + half];
            }
        }
        lanes[0]
    }
    /// to[j * to_stride + i] = from[i * from_stride + j] for a block of LANES × LANES.
    unsafe fn transpose(from: *const Self::Scalar, from_stride: usize, to: *mut Self::Scalar, to_stride: usize);
}

/// The operators of a vector, from four intrinsics.
#[cfg(target_arch = "x86_64")]
macro_rules! operators {
    ($v:ident, $($op:ident $method:ident $intrinsic:ident),*) => { $(
        impl std::ops::$op for $v {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: the CPU has the instruction: `self` exists, and only a detected instruction set makes one.
                $v(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    )* };
}
#[cfg(target_arch = "x86_64")]
use operators;
