//! Copies rows of a caller's table, in any order, into a matrix. Only one product reads a table in place.

use crate::isa::Kernel;
use crate::pool::{self, Cut, FLOPS_A_NUMBER};
use crate::vector::Raw;
use crate::{Machine, MatrixMut, Real};
use std::any::TypeId;
use std::marker::PhantomData;
use std::ops::Range;
use std::ptr;

/// A table of `f32` or `f64` in memory that others may own and change: its numbers are copied, and no slice of it is
/// ever borrowed. `'a` keeps the memory alive.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    start: *const u8,
    number: TypeId,
    rows: usize,
    columns: usize,
    stride: isize,
    alive: PhantomData<&'a ()>,
}

// SAFETY: a source only reads memory that `'a` keeps alive, and any thread may read it.
unsafe impl Send for Source<'_> {}
// SAFETY: as above; nothing is ever written through a source.
unsafe impl Sync for Source<'_> {}

impl<'a> Source<'a> {
    /// The numbers of `data`, row by row without gaps.
    ///
    /// # Panics
    /// Unless `data` has rows · columns numbers.
    pub fn new<S: Real>(data: &'a [S], rows: usize, columns: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(columns), "not {rows} rows of {columns}");
        // SAFETY: the slice has them all, and no slice has more than isize::MAX bytes.
        unsafe { Source::from_raw(data.as_ptr(), rows, columns, (columns * size_of::<S>()) as isize) }
    }

    /// `rows` rows of `columns` numbers from `start` on, `stride` bytes apart, which may be 0 or negative.
    ///
    /// # Safety
    /// For `'a`, every row is readable and aligned, and nothing but numbers is ever written there.
    pub unsafe fn from_raw<S: Real>(start: *const S, rows: usize, columns: usize, stride: isize) -> Self {
        Source { start: start.cast(), number: TypeId::of::<S>(), rows, columns, stride, alive: PhantomData }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Copies row `row`, rounded if `T` has fewer digits.
    ///
    /// # Panics
    /// Unless there is such a row and `into` has as many numbers as there are columns.
    #[inline]
    pub fn read<T: Real>(&self, row: usize, into: &mut [T]) {
        assert!(row < self.rows && into.len() == self.columns, "not row {row} of {}", self.rows);
        let start = self.start.wrapping_offset(row as isize * self.stride);
        // SAFETY: the row is inside, and its numbers are of that type (`from_raw`).
        unsafe {
            if self.number == TypeId::of::<T>() {
                ptr::copy_nonoverlapping(start.cast(), into.as_mut_ptr(), into.len());
            } else if self.number == TypeId::of::<f32>() {
                convert(start.cast::<f32>(), into);
            } else {
                convert(start.cast::<f64>(), into);
            }
        }
    }

    /// The address of the first number, if all are of type `S` and follow each other without gaps.
    pub(crate) fn contiguous<S: Real>(&self) -> Option<*const S> {
        let follow = usize::try_from(self.stride) == Ok(self.columns * size_of::<S>());
        (self.number == TypeId::of::<S>() && follow).then_some(self.start.cast())
    }

    #[track_caller]
    #[inline(always)]
    fn check(&self, rows: Picks<'_>) {
        let inside = match rows {
            Picks::Range { start, len } => start.checked_add(len).is_some_and(|end| end <= self.rows),
            Picks::Index(index) => index.iter().fold(true, |inside, &row| inside & ((row as usize) < self.rows)),
        };
        assert!(inside, "a row that is picked is not among the {} there are", self.rows);
    }
}

/// Copies numbers of type `S` from `from` on.
///
/// # Safety
/// `from` is aligned and readable for `into.len()` values.
unsafe fn convert<S: Real, T: Real>(from: *const S, into: &mut [T]) {
    for (j, value) in into.iter_mut().enumerate() {
        // SAFETY: j < into.len(), readable by this function's contract.
        *value = T::from_f64(unsafe { from.add(j).read() }.to_f64());
    }
}

/// The rows to take, in order.
#[derive(Clone, Copy, Debug)]
pub enum Picks<'a> {
    /// `len` rows from `start` on.
    Range {
        /// The first.
        start: usize,
        /// Their number.
        len: usize,
    },
    /// The rows of these numbers.
    Index(&'a [u32]),
}

impl<'a> Picks<'a> {
    /// The rows 0 .. n.
    pub fn all(n: usize) -> Self {
        Picks::Range { start: 0, len: n }
    }

