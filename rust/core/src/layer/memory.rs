//! The memory that layers need beside the parameters, and matrices over it.

use super::{Chain, ChainMemory, Keeps, LayerPlan};
use crate::{Error, Real};
use chainrule_kernels::{Buffer, Matrix, MatrixMut, padded, stride};

/// What one layer keeps from its forward half to its backward half.
pub(crate) struct LayerMemory<T> {
    /// As [`Keeps`] says: a matrix each, with a row for each row at hand.
    pub(crate) rows: Vec<Buffer<T>>,
    /// Numbers for the whole batch.
    pub(crate) batch: Buffer<T>,
    /// New values of the buffers, in the places of the old ones relative to the first; committed after a step's checks.
    pub(crate) buffers: Buffer<T>,
    /// What only the way back needs, empty until it is wanted.
    pub(crate) back: Buffer<T>,
    /// Of the layers inside.
    pub(crate) inner: Option<Box<ChainMemory<T>>>,
}

impl<T: Real> LayerMemory<T> {
    /// Empty memory.
    pub(crate) fn new(plan: &LayerPlan) -> Result<Self, Error> {
        let none = || Buffer::zeroed(0);
        let inner = plan.inner.as_ref().map(|chain| ChainMemory::new(chain).map(Box::new)).transpose()?;
        Ok(LayerMemory { rows: Vec::new(), batch: none()?, buffers: none()?, back: none()?, inner })
    }

    /// Makes room for `rows` rows.
    pub(crate) fn reserve(&mut self, plan: &LayerPlan, rows: usize) -> Result<(), Error> {
        let Keeps { a_row, a_batch, back: _ } = &plan.keeps;
        self.rows.clear();
        for &columns in a_row {
            self.rows.push(Buffer::zeroed(rows * stride::<T>(columns))?);
        }
        self.batch = Buffer::zeroed(padded::<T>(*a_batch))?;
        self.buffers = Buffer::zeroed(plan.buffers.iter().map(|buffer| buffer.at.len()).sum())?;
        if let (Some(chain), Some(memory)) = (&plan.inner, &mut self.inner) {
            memory.reserve(chain, rows)?;
        }
        Ok(())
    }

    /// Makes room for the way back, where d_x is wanted.
    pub(crate) fn reserve_back(&mut self, plan: &LayerPlan) -> Result<(), Error> {
        if self.back.len() < plan.keeps.back {
            self.back = Buffer::zeroed(plan.keeps.back)?;
        }
        if let (Some(chain), Some(memory)) = (&plan.inner, &mut self.inner) {
            memory.reserve_back(chain, true)?;
        }
        Ok(())
    }

    /// What is kept as matrix `k`, of (rows, columns).
    pub(crate) fn kept(&self, k: usize, rows: usize, columns: usize) -> Matrix<'_, T> {
        packed(&self.rows[k], rows, columns)
    }

    /// The same, to be written.
    pub(crate) fn kept_mut(&mut self, k: usize, rows: usize, columns: usize) -> MatrixMut<'_, T> {
        packed_mut(&mut self.rows[k], rows, columns)
    }

    /// Matrix 0 of (rows, columns), and one number a row, which matrix 1 of one column is.
    pub(crate) fn matrix_and_numbers(&mut self, rows: usize, columns: usize) -> (MatrixMut<'_, T>, &mut [T]) {
        let [matrix, numbers] = &mut self.rows[..] else { unreachable!("a layer that keeps two matrices") };
        (packed_mut(matrix, rows, columns), numbers)
    }

    /// The numbers of [`matrix_and_numbers`](LayerMemory::matrix_and_numbers).
    pub(crate) fn numbers(&self) -> &[T] {
        &self.rows[1]
    }
}

/// Memory for as long as one layer is at work.
pub(crate) struct Scratch<T> {
    /// Matrices with the rows of the batch in columns.
    pub(crate) columns: [Buffer<T>; 2],
    /// One number a row, in whole lines.
    pub(crate) row: Buffer<T>,
    /// A matrix as large as the largest output.
    pub(crate) outputs: Buffer<T>,
}

impl<T: Real> Scratch<T> {
    pub(crate) fn new() -> Result<Self, Error> {
        let none = || Buffer::zeroed(0);
        Ok(Scratch { columns: [none()?, none()?], row: none()?, outputs: none()? })
    }

    /// Makes room for `rows` rows through `chain`.
    pub(crate) fn reserve(&mut self, chain: &Chain, rows: usize) -> Result<(), Error> {
        for columns in &mut self.columns {
            *columns = Buffer::zeroed(chain.widest_in_columns() * stride::<T>(rows))?;
        }
        self.row = Buffer::zeroed(padded::<T>(rows))?;
        self.outputs = Buffer::zeroed(rows * chain.widest_scratch())?;
        Ok(())
    }
}

/// A matrix of `rows` rows and `columns` columns with the stride that such a matrix should have.
pub(crate) fn packed<T: Real>(buffer: &[T], rows: usize, columns: usize) -> Matrix<'_, T> {
    view(buffer, rows, columns, stride::<T>(columns))
}

/// The same, to be written.
pub(crate) fn packed_mut<T: Real>(buffer: &mut [T], rows: usize, columns: usize) -> MatrixMut<'_, T> {
    view_mut(buffer, rows, columns, stride::<T>(columns))
}

/// The first `rows` rows of a buffer that holds rows of `columns` at `stride`.
pub(crate) fn view<T: Real>(buffer: &[T], rows: usize, columns: usize, stride: usize) -> Matrix<'_, T> {
    Matrix::new(&buffer[..rows * stride], rows, columns, stride)
}

/// The same, to be written.
pub(crate) fn view_mut<T: Real>(buffer: &mut [T], rows: usize, columns: usize, stride: usize) -> MatrixMut<'_, T> {
    MatrixMut::new(&mut buffer[..rows * stride], rows, columns, stride)
}
