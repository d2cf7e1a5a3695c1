//! Vectors of 64 bytes: AVX-512 F, VL, DQ and BW (Intel Skylake-X, AMD Zen 4 and later).

use super::{Raw, Vector, avx2, operators};
use std::arch::x86_64::*;

/// Sixteen `f32`.
#[derive(Clone, Copy)]
pub struct F32x16(__m512);

/// Eight `f64`.
#[derive(Clone, Copy)]
pub struct F64x8(__m512d);

operators!(F32x16, Add add _mm512_add_ps, Sub sub _mm512_sub_ps, Mul mul _mm512_mul_ps, Div div _mm512_div_ps);
operators!(F64x8, Add add _mm512_add_pd, Sub sub _mm512_sub_pd, Mul mul _mm512_mul_pd, Div div _mm512_div_pd);

macro_rules! avx512 {
    ($v:ident, $half:ident, $t:ident, $mask:ident, $lanes:literal, set1 $set1:ident, fma $fma:ident, sqrt $sqrt:ident,
     max $max:ident, min $min:ident, and $and:ident, andnot $andnot:ident, or $or:ident, xor $xor:ident,
     round $round:ident, scale $scale:ident, cmp $cmp:ident, blend $blend:ident, load $load:ident, load_first $load_first:ident, store $store:ident,
     transpose $transpose:ident) => {
        impl std::ops::Neg for $v {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                // SAFETY: a value proves the CPU (see the module above).
                $v(unsafe { $xor(self.0, $set1(-0.0)) })
            }
        }
        impl Vector for $v {
            type Scalar = $t;
            type Mask = $mask;
            #[inline(always)]
            fn like(self, c: f64) -> Self {
                // SAFETY: a value proves the CPU.
                $v(unsafe { $set1(c as $t) })
            }
            #[inline(always)]
            fn fma(self, b: Self, c: Self) -> Self {
                // SAFETY: a value proves the CPU.
                $v(unsafe { $fma(self.0, b.0, c.0) })
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                // SAFETY: a value proves the CPU.
                $v(unsafe { $sqrt(self.0) })
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                // The instruction returns its second operand if both are equal or one is NaN.
                // SAFETY: a value proves the CPU.
                $v(unsafe { $max(other.0, self.0) })
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                // SAFETY: a value proves the CPU.
                $v(unsafe { $min(other.0, self.0) })
            }
            #[inline(always)]
            fn abs(self) -> Self {
                // SAFETY: a value proves the CPU.
                $v(unsafe { $andnot($set1(-0.0), self.0) })
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                // SAFETY: a value proves the CPU.
                $v(unsafe {
                    let bit = $set1(-0.0);
                    $or($andnot(bit, self.0), $and(bit, sign.0))
                })
            }
            #[inline(always)]
            fn round(self) -> Self {
                // SAFETY: a value proves the CPU.
                $v(unsafe { $round::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
            }
            #[inline(always)]
            fn scale2(self, n: Self) -> Self {
                // SAFETY: a value proves the CPU.
                $v(unsafe { $scale(self.0, n.0) })
            }
            #[inline(always)]
            fn gt(self, other: Self) -> $mask {
                // SAFETY: a value proves the CPU.
                unsafe { $cmp::<_CMP_GT_OQ>(self.0, other.0) }
            }
            #[inline(always)]
            fn ge(self, other: Self) -> $mask {
                // SAFETY: a value proves the CPU.
                unsafe { $cmp::<_CMP_GE_OQ>(self.0, other.0) }
            }
            #[inline(always)]
            fn eq(self, other: Self) -> $mask {
                // SAFETY: a value proves the CPU.
                unsafe { $cmp::<_CMP_EQ_OQ>(self.0, other.0) }
            }
            #[inline(always)]
            fn select(mask: $mask, a: Self, b: Self) -> Self {
                // SAFETY: a value proves the CPU.
                $v(unsafe { $blend(mask, b.0, a.0) })
            }
        }
        impl Raw for $v {
            const LANES: usize = $lanes;
            // The multiply-add broadcasts its operand itself. Tiles of 8 rows and one vector beat wider ones at every
            // size.
            const TILE_ROWS: usize = 8;
            const TILE_ROWS_LONG: usize = 6;
            const PAIRS: bool = false;
            const TILE_ROWS_4_WIDE: usize = 3;
            // The processor computes two half vectors at a time.
            const HALVES: bool = true;
            type Half = avx2::$half;
            #[inline(always)]
            unsafe fn splat(c: $t) -> Self {
                // SAFETY: the caller knows the CPU.
                $v(unsafe { $set1(c) })
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                // SAFETY: the caller knows the CPU and p.
                $v(unsafe { $load(p) })
            }
            #[inline(always)]
            unsafe fn load_first(p: *const $t, count: usize) -> Self {
                // SAFETY: the caller knows the CPU and `count` numbers at p; the mask leaves the others alone.
                $v(unsafe { $load_first((1 << count) - 1, p) })
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                // SAFETY: the caller knows the CPU and p.
                unsafe { $store(p, self.0) }
            }
            #[inline(always)]
            unsafe fn prefetch(p: *const $t) {
                // SAFETY: a prefetch is a hint and may have any address.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
            }
            #[inline(always)]
            unsafe fn prefetch_far(p: *const $t) {
                // SAFETY: a prefetch is a hint and may have any address.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(p.cast()) }
            }
            #[inline(always)]
            unsafe fn transpose(from: *const $t, from_stride: usize, to: *mut $t, to_stride: usize) {
                // SAFETY: the caller knows the CPU and both blocks.
                unsafe { $transpose(from, from_stride, to, to_stride) }
            }
        }
    };
}
avx512!(F32x16, F32x8, f32, __mmask16, 16, set1 _mm512_set1_ps, fma _mm512_fmadd_ps, sqrt _mm512_sqrt_ps,
    max _mm512_max_ps, min _mm512_min_ps, and _mm512_and_ps, andnot _mm512_andnot_ps, or _mm512_or_ps, xor _mm512_xor_ps,
    round _mm512_roundscale_ps, scale _mm512_scalef_ps, cmp _mm512_cmp_ps_mask, blend _mm512_mask_blend_ps,
    load _mm512_loadu_ps, load_first _mm512_maskz_loadu_ps, store _mm512_storeu_ps, transpose transpose_ps);
avx512!(F64x8, F64x4, f64, __mmask8, 8, set1 _mm512_set1_pd, fma _mm512_fmadd_pd, sqrt _mm512_sqrt_pd,
    max _mm512_max_pd, min _mm512_min_pd, and _mm512_and_pd, andnot _mm512_andnot_pd, or _mm512_or_pd, xor _mm512_xor_pd,
    round _mm512_roundscale_pd, scale _mm512_scalef_pd, cmp _mm512_cmp_pd_mask, blend _mm512_mask_blend_pd,
    load _mm512_loadu_pd, load_first _mm512_maskz_loadu_pd, store _mm512_storeu_pd, transpose transpose_pd);

/// The transpose in four blocks of half the size, which AVX2 does as fast as memory allows.
macro_rules! in_quarters {
    ($name:ident, $t:ident, $half:literal) => {
        /// # Safety
        /// The CPU must have AVX-512; `from` must be readable and `to` writable.
        #[inline(always)]
        unsafe fn $name(from: *const $t, from_stride: usize, to: *mut $t, to_stride: usize) {
            for (i, j) in [(0, 0), ($half, 0), (0, $half), ($half, $half)] {
                // SAFETY: inside the caller's blocks; detection of AVX-512 includes AVX2.
                unsafe {
                    avx2::$name(from.add(i * from_stride + j), from_stride, to.add(j * to_stride + i), to_stride);
                }
            }
        }
    };
}
in_quarters!(transpose_ps, f32, 8);
in_quarters!(transpose_pd, f64, 4);
