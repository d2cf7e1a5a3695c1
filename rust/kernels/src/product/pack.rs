//! Packing of a where its rows lie the wrong way round, as xᵀ does in xᵀ delta.
//!
//! A tile then reads H numbers a step, each step from another row of x: another page, and a line of which it needs a
//! part. Copied once in the order of reading, for all strips of columns, they come in one stream: 0.73 of the peak
//! becomes 0.83 with 48 KiB and 0.86 with 96 (256 × 2048 × 2048, f32, AVX2).

use super::tile::Operands;
use crate::Real;
use crate::target::{Kernel, Target};
use crate::vector::Raw;
use std::mem::MaybeUninit;

/// Bytes of packed a. On the stack, so no more: some threads have only 128 KiB of it.
pub(super) const PACKED: usize = 64 << 10;
/// Bytes of a row of c, and steps, from which packing repays its cost.
const WIDE: usize = 1024;
const LONG: usize = 32;

/// Room for the packed a of a block of rows.
#[repr(align(64))]
pub(super) struct Room([MaybeUninit<u8>; PACKED]);

impl Room {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Room([MaybeUninit::uninit(); PACKED])
    }
}

/// Tiles of one height and what they read.
pub(super) struct Group<T> {
    pub(super) operands: Operands<T>,
    pub(super) count: usize,
    pub(super) height: usize,
}

/// Whether packing pays for a product with n columns.
pub(super) fn packs<T>(operands: &Operands<T>, n: usize) -> bool {
    operands.a_row == 1 && n * size_of::<T>() >= WIDE && operands.k >= LONG
}

/// Copies the a of the groups into the room and lets their operands read it there.
///
/// # Panics
/// Where the room is too small.
///
/// # Safety
/// Each group's operands are good for its rows and k steps, rows of a 1 apart.
pub(super) unsafe fn pack<T: Real>(target: Target, groups: &mut [Group<T>], room: &mut Room) {
    let numbers: usize = groups.iter().map(|g| g.count * g.height * g.operands.k).sum();
    assert!(numbers * size_of::<T>() <= PACKED, "no room for {numbers} numbers");
    let mut to = room.0.as_mut_ptr().cast::<T>();
    for Group { operands, count, height } in groups {
        if *count == 0 {
            continue;
        }
        macro_rules! heights {
            ($($h:literal)*) => {
                match *height {
                    // SAFETY: the caller's operands; the room is large enough, checked above, and aligned to a line.
                    $($h => unsafe { target.run(Pack::<T, $h> { from: *operands, count: *count, to }) },)*
                    _ => unreachable!("no tile of {height} rows"),
                }
            };
        }
        heights!(1 2 3 4 5 6 7 8);
        (operands.a, operands.a_step, operands.a_tile) = (to, *height, *height * operands.k);
        to = to.wrapping_add(*count * *height * operands.k);
    }
}

/// `to[tile][k][i] = a(tile · H + i, k)`.
struct Pack<T, const H: usize> {
    from: Operands<T>,
    count: usize,
    to: *mut T,
}

impl<T: Real, const H: usize> Kernel<T> for Pack<T, H> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        // Other shapes are never asked for on this target: do not compile them.
        if H > V::ROWS {
            return;
        }
        let mut to = self.to;
        for tile in 0..self.count {
            let mut from = self.from.a.wrapping_add(tile * H);
            for _ in 0..self.from.k {
                // SAFETY: the caller promises count · H rows of a, 1 apart, and room for count · H · k numbers.
                unsafe { std::ptr::copy_nonoverlapping(from, to, H) };
                from = from.wrapping_add(self.from.a_step);
                to = to.wrapping_add(H);
            }
        }
    }
}
