//! Elementwise passes: x ← f(x), y ← f(x), x ← f(x, y), and the update of an optimizer.
//!
//! Lengths are whole lines of 64 bytes, so there are no tails, and every element goes through the same instructions.

use crate::pool::{self, FLOPS_A_NUMBER};
use crate::region::{MapRegion, Region, map_region, map2_region, whole};
pub use crate::update::{update, update_part};
use crate::{Machine, Map, Map2, Real};

/// x ← f(x).
///
/// # Panics
/// Unless the length of `x` is a multiple of [`Real::LINE`].
pub fn map<T: Real>(machine: Machine, x: &mut [T], f: impl Map) {
    whole(x);
    let region = Region { rows: 1, columns: x.len(), stride: 0 };
    // SAFETY: one row of x.len() numbers, whole vectors.
    unsafe { map_region(machine, x.as_mut_ptr(), region, f) }
}

/// y ← f(x).
///
/// # Panics
/// Unless `x` and `y` have the same length, a multiple of [`Real::LINE`].
pub fn map_to<T: Real>(machine: Machine, x: &[T], y: &mut [T], f: impl Map) {
    whole(x);
    assert_eq!(x.len(), y.len(), "x and y differ in length");
    let (region, from, to) = (Region { rows: 1, columns: x.len(), stride: 0 }, x.as_ptr(), y.as_mut_ptr());
    // SAFETY: one row of x.len() = y.len() numbers, whole vectors.
    unsafe { pool::run(machine, region.columns * FLOPS_A_NUMBER, || MapRegion { from, to, region, f }) }
}

/// x ← f(x, y).
///
/// # Panics
/// Unless `x` and `y` have the same length, a multiple of [`Real::LINE`].
pub fn map2<T: Real>(machine: Machine, x: &mut [T], y: &[T], f: impl Map2) {
    whole(x);
    assert_eq!(x.len(), y.len(), "x and y differ in length");
    let region = Region { rows: 1, columns: x.len(), stride: 0 };
    // SAFETY: one row of x.len() = y.len() numbers, whole vectors.
    unsafe { map2_region(machine, x.as_mut_ptr(), y.as_ptr(), 0, region, f) }
}
