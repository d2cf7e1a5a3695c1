//! Vectors of 16 bytes as plain arrays, for any CPU. The compiler turns them into SSE2 or NEON.
//!
//! `fma` is a product and a sum, rounded twice. Without the instruction, a single rounding takes a library call for
//! each number and is hundreds of times slower.

use super::{Raw, Vector};
use std::ops::{Add, Div, Mul, Neg, Sub};

macro_rules! portable {
    ($v:ident, $t:ident, $lanes:literal, $bits:ident, $signed:ident, mantissa $mantissa:literal, bias $bias:literal) => {
        #[doc = concat!($lanes, " `", stringify!($t), "`.")]
        #[derive(Clone, Copy)]
        pub struct $v([$t; $lanes]);

        impl $v {
            #[inline(always)]
            fn each(mut self, f: impl Fn($t) -> $t) -> Self {
                for x in &mut self.0 {
                    *x = f(*x);
                }
                self
            }
            #[inline(always)]
            fn both(mut self, other: Self, f: impl Fn($t, $t) -> $t) -> Self {
                for (x, y) in self.0.iter_mut().zip(other.0) {
                    *x = f(*x, y);
                }
                self
            }
            #[inline(always)]
            fn compare(self, other: Self, f: impl Fn($t, $t) -> bool) -> [bool; $lanes] {
                let mut mask = [false; $lanes];
                for (i, truth) in mask.iter_mut().enumerate() {
                    *truth = f(self.0[i], other.0[i]);
                }
                mask
            }
        }
        portable!(@operators $v, Add add +, Sub sub -, Mul mul *, Div div /);
        impl Neg for $v {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                self.each(|x| -x)
            }
        }
        impl Vector for $v {
            type Scalar = $t;
            type Mask = [bool; $lanes];
            #[inline(always)]
            fn like(self, c: f64) -> Self {
                $v([c as $t; $lanes])
            }
            #[inline(always)]
            fn fma(self, b: Self, c: Self) -> Self {
                self * b + c
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.each(|x| x.sqrt())
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                self.both(other, |x, y| if y > x { y } else { x })
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                self.both(other, |x, y| if y < x { y } else { x })
            }
            #[inline(always)]
            fn abs(self) -> Self {
                self.each(|x| x.abs())
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                self.both(sign, |x, y| x.copysign(y))
            }
            #[inline(always)]
            fn round(self) -> Self {
                // From 2^mantissa on, every number is whole. Adding that to a smaller number leaves no bits for a
                // fraction.
                self.each(|x| {
                    let whole = ((1 as $bits) << $mantissa) as $t;
                    let near = ((x.abs() + whole) - whole).copysign(x);
                    if x.abs() < whole { near } else { x }
                })
            }
            #[inline(always)]
            fn scale2(self, n: Self) -> Self {
                // 2ⁿ may be too large or too small for a normal number, but its two factors are normal; the first
                // product is exact.
                self.both(n, |x, n| {
                    let n = n as $signed;
                    let half = n >> 1;
                    let power = |e: $signed| $t::from_bits((e.wrapping_add($bias) as $bits) << $mantissa);
                    x * power(half) * power(n.wrapping_sub(half))
                })
            }
            #[inline(always)]
            fn gt(self, other: Self) -> Self::Mask {
                self.compare(other, |x, y| x > y)
            }
            #[inline(always)]
            fn ge(self, other: Self) -> Self::Mask {
                self.compare(other, |x, y| x >= y)
            }
            #[inline(always)]
            fn eq(self, other: Self) -> Self::Mask {
                self.compare(other, |x, y| x == y)
            }
            #[inline(always)]
            fn select(mask: Self::Mask, a: Self, mut b: Self) -> Self {
                for i in 0..$lanes {
                    if mask[i] {
                        b.0[i] = a.0[i];
                    }
                }
                b
            }
        }
        impl Raw for $v {
            const LANES: usize = $lanes;
            // 8 sums, 2 vectors of b and 1 broadcast fit the 16 registers of SSE2.
            const TILE_ROWS: usize = 4;
            const TILE_ROWS_LONG: usize = 4;
            const PAIRS: bool = true;
            const SMALL: bool = false;
            type Half = Self;
            const TILE_ROWS_4_WIDE: usize = 0;
            #[inline(always)]
            unsafe fn splat(c: $t) -> Self {
                $v([c; $lanes])
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                // SAFETY: the caller promises LANES numbers at p, of any alignment.
                $v(unsafe { p.cast::<[$t; $lanes]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn load_first(p: *const $t, count: usize) -> Self {
                let mut x = [0.0; $lanes];
                for (i, x) in x.iter_mut().enumerate().take(count) {
                    // SAFETY: the caller promises `count` numbers at p.
                    *x = unsafe { *p.add(i) };
                }
                $v(x)
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                // SAFETY: the caller promises room for LANES numbers at p, of any alignment.
                unsafe { p.cast::<[$t; $lanes]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn prefetch(_: *const $t) {}
            #[inline(always)]
            unsafe fn prefetch_far(_: *const $t) {}
            #[inline(always)]
            unsafe fn transpose(from: *const $t, from_stride: usize, to: *mut $t, to_stride: usize) {
                for i in 0..$lanes {
                    for j in 0..$lanes {
                        // SAFETY: the caller promises both blocks.
                        unsafe { *to.add(j * to_stride + i) = *from.add(i * from_stride + j) };
                    }
                }
            }
        }
    };
    (@operators $v:ident, $($op:ident $method:ident $sign:tt),*) => { $(
        impl $op for $v {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.both(other, |x, y| x $sign y)
            }
        }
    )* };
}
portable!(F32x4, f32, 4, u32, i32, mantissa 23, bias 127);
portable!(F64x2, f64, 2, u64, i64, mantissa 52, bias 1023);
