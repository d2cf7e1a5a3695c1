//! Vectors of 32 bytes: AVX2 and FMA (Intel Haswell, AMD Zen and later).

use super::{Raw, Vector, operators};
use std::arch::x86_64::*;

/// Eight `f32`.
#[derive(Clone, Copy)]
pub struct F32x8(__m256);

/// Four `f64`.
#[derive(Clone, Copy)]
pub struct F64x4(__m256d);

operators!(F32x8, Add add _mm256_add_ps, Sub sub _mm256_sub_ps, Mul mul _mm256_mul_ps, Div div _mm256_div_ps);
operators!(F64x4, Add add _mm256_add_pd, Sub sub _mm256_sub_pd, Mul mul _mm256_mul_pd, Div div _mm256_div_pd);

macro_rules! avx2 {
    ($v:ident, $t:ident, $reg:ident, $lanes:literal, set1 $set1:ident, fma $fma:ident, sqrt $sqrt:ident,
     max $max:ident, min $min:ident, and $and:ident, andnot $andnot:ident, or $or:ident, xor $xor:ident,
     round $round:ident, cmp $cmp:ident, blend $blend:ident, load $load:ident, load_first $load_first:ident $signed:ident, store $store:ident, power $power:ident, transpose $transpose:ident) => {
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
            type Mask = $reg;
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
                // 2ⁿ may be too large or too small for a normal number, but its two factors are normal; the first
                // product is exact.
                // SAFETY: a value proves the CPU.
                let [a, b] = unsafe { $power(n.0) };
                self * $v(a) * $v(b)
            }
            #[inline(always)]
            fn gt(self, other: Self) -> $reg {
                // SAFETY: a value proves the CPU.
                unsafe { $cmp::<_CMP_GT_OQ>(self.0, other.0) }
            }
            #[inline(always)]
            fn ge(self, other: Self) -> $reg {
                // SAFETY: a value proves the CPU.
                unsafe { $cmp::<_CMP_GE_OQ>(self.0, other.0) }
            }
            #[inline(always)]
            fn eq(self, other: Self) -> $reg {
                // SAFETY: a value proves the CPU.
                unsafe { $cmp::<_CMP_EQ_OQ>(self.0, other.0) }
            }
            #[inline(always)]
            fn select(mask: $reg, a: Self, b: Self) -> Self {
                // SAFETY: a value proves the CPU.
                $v(unsafe { $blend(b.0, a.0, mask) })
            }
        }
        impl Raw for $v {
            const LANES: usize = $lanes;
            // 12 sums, 2 vectors of b and 1 broadcast take 15 of 16 registers.
            const TILE_ROWS: usize = 6;
            const TILE_ROWS_LONG: usize = 4;
            const PAIRS: bool = true;
            type Half = Self;
            const TILE_ROWS_4_WIDE: usize = 2;
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
                // A lane of the mask is true if its highest bit is set. The slice read here starts with `count` such
                // lanes.
                const MASK: [$signed; 2 * $lanes] = {
                    let mut mask = [0; 2 * $lanes];
                    let mut i = 0;
                    while i < $lanes {
                        mask[i] = -1;
                        i += 1;
                    }
                    mask
                };
                // SAFETY: the caller knows the CPU and `count` numbers at p, which the mask lets through alone.
                unsafe {
                    let mask = _mm256_loadu_si256(MASK.as_ptr().add($lanes - count).cast());
                    $v($load_first(p, mask))
                }
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
avx2!(F32x8, f32, __m256, 8, set1 _mm256_set1_ps, fma _mm256_fmadd_ps, sqrt _mm256_sqrt_ps,
    max _mm256_max_ps, min _mm256_min_ps, and _mm256_and_ps, andnot _mm256_andnot_ps, or _mm256_or_ps, xor _mm256_xor_ps,
    round _mm256_round_ps, cmp _mm256_cmp_ps, blend _mm256_blendv_ps, load _mm256_loadu_ps, load_first _mm256_maskload_ps i32, store _mm256_storeu_ps,
    power power_ps, transpose transpose_ps);
avx2!(F64x4, f64, __m256d, 4, set1 _mm256_set1_pd, fma _mm256_fmadd_pd, sqrt _mm256_sqrt_pd,
    max _mm256_max_pd, min _mm256_min_pd, and _mm256_and_pd, andnot _mm256_andnot_pd, or _mm256_or_pd, xor _mm256_xor_pd,
    round _mm256_round_pd, cmp _mm256_cmp_pd, blend _mm256_blendv_pd, load _mm256_loadu_pd, load_first _mm256_maskload_pd i64, store _mm256_storeu_pd,
    power power_pd, transpose transpose_pd);

/// 2ʰ and 2ⁿ⁻ʰ with h = ⌊n/2⌋: the biased exponent is shifted to its bits.
///
/// # Safety
/// The CPU must have AVX2.
#[inline(always)]
unsafe fn power_ps(n: __m256) -> [__m256; 2] {
    // SAFETY: the caller knows the CPU.
    unsafe {
        let n = _mm256_cvtps_epi32(n);
        let half = _mm256_srai_epi32::<1>(n);
        [half, _mm256_sub_epi32(n, half)].map(
            #[inline(always)]
            |e| {
                let biased = _mm256_add_epi32(e, _mm256_set1_epi32(127));
                _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased))
            },
        )
    }
}

