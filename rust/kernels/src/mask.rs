//! Dropout masks drawn from counters: a unit's bits are a pure function of (key, row, column), so any part of a mask
//! can be drawn again, in any order and on any thread.
//!
//! ```text
//! row_key = mix64(key + G (r + 1))            r: the row
//! bits    = mix64(row_key + G (p + 1))        p: the pair of units 2p (the low 32 bits) and 2p + 1 (the high 32)
//! mask    = kept where the unit's 32 bits ≥ threshold, else 0
//! ```
//!
//! All arithmetic is modulo 2⁶⁴, and G is 2⁶⁴ divided by the golden ratio. So each key starts a SplitMix64 generator
//! (Steele, Lea and Flood 2014), whose outputs are computed by number. The loops are plain integer Rust: the compiler
//! turns them into vectors of each instruction set.

use crate::isa::Kernel;
use crate::pool::{self, Cut, FLOPS_A_NUMBER};
use crate::vector::Raw;
use crate::{Machine, Matrix, MatrixMut, Real, padded};
use std::hint::black_box;
use std::ops::Range;

/// SplitMix64's increment: 2⁶⁴ divided by the golden ratio.
pub const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's finalizer, a bijection of 64 bits.
#[inline(always)]
pub fn mix64(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The `number`-th output of the generator that starts at `key`.
#[inline(always)]
fn draw(key: u64, number: u64) -> u64 {
    mix64(key.wrapping_add(GOLDEN.wrapping_mul(number.wrapping_add(1))))
}

/// `mask[i][j]` ← `kept` with probability 1 − threshold / 2³², else 0, for the rows `first_row`, `first_row` + 1, … of
/// the mask of `key`. The padding of each row becomes 0.
pub fn mask<T: Real>(machine: Machine, key: u64, first_row: u64, threshold: u32, kept: T, mut m: MatrixMut<'_, T>) {
    let (rows, columns, m_row) = (m.rows(), m.columns(), m.stride());
    let m = m.data_mut().as_mut_ptr();
    let kernel = || Mask { key, first_row, threshold, kept, rows, columns, m, m_row, product: None };
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (MatrixMut::new).
    unsafe { pool::run(machine, rows * columns * 2 * FLOPS_A_NUMBER, kernel) }
}

/// [`mask`], and a = mask ⊙ x in the same pass, over whole padded rows. One pass takes 7 % less time than two if
/// everything is in the first cache, and 40 % less if it is not.
///
/// # Panics
/// Unless x, mask and a have the same shape.
#[allow(clippy::too_many_arguments, reason = "what a mask is drawn from, and three matrices")]
pub fn dropout<T: Real>(
    machine: Machine,
    key: u64,
    first_row: u64,
    threshold: u32,
    kept: T,
    x: Matrix<'_, T>,
    mut mask: MatrixMut<'_, T>,
    mut a: MatrixMut<'_, T>,
) {
    let (rows, columns, m_row) = (mask.rows(), mask.columns(), mask.stride());
    assert_eq!((x.rows(), x.columns()), (rows, columns), "x and mask differ in shape");
    assert_eq!((a.rows(), a.columns()), (rows, columns), "a and mask differ in shape");
    let (a_row, a) = (a.stride(), a.data_mut().as_mut_ptr());
    let product = Some(Product { x: x.data().as_ptr(), x_row: x.stride(), a, a_row });
    let m = mask.data_mut().as_mut_ptr();
    let kernel = || Mask { key, first_row, threshold, kept, rows, columns, m, m_row, product };
    // SAFETY: a matrix holds rows · stride numbers with whole lines in a stride (Matrix::new); the shapes are checked.
    unsafe { pool::run(machine, rows * columns * 2 * FLOPS_A_NUMBER, kernel) }
}

#[derive(Clone, Copy)]
pub(crate) struct Mask<T> {
    pub(crate) key: u64,
    pub(crate) first_row: u64,
    pub(crate) threshold: u32,
    pub(crate) kept: T,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) m: *mut T,
    pub(crate) m_row: usize,
    pub(crate) product: Option<Product<T>>,
}

/// a = mask ⊙ x.
#[derive(Clone, Copy)]
pub(crate) struct Product<T> {
    pub(crate) x: *const T,
    pub(crate) x_row: usize,
    pub(crate) a: *mut T,
    pub(crate) a_row: usize,
}

// SAFETY: a part writes rows of the mask and of a of its own.
unsafe impl<T: Real> Cut for Mask<T> {
    type Out = ();

    fn units(&self) -> usize {
        self.rows
    }

    fn part(self, units: Range<usize>) -> Self {
        let at = units.start;
        Mask {
            first_row: self.first_row.wrapping_add(at as u64),
            rows: units.len(),
            m: self.m.wrapping_add(at * self.m_row),
            product: self.product.map(|product| Product {
                x: product.x.wrapping_add(at * product.x_row),
                a: product.a.wrapping_add(at * product.a_row),
                ..product
            }),
            ..self
        }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }
}

impl<T: Real> Kernel<T> for Mask<T> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        let padded = padded::<T>(self.columns);
        for i in 0..self.rows {
            let row_key = draw(self.key, self.first_row.wrapping_add(i as u64));
            let m = self.m.wrapping_add(i * self.m_row);
            // SAFETY: row i of each matrix has `padded` numbers, which the doors checked: whole lines of 16 `f32` or 8
            // `f64`.
            unsafe {
                let mut j = 0;
                while j + 16 <= padded {
                    self.units::<8>(row_key, j, m);
                    j += 16;
                }
                if j < padded {
                    self.units::<4>(row_key, j, m);
                }
                for j in (self.columns / V::LANES * V::LANES..padded).step_by(V::LANES) {
                    let is_cut = j < self.columns;
                    let end = if is_cut { V::load_first(m.add(j), self.columns - j) } else { V::splat(T::ZERO) };
                    end.store(m.add(j));
                }
                if let Some(Product { x, x_row, a, a_row }) = self.product {
                    for j in (0..padded).step_by(V::LANES) {
                        let x = V::load(x.add(i * x_row + j));
                        (x * V::load(m.add(j))).store(a.add(i * a_row + j));
                    }
                }
            }
        }
    }
}

/// Bits of up to 16 units, on a line of their own.
#[repr(align(64))]
struct Bits([u64; 8]);

impl<T: Real> Mask<T> {
    /// Units j .. j + 2 · `PAIRS` of the row at m.
    ///
    /// # Safety
    /// They are writable.
    #[inline(always)]
    unsafe fn units<const PAIRS: usize>(&self, row_key: u64, j: usize, m: *mut T) {
        let mut bits = Bits([0; 8]);
        for (p, bits) in bits.0.iter_mut().enumerate().take(PAIRS) {
            *bits = draw(row_key, (j / 2 + p) as u64).to_le();
        }
        // Eight times 64 bits are sixteen times 32 in memory. Without the black box the compiler keeps them in a
        // register and takes the halves out with shifts and five shuffles: 3.7 instead of 2.9 ns for 16 units.
        let from = black_box(&bits.0).as_ptr().cast::<u32>();
        let mut halves = [0; 16];
        for (unit, half) in halves.iter_mut().enumerate().take(2 * PAIRS) {
            // SAFETY: there are two halves in each of at least PAIRS numbers.
            *half = u32::from_le(unsafe { *from.add(unit) });
        }
        for (unit, half) in halves.into_iter().enumerate().take(2 * PAIRS) {
            // SAFETY: the caller's promise.
            unsafe { *m.add(j + unit) = if half >= self.threshold { self.kept } else { T::ZERO } }
        }
    }
}
