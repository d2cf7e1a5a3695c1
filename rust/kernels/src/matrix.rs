//! Matrices over borrowed memory: rows × columns, row by row, each row padded to whole lines of 64 bytes.

use crate::Real;

/// `columns` rounded up to whole lines of 64 bytes.
#[inline]
pub fn padded<T: Real>(columns: usize) -> usize {
    columns.next_multiple_of(T::LINE)
}

/// The distance between rows that a matrix of `columns` columns should have: [`padded`], plus a line if that is a
/// multiple of 512 bytes. Rows at such distances compete for the same few sets of the cache, which took a fifth of the
/// time of a layer 2048 wide.
#[inline]
pub fn stride<T: Real>(columns: usize) -> usize {
    let padded = padded::<T>(columns);
    if padded > 0 && (padded * size_of::<T>()).is_multiple_of(512) { padded + T::LINE } else { padded }
}

#[track_caller]
fn check<T: Real>(len: usize, rows: usize, columns: usize, stride: usize) {
    assert!(stride >= columns && stride.is_multiple_of(T::LINE), "a stride of {stride} for {columns} columns");
    assert!(rows.checked_mul(stride).is_some_and(|need| need <= len), "{len} numbers for {rows} rows, {stride} apart");
}

/// A matrix to read: `rows` × `columns`, row i at `data[i * stride ..]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<'a, T: Real> Matrix<'a, T> {
    /// The matrix over `data`.
    ///
    /// # Panics
    /// Unless stride ≥ columns, the stride is whole lines, and data holds rows · stride numbers.
    #[track_caller]
    pub fn new(data: &'a [T], rows: usize, columns: usize, stride: usize) -> Self {
        check::<T>(data.len(), rows, columns, stride);
        Matrix { data, rows, columns, stride }
    }

    /// Number of rows.
    #[inline(always)]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, padding not counted.
    #[inline(always)]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Distance between the starts of two rows.
    #[inline(always)]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// All the memory, padding included.
    #[inline(always)]
    pub fn data(&self) -> &'a [T] {
        self.data
    }

    /// The transpose as a factor: no number is moved.
    #[inline]
    pub fn transposed(self) -> Factor<'a, T> {
        Factor::from(self).transposed()
    }

    /// Row i without its padding.
    ///
    /// # Panics
    /// If i ≥ rows.
    #[inline]
    #[track_caller]
    pub fn row(&self, i: usize) -> &'a [T] {
        assert!(i < self.rows, "row {i} of {}", self.rows);
        &self.data[i * self.stride..][..self.columns]
    }
}

/// A matrix that is read number by number, as it is or transposed: products broadcast element (i, k) to a whole vector,
/// which costs the same wherever the element lies.
#[derive(Clone, Copy, Debug)]
pub struct Factor<'a, T> {
    matrix: Matrix<'a, T>,
    transposed: bool,
}

impl<'a, T> From<Matrix<'a, T>> for Factor<'a, T> {
    fn from(matrix: Matrix<'a, T>) -> Self {
        Factor { matrix, transposed: false }
    }
}

impl<'a, T: Real> Factor<'a, T> {
    /// The transpose: no number is moved.
    #[inline]
    pub fn transposed(self) -> Self {
        Factor { transposed: !self.transposed, ..self }
    }

    /// Number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        if self.transposed { self.matrix.columns } else { self.matrix.rows }
    }

    /// Number of columns.
    #[inline]
    pub fn columns(&self) -> usize {
        if self.transposed { self.matrix.rows } else { self.matrix.columns }
    }

    /// All the memory, and the distances from an element to the one below it and to the one on its right.
    #[inline]
    pub(crate) fn parts(&self) -> (&'a [T], usize, usize) {
        let Matrix { data, stride, .. } = self.matrix;
        if self.transposed { (data, 1, stride) } else { (data, stride, 1) }
    }
}