    /// The numbers of the rows, in order.
    pub fn iter(self) -> impl Iterator<Item = usize> + 'a {
        (0..self.len()).map(move |i| self.at(i))
    }

    /// Calls `each` with the number of every row, in order. Long loops are faster than with [`iter`](Picks::iter),
    /// because the kind of picks is looked at once.
    #[inline(always)]
    pub fn for_each(self, mut each: impl FnMut(usize)) {
        match self {
            Picks::Range { start, len } => (start..start + len).for_each(each),
            Picks::Index(index) => index.iter().for_each(|&row| each(row as usize)),
        }
    }

    /// The parts of at most `rows` rows each, in order.
    pub fn tiles(self, rows: usize) -> impl Iterator<Item = Picks<'a>> {
        (0..self.len()).step_by(rows).map(move |at| self.part(at, rows.min(self.len() - at)))
    }

    /// `len` of them, from the `at`-th on.
    fn part(self, at: usize, len: usize) -> Picks<'a> {
        match self {
            Picks::Range { start, .. } => Picks::Range { start: start + at, len },
            Picks::Index(index) => Picks::Index(&index[at..at + len]),
        }
    }

    /// The number of rows.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Picks::Range { len, .. } => *len,
            Picks::Index(index) => index.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `i`-th of them.
    ///
    /// # Panics
    /// If they are an index without an `i`-th.
    #[inline(always)]
    pub fn at(&self, i: usize) -> usize {
        match self {
            Picks::Range { start, .. } => start + i,
            Picks::Index(index) => index[i] as usize,
        }
    }
}

/// `into[i] ← from[rows[i]]`, rounded if `T` has fewer digits. The padding of the last vector becomes 0. Returns
/// whether all numbers are within ± `limit`.
///
/// # Panics
/// Unless `into` has a row for each pick and the columns of `from`, and every pick is a row of `from`.
pub fn gather<T: Real>(machine: Machine, from: &Source<'_>, rows: Picks<'_>, mut into: MatrixMut<T>, limit: T) -> bool {
    assert_eq!((rows.len(), from.columns), (into.rows(), into.columns()), "not the shape of the rows that are picked");
    from.check(rows);
    let (to_row, to) = (into.stride(), into.data_mut().as_mut_ptr());
    let work = rows.len() * from.columns * 2 * FLOPS_A_NUMBER;
    // SAFETY: the picks are inside (`check`); `into` holds a padded row for each (MatrixMut::new).
    unsafe {
        if from.number == TypeId::of::<f32>() {
            pool::run(machine, work, || Gather::<f32, T> { from, rows, to, to_row, limit, number: PhantomData })
        } else {
            pool::run(machine, work, || Gather::<f64, T> { from, rows, to, to_row, limit, number: PhantomData })
        }
    }
}

/// `into[j][i] ← from[rows[i]][j]`: [`gather`] with the rows as columns, for tables of few columns. Returns whether all
/// numbers are finite.
///
/// # Panics
/// Unless `into` has a column for each pick and a row for each column of `from`, and every pick is a row of `from`.
pub fn gather_columns<T: Real>(from: &Source<'_>, rows: Picks<'_>, mut into: MatrixMut<T>) -> bool {
    assert_eq!((from.columns, rows.len()), (into.rows(), into.columns()), "not the shape of the rows that are picked");
    from.check(rows);
    let mut j = 0;
    while j < from.columns {
        // SAFETY: the picks are inside (`check`), and so are the columns.
        j += unsafe {
            match (from.number == TypeId::of::<f32>(), from.columns - j) {
                (true, 1) => some_columns::<f32, T, 1>(from, rows, &mut into, j),
                (true, 2 | 3) => some_columns::<f32, T, 2>(from, rows, &mut into, j),
                (true, _) => some_columns::<f32, T, 4>(from, rows, &mut into, j),
                (false, 1) => some_columns::<f64, T, 1>(from, rows, &mut into, j),
                (false, 2 | 3) => some_columns::<f64, T, 2>(from, rows, &mut into, j),
                (false, _) => some_columns::<f64, T, 4>(from, rows, &mut into, j),
            }
        }
    }
    (0..from.columns).all(|j| into.row(j).iter().fold(true, |finite, x| finite & x.is_finite()))
}

