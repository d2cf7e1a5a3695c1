//! A product cut into parts for several threads, by rows or columns of the result. No chain is ever cut.

use super::driver;
use super::finish::{Finish, Store};
use super::tile::Operands;
use crate::pool::{self, Cut, FLOPS_A_NUMBER};
use crate::{Machine, Real};
use std::ops::Range;

/// The arguments of [`driver::multiply`].
#[derive(Clone, Copy)]
struct Product<T, F> {
    operands: Operands<T>,
    shape: (usize, usize),
    c: Option<Store<T>>,
    finish: F,
}

impl<T: Real, F: Finish<T>> Product<T, F> {
    fn by_columns(&self) -> bool {
        self.shape.1 > self.shape.0
    }
}

// SAFETY: the operands are only read. A part writes and reads its own rows, or whole lines of its own columns.
unsafe impl<T: Real, F: Finish<T>> Cut for Product<T, F> {
    type Out = ();

    fn units(&self) -> usize {
        let (m, n) = self.shape;
        if self.by_columns() { n.div_ceil(T::LINE) } else { m }
    }

    fn part(self, units: Range<usize>) -> Self {
        let (m, n) = self.shape;
        let (row, column, shape) = if self.by_columns() {
            let column = units.start * T::LINE;
            (0, column, (m, (units.end * T::LINE).min(n) - column))
        } else {
            (units.start, 0, (units.len(), n))
        };
        Product {
            operands: self.operands.at(row, column),
            shape,
            c: self.c.map(|c| c.at(row, column)),
            finish: self.finish.at(row, column),
        }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) {
        // SAFETY: the caller's promise.
        unsafe { driver::multiply(machine, self.operands, self.shape, self.c, self.finish) }
    }
}

/// With more bytes of weights and moments, one thread must fetch them from far. Fewer are best left in its cache.
const MAX_BYTES_NEAR: usize = 2 << 20;

/// The floating-point operations, plus the time to fetch weights that are far, in the same unit.
#[inline]
fn work<T: Real, F: Finish<T>>((m, n): (usize, usize), k: usize) -> usize {
    let is_far = m * n * F::NUMBERS_A_SUM * size_of::<T>() > MAX_BYTES_NEAR;
    m * n * (2 * k + if is_far { 2 * FLOPS_A_NUMBER } else { 0 })
}

/// [`driver::multiply`] on the machine's threads, if that is worth it.
///
/// # Safety
/// As there.
#[inline]
pub(super) unsafe fn multiply<T: Real, F: Finish<T>>(
    machine: Machine,
    operands: Operands<T>,
    shape: (usize, usize),
    c: Option<Store<T>>,
    finish: F,
) {
    // SAFETY: the caller's promise.
    unsafe { pool::run(machine, work::<T, F>(shape, operands.k), || Product { operands, shape, c, finish }) }
}