/// A matrix to write: `rows` × `columns`, row i at `data[i * stride ..]`.
#[derive(Debug)]
pub struct MatrixMut<'a, T> {
    data: &'a mut [T],
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<'a, T: Real> MatrixMut<'a, T> {
    /// The matrix over `data`.
    ///
    /// # Panics
    /// Unless stride ≥ columns, the stride is whole lines, and data holds rows · stride numbers.
    #[track_caller]
    pub fn new(data: &'a mut [T], rows: usize, columns: usize, stride: usize) -> Self {
        check::<T>(data.len(), rows, columns, stride);
        MatrixMut { data, rows, columns, stride }
    }

    /// Number of rows.
    #[inline(always)]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, padding not counted.
    #[inline(always)]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Distance between the starts of two rows.
    #[inline(always)]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// All the memory, padding included.
    #[inline(always)]
    pub fn data(&self) -> &[T] {
        self.data
    }

    /// All the memory, padding included, to write.
    #[inline(always)]
    pub fn data_mut(&mut self) -> &mut [T] {
        self.data
    }

    /// The same matrix to read.
    #[inline(always)]
    #[allow(clippy::should_implement_trait, reason = "AsRef returns a reference, this a view by value")]
    pub fn as_ref(&self) -> Matrix<'_, T> {
        Matrix { data: self.data, rows: self.rows, columns: self.columns, stride: self.stride }
    }

    /// The same matrix to write, borrowed anew.
    #[inline(always)]
    pub fn reborrow(&mut self) -> MatrixMut<'_, T> {
        MatrixMut { data: self.data, rows: self.rows, columns: self.columns, stride: self.stride }
    }

    /// Row i without its padding.
    ///
    /// # Panics
    /// If i ≥ rows.
    #[inline]
    #[track_caller]
    pub fn row(&self, i: usize) -> &[T] {
        self.as_ref().row(i)
    }

    /// Row i without its padding, to write.
    ///
    /// # Panics
    /// If i ≥ rows.
    #[inline]
    #[track_caller]
    pub fn row_mut(&mut self, i: usize) -> &mut [T] {
        assert!(i < self.rows, "row {i} of {}", self.rows);
        &mut self.data[i * self.stride..][..self.columns]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stride_never_aliases() {
        for columns in 1..5000 {
            let (p, s) = (padded::<f32>(columns), stride::<f32>(columns));
            assert!(p >= columns && p < columns + 16 && p % 16 == 0);
            assert!((s == p || s == p + 16) && s * 4 % 512 != 0);
            assert_ne!(stride::<f64>(columns) * 8 % 512, 0);
        }
        assert_eq!((padded::<f32>(0), stride::<f64>(0)), (0, 0));
    }

    #[test]
    fn rows_are_without_padding() {
        let mut data: Vec<f64> = (0..32).map(f64::from).collect();
        let mut m = MatrixMut::new(&mut data, 2, 3, 16);
        m.row_mut(1)[0] = -1.0;
        assert_eq!(m.row(1), &[-1.0, 17.0, 18.0]);
        assert_eq!(m.as_ref().row(0), &[0.0, 1.0, 2.0]);
        m.reborrow().data_mut()[0] = 5.0;
        assert_eq!(m.data()[0], 5.0);
    }

    #[test]
    #[should_panic(expected = "31 numbers for 2 rows, 16 apart")]
    fn short_data_panics() {
        Matrix::new(&[0.0f32; 31], 2, 3, 16);
    }

    #[test]
    #[should_panic(expected = "a stride of 16 for 17 columns")]
    fn narrow_stride_panics() {
        Matrix::new(&[0.0f32; 99], 2, 17, 16);
    }

    #[test]
    #[should_panic(expected = "a stride of 20 for 17 columns")]
    fn ragged_stride_panics() {
        MatrixMut::new(&mut [0.0f32; 99], 2, 17, 20);
    }

    #[test]
    #[should_panic(expected = "rows")]
    fn overflow_panics() {
        Matrix::new(&[0.0f32; 99], usize::MAX / 8, 17, 32);
    }
}