/// Copies the columns j .. j + W of the rows; returns W.
///
/// # Safety
/// They are there, numbers of type S, and `into` has a column for every row.
unsafe fn some_columns<S: Real, T: Real, const W: usize>(
    from: &Source<'_>,
    rows: Picks<'_>,
    into: &mut MatrixMut<T>,
    j: usize,
) -> usize {
    let (to_row, to) = (into.stride(), into.data_mut().as_mut_ptr());
    // SAFETY: the caller's promise.
    unsafe {
        let mut to: [*mut T; W] = std::array::from_fn(|k| to.add((j + k) * to_row));
        rows.for_each(|row| {
            let from = from.start.wrapping_offset(row as isize * from.stride).cast::<S>().add(j);
            for (k, to) in to.iter_mut().enumerate() {
                **to = T::from_f64(from.add(k).read().to_f64());
                *to = to.wrapping_add(1);
            }
        });
    }
    W
}

#[derive(Clone, Copy)]
struct Gather<'a, S, T> {
    from: &'a Source<'a>,
    rows: Picks<'a>,
    to: *mut T,
    to_row: usize,
    limit: T,
    number: PhantomData<S>,
}

/// From this size of a row on, the next rows are prefetched. The rows of a shuffled batch are far apart, so the CPU
/// does not fetch them by itself: 15 of the 88 µs of a step on 200 rows of 64 `f32`.
const MIN_BYTES_OF_LONG_ROW: usize = 256;
/// The distance of the prefetch, but at least two rows.
const BYTES_AHEAD: usize = 1024;

// SAFETY: a part writes rows of `to` of its own, and the table may be read by anyone.
unsafe impl<S: Real, T: Real> Cut for Gather<'_, S, T> {
    type Out = bool;

    fn units(&self) -> usize {
        self.rows.len()
    }

    fn part(self, units: Range<usize>) -> Self {
        let to = self.to.wrapping_add(units.start * self.to_row);
        Gather { rows: self.rows.part(units.start, units.len()), to, ..self }
    }

    #[inline(always)]
    unsafe fn run(self, machine: Machine) -> bool {
        // SAFETY: the caller's promise.
        unsafe { machine.run(self) }
    }

    fn join(one: bool, other: bool) -> bool {
        one & other
    }
}

impl<S: Real, T: Real> Kernel<T> for Gather<'_, S, T> {
    type Out = bool;
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) -> bool {
        let (start, stride) = (self.from.start, self.from.stride);
        // SAFETY: `gather` checked that all picks are rows of `from`; the rest is the caller's.
        unsafe {
            match self.rows {
                Picks::Range { start: first, len } => {
                    self.copy::<V>(len, |i| start.wrapping_offset((first + i) as isize * stride))
                }
                Picks::Index(index) => {
                    self.copy::<V>(index.len(), |i| start.wrapping_offset(*index.get_unchecked(i) as isize * stride))
                }
            }
        }
    }
}

