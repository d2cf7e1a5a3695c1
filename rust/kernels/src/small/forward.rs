//! Forward propagation of a small network: hidden layers in rows, the last layer in columns.

use super::tile::{At, tiles};
use super::{Drops, Offsets};
use crate::isa::Kernel;
use crate::mask::{Mask, Product};
use crate::product::multiply;
use crate::region::{MapRegion, Region};
use crate::vector::Raw;
use crate::{Map, Real, padded};

#[derive(Clone, Copy)]
pub(super) struct Forward<'a, T, F, G> {
    pub(super) at: At<'a, T>,
    pub(super) f: F,
    pub(super) pass: Option<G>,
}

impl<T: Real, F: Map, G: Map> Kernel<T> for Forward<'_, T, F, G> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        if !V::SMALL {
            return;
        }
        let At { small, arena, rows, .. } = self.at;
        let above = small.hidden.iter().skip(1).chain([&small.last]);
        // SAFETY: the offsets are inside the arena (`Small::new`), which has rows up to whole lines.
        unsafe {
            for ((offsets, above), drops) in small.hidden.iter().zip(above).zip(&small.drops) {
                let (a, a_row) = (arena.add(if drops.is_some() { offsets.undropped } else { above.a }), above.a_row);
                tiles!(rows, offsets.n_out, |i, j| self.hidden(offsets, (a, a_row), i, j));
                if let Some(pass) = self.pass {
                    let columns = offsets.n_out.next_multiple_of(V::LANES);
                    let region = Region { rows, columns, stride: a_row };
                    MapRegion { from: a, to: a, region: region.joined(), f: pass }.run_in_pairs::<V>();
                }
                if let Some(drops) = drops {
                    self.drop(offsets, above, drops);
                }
            }
            self.last::<V>();
        }
    }
}

impl<T: Real, F: Map, G: Map> Forward<'_, T, F, G> {
    /// Outputs of a hidden layer: rows i .. i + H, W vectors from column j on.
    ///
    /// # Safety
    /// As [`Kernel::run`]; the layer has these rows and columns.
    #[inline(always)]
    unsafe fn hidden<V: Raw<Scalar = T>, const H: usize, const W: usize>(
        &self,
        offsets: &Offsets,
        (a, a_row): (*mut T, usize),
        i: usize,
        j: usize,
    ) {
        let At { arena, parameters, .. } = self.at;
        // SAFETY: the caller's promise.
        unsafe {
            let mut start = [V::splat(T::ZERO); W];
            if let Some(b) = offsets.b {
                start.iter_mut().enumerate().for_each(|(v, b_v)| *b_v = V::load(parameters.add(b + j + v * V::LANES)));
            }
            let x = (arena.add(offsets.a + i * offsets.a_row).cast_const(), offsets.a_row, 1);
            let w = (parameters.add(offsets.w + j), offsets.w_row);
            let sums = multiply::<V, H, W>([start; H], x, w, offsets.n_in);
            let mut a = a.add(i * a_row + j);
            for sums in sums {
                for (v, sum) in sums.into_iter().enumerate() {
                    self.f.map(sum).store(a.add(v * V::LANES));
                }
                a = a.wrapping_add(a_row);
            }
        }
    }

    /// Drops outputs of a hidden layer. A kernel of its own: inside this one it would slow down networks without dropout.
    ///
    /// # Safety
    /// As [`Kernel::run`]; the layer drops outputs.
    #[inline(always)]
    unsafe fn drop(&self, offsets: &Offsets, above: &Offsets, &Drops { key, threshold, kept }: &Drops<T>) {
        let At { machine, small, arena, rows, .. } = self.at;
        let (rows, columns, first_row, a_row) = (padded::<T>(rows), offsets.n_out, small.first_row, above.a_row);
        // SAFETY: the offsets are inside the arena (`Small::new`), which has rows up to whole lines.
        unsafe {
            let (x, m, a) = (arena.add(offsets.undropped), arena.add(offsets.mask), arena.add(above.a));
            let product = Some(Product { x: x.cast_const(), x_row: a_row, a, a_row });
            machine.run(Mask { key, first_row, threshold, kept, rows, columns, m, m_row: a_row, product });
        }
    }

    /// The outputs of the last layer, a line of rows at a time.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn last<V: Raw<Scalar = T>>(&self) {
        let At { small, arena, rows, .. } = self.at;
        let last = &small.last;
        // SAFETY: the offsets are inside the arena (`Small::new`), which has rows up to whole lines.
        unsafe {
            let x = arena.add(last.a);
            // The padding of activations must be zero, or it would change that of the weights: see `clear_padding` of
            // the core.
            if last.n_in < last.a_row && *x.add(last.n_in) != T::ZERO {
                for i in 0..rows {
                    (last.n_in..last.a_row).for_each(|j| *x.add(i * last.a_row + j) = T::ZERO);
                }
            }
            let x_t = arena.add(small.a_t);
            for line in (0..rows).step_by(T::LINE) {
                for i in (0..T::LINE).step_by(V::LANES) {
                    for j in (0..last.n_in).step_by(V::LANES) {
                        let from = x.add((line + i) * last.a_row + j);
                        V::transpose(from, last.a_row, x_t.add(j * T::LINE + i), T::LINE);
                    }
                }
                for i in (0..T::LINE).step_by(V::LANES) {
                    let mut j = 0;
                    while j < last.n_out {
                        let x = (x_t.add(i).cast_const(), T::LINE);
                        j += match last.n_out - j {
                            1 => self.outputs::<V, 1>(j, line + i, x),
                            2 => self.outputs::<V, 2>(j, line + i, x),
                            3 => self.outputs::<V, 3>(j, line + i, x),
                            _ => self.outputs::<V, 4>(j, line + i, x),
                        };
                    }
                }
            }
        }
    }

    /// Outputs j .. j + H of the vector of rows from row i on; returns H.
    ///
    /// # Safety
    /// As [`Kernel::run`]; the layer has these outputs and rows.
    #[inline(always)]
    unsafe fn outputs<V: Raw<Scalar = T>, const H: usize>(&self, j: usize, i: usize, x_t: (*const T, usize)) -> usize {
        let At { small, arena, parameters, .. } = self.at;
        let last = &small.last;
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [[V::splat(T::ZERO)]; H];
            if let Some(b) = last.b {
                sums.iter_mut().enumerate().for_each(|(r, sum)| *sum = [V::splat(*parameters.add(b + j + r))]);
            }
            let w_t = (parameters.add(last.w + j * last.w_row), last.w_row, 1);
            let sums = multiply::<V, H, 1>(sums, w_t, x_t, last.n_in);
            for (r, [sum]) in sums.into_iter().enumerate() {
                sum.store(arena.add(small.z_t + (j + r) * last.d_row + i));
            }
        }
        H
    }
}