/// 2ʰ and 2ⁿ⁻ʰ with h = ⌊n/2⌋.
///
/// # Safety
/// The CPU must have AVX2.
#[inline(always)]
unsafe fn power_pd(n: __m256d) -> [__m256d; 2] {
    // SAFETY: the caller knows the CPU.
    unsafe {
        let n = _mm256_cvtpd_epi32(n);
        let half = _mm_srai_epi32::<1>(n);
        [half, _mm_sub_epi32(n, half)].map(
            #[inline(always)]
            |e| {
                let biased = _mm256_cvtepi32_epi64(_mm_add_epi32(e, _mm_set1_epi32(1023)));
                _mm256_castsi256_pd(_mm256_slli_epi64::<52>(biased))
            },
        )
    }
}

/// The transpose of 8 × 8 numbers: pairs are swapped, then fours, then halves of the registers.
///
/// # Safety
/// The CPU must have AVX2; `from` must be readable and `to` writable.
#[inline(always)]
pub(super) unsafe fn transpose_ps(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
    // SAFETY: the caller knows the CPU and the blocks.
    unsafe {
        for half in 0..2 {
            // Columns 4 half .. 4 half + 4 of the rows i (low) and i + 4 (high).
            let rows = [0, 1, 2, 3].map(
                #[inline(always)]
                |i| {
                    let p = from.add(i * from_stride + 4 * half);
                    let low = _mm256_castps128_ps256(_mm_loadu_ps(p));
                    _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(p.add(4 * from_stride)))
                },
            );
            let (a, b) = (_mm256_unpacklo_ps(rows[0], rows[1]), _mm256_unpackhi_ps(rows[0], rows[1]));
            let (c, d) = (_mm256_unpacklo_ps(rows[2], rows[3]), _mm256_unpackhi_ps(rows[2], rows[3]));
            let to = to.add(4 * half * to_stride);
            _mm256_storeu_ps(to, _mm256_shuffle_ps::<0x44>(a, c));
            _mm256_storeu_ps(to.add(to_stride), _mm256_shuffle_ps::<0xEE>(a, c));
            _mm256_storeu_ps(to.add(2 * to_stride), _mm256_shuffle_ps::<0x44>(b, d));
            _mm256_storeu_ps(to.add(3 * to_stride), _mm256_shuffle_ps::<0xEE>(b, d));
        }
    }
}

/// The transpose of 4 × 4 numbers.
///
/// # Safety
/// The CPU must have AVX2; `from` must be readable and `to` writable.
#[inline(always)]
pub(super) unsafe fn transpose_pd(from: *const f64, from_stride: usize, to: *mut f64, to_stride: usize) {
    // SAFETY: the caller knows the CPU and the blocks.
    unsafe {
        for half in 0..2 {
            // Columns 2 half, 2 half + 1 of the rows i (low) and i + 2 (high).
            let rows = [0, 1].map(
                #[inline(always)]
                |i| {
                    let p = from.add(i * from_stride + 2 * half);
                    let low = _mm256_castpd128_pd256(_mm_loadu_pd(p));
                    _mm256_insertf128_pd::<1>(low, _mm_loadu_pd(p.add(2 * from_stride)))
                },
            );
            let to = to.add(2 * half * to_stride);
            _mm256_storeu_pd(to, _mm256_unpacklo_pd(rows[0], rows[1]));
            _mm256_storeu_pd(to.add(to_stride), _mm256_unpackhi_pd(rows[0], rows[1]));
        }
    }
}