impl<S: Real, T: Real> Gather<'_, S, T> {
    /// Copies n rows, the i-th from `row(i)`.
    ///
    /// # Safety
    /// `row(i)` has the columns of a row for every i < n, `to` has a padded row for each, and the CPU has V's
    /// instructions.
    #[inline(always)]
    unsafe fn copy<V: Raw<Scalar = T>>(&self, n: usize, row: impl Fn(usize) -> *const u8) -> bool {
        let columns = self.from.columns;
        let bytes = columns * size_of::<S>();
        let (long, distance) = (bytes >= MIN_BYTES_OF_LONG_ROW, (BYTES_AHEAD / bytes.max(1)).max(2));
        // SAFETY: the caller's promise: a whole vector of `to` may be written from any column on. Prefetching takes any
        // address.
        unsafe {
            let (zero, one, most) = (V::splat(T::ZERO), V::splat(T::ONE), V::splat(self.limit));
            let mut seen = zero;
            let mut keep = |x: V, to: *mut T| {
                seen = V::select(most.ge(x.abs()), seen, one);
                x.store(to);
            };
            let same = TypeId::of::<S>() == TypeId::of::<T>();
            if same && columns < V::LANES {
                // The loops below take longer to set up than such a row takes to copy.
                for i in 0..if columns > 0 { n } else { 0 } {
                    keep(V::load_first(row(i).cast(), columns), self.to.add(i * self.to_row));
                }
                return seen.sum() == T::ZERO;
            }
            for i in 0..if long { n.min(distance) } else { 0 } {
                for line in (0..bytes).step_by(64) {
                    V::prefetch(row(i).wrapping_add(line).cast());
                }
            }
            for i in 0..n {
                let (from, to) = (row(i), self.to.add(i * self.to_row));
                let far = if long { row((i + distance).min(n - 1)) } else { from };
                for j in (0..columns).step_by(V::LANES) {
                    // One line is prefetched for each vector copied: more at a time would overflow the line buffers.
                    if long {
                        V::prefetch(far.wrapping_add(j * size_of::<S>()).cast());
                    }
                    let x = if !same {
                        let mut x = [T::ZERO; 16];
                        for (k, x) in x.iter_mut().enumerate().take(V::LANES.min(columns - j)) {
                            *x = T::from_f64(from.cast::<S>().add(j + k).read().to_f64());
                        }
                        V::load(x.as_ptr())
                    } else if j + V::LANES <= columns {
                        V::load(from.cast::<T>().add(j))
                    } else {
                        V::load_first(from.cast::<T>().add(j), columns - j)
                    };
                    keep(x, to.add(j));
                }
            }
            seen.sum() == T::ZERO
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Buffer, padded};

    fn copies_rounds_and_tells<S: Real, T: Real>() {
        for machine in Machine::available() {
            for columns in (0..40).chain([63, 64, 65, 300]) {
                let rows = 5;
                let mut data: Vec<S> = (0..rows * columns).map(|i| S::from_f64(i as f64 / 3.0 - 7.0)).collect();
                let picks = [4u32, 0, 0, 3];
                let stride = padded::<T>(columns) + T::LINE;
                let mut memory = Buffer::<T>::zeroed(4 * stride).unwrap();
                memory.fill(T::ONE);
                let into = MatrixMut::new(&mut memory, 4, columns, stride);
                assert!(gather(machine, &Source::new(&data, rows, columns), Picks::Index(&picks), into, T::MAX));
                for (i, &row) in picks.iter().enumerate() {
                    for j in 0..columns {
                        let want = T::from_f64(data[row as usize * columns + j].to_f64());
                        assert_eq!(memory[i * stride + j], want, "{machine:?} {columns}");
                    }
                    assert_eq!(memory[i * stride + stride - 1], T::ONE, "{machine:?} {columns}");
                }
                for j in 0..columns {
                    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                        data[columns + j] = S::from_f64(wrong);
                        let source = Source::new(&data, rows, columns);
                        let into = MatrixMut::new(&mut memory, 4, columns, stride);
                        assert!(!gather(machine, &source, Picks::Range { start: 1, len: 4 }, into, T::MAX));
                        let into = MatrixMut::new(&mut memory, 4, columns, stride);
                        assert!(gather(machine, &source, Picks::Index(&picks), into, T::MAX));
                        data[columns + j] = S::ZERO;
                    }
                }
            }
        }
    }

    #[test]
    fn gather_copies_rounds_and_tells_what_is_not_finite() {
        copies_rounds_and_tells::<f32, f32>();
        copies_rounds_and_tells::<f64, f32>();
        copies_rounds_and_tells::<f32, f64>();
        copies_rounds_and_tells::<f64, f64>();
    }

    fn makes_columns_of_rows<S: Real, T: Real>() {
        for columns in [0, 1, 2, 3, 4, 5, 7, 11] {
            let mut data: Vec<S> = (0..5 * columns).map(|i| S::from_f64(i as f64 / 3.0 - 7.0)).collect();
            for picks in [Picks::Index(&[4, 0, 0]), Picks::Range { start: 1, len: 3 }] {
                let stride = padded::<T>(3);
                let mut memory = Buffer::<T>::zeroed(columns * stride).unwrap();
                memory.fill(T::ONE);
                let source = Source::new(&data, 5, columns);
                assert!(gather_columns(&source, picks, MatrixMut::new(&mut memory, columns, 3, stride)));
                for j in 0..columns {
                    for (i, row) in picks.iter().enumerate() {
                        assert_eq!(memory[j * stride + i], T::from_f64(data[row * columns + j].to_f64()), "{columns}");
                    }
                    assert_eq!(memory[j * stride + 3], T::ONE, "{columns}");
                }
                for j in 0..columns {
                    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                        let right = std::mem::replace(&mut data[picks.at(1) * columns + j], S::from_f64(wrong));
                        let into = MatrixMut::new(&mut memory, columns, 3, stride);
                        assert!(!gather_columns(&Source::new(&data, 5, columns), picks, into), "{columns}");
                        data[picks.at(1) * columns + j] = right;
                    }
                }
            }
        }
    }

    #[test]
    fn gather_columns_makes_columns_and_tells_what_is_not_finite() {
        makes_columns_of_rows::<f32, f32>();
        makes_columns_of_rows::<f64, f32>();
        makes_columns_of_rows::<f32, f64>();
        makes_columns_of_rows::<f64, f64>();
    }

    #[test]
    #[should_panic(expected = "a row that is picked is not among the 2")]
    fn gather_columns_refuses_a_row_that_is_not_there() {
        let mut memory = Buffer::<f32>::zeroed(48).unwrap();
        let into = MatrixMut::new(&mut memory, 3, 2, 16);
        gather_columns(&Source::new(&[0.0f32; 6], 2, 3), Picks::Range { start: 1, len: 2 }, into);
    }

    #[test]
    fn gather_reads_backwards() {
        let data = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut memory = Buffer::<f32>::zeroed(32).unwrap();
        // SAFETY: rows 1 and 0 of three numbers, the second first.
        let source = unsafe { Source::from_raw(data[3..].as_ptr(), 2, 3, -12) };
        let into = MatrixMut::new(&mut memory, 2, 3, 16);
        assert!(gather(Machine::best().unwrap(), &source, Picks::Range { start: 0, len: 2 }, into, 6.0));
        assert_eq!((&memory[..3], &memory[16..19]), (&data[3..], &data[..3]));
    }

    #[test]
    fn rows_are_read_one_by_one() {
        let data = [1.0f64, 0.1, 3.0, -4.0];
        // SAFETY: the rows lie in `data`, the last one first.
        let source = unsafe { Source::from_raw(data[2..].as_ptr(), 2, 2, -16) };
        let (mut single, mut double) = ([0.0f32; 2], [0.0f64; 2]);
        source.read(1, &mut single);
        source.read(0, &mut double);
        assert_eq!((single, double), ([1.0, 0.1], [3.0, -4.0]));
    }

    #[test]
    #[should_panic(expected = "a row that is picked is not among the 2")]
    fn gather_refuses_a_row_that_is_not_there() {
        let mut memory = Buffer::<f32>::zeroed(16).unwrap();
        let into = MatrixMut::new(&mut memory, 1, 3, 16);
        gather(Machine::best().unwrap(), &Source::new(&[0.0f32; 6], 2, 3), Picks::Index(&[2]), into, 1.0);
    }
}
