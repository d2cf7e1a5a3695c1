//! The tensors of a layer: as it declares them, and where each lies in a flat buffer.
//!
//! A caller sees one flat sequence, tensor by tensor and row by row. The kernels want rows padded to whole cache lines,
//! and some matrices transposed. [`Tensor::pack`] and [`Tensor::unpack`] are the way between the two orders.

use crate::init::Init;
use crate::rng::Stream;
use crate::{Error, Real};
use chainrule_kernels::{Matrix, MatrixMut, padded, stride};
use std::ops::Range;

/// What an optimizer may treat differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Penalised by `l2`.
    Weight,
    /// Never penalised.
    Bias,
}

/// How a gradient comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gradient {
    /// As a matrix product, whose sums an optimizer can use while they are in registers.
    Product,
    /// As sums over the rows of the batch.
    Sums,
}

/// The first values of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum First {
    Drawn(Init),
    Zeros,
    Ones,
}

/// A tensor as its layer declares it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Declared {
    /// Its name in the layer, such as "weight".
    pub(crate) name: String,
    /// None for a vector.
    pub(crate) rows: Option<usize>,
    pub(crate) columns: usize,
    pub(crate) group: Group,
    pub(crate) gradient: Gradient,
    pub(crate) first: First,
    /// The factor of ½ ‖w‖² that is added to the loss.
    pub(crate) l2: f64,
}

impl Declared {
    /// A vector of `n` numbers.
    pub(crate) fn vector(name: &str, n: usize, group: Group, first: First) -> Self {
        let gradient = Gradient::Sums;
        Declared { name: name.into(), rows: None, columns: n, group, gradient, first, l2: 0.0 }
    }

    /// A matrix of (rows, columns) whose gradient is a product.
    pub(crate) fn matrix(name: &str, rows: usize, columns: usize, first: First) -> Self {
        let (group, gradient) = (Group::Weight, Gradient::Product);
        Declared { name: name.into(), rows: Some(rows), columns, group, gradient, first, l2: 0.0 }
    }
}

/// A tensor, and where it lies in the buffer of all tensors.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) declared: Declared,
    /// Padding included.
    pub(crate) at: Range<usize>,
    /// Distance between the rows that are stored.
    pub(crate) stride: usize,
    /// Whether the transpose is stored.
    pub(crate) transposed: bool,
}

impl Tensor {
    /// Places a tensor behind the first `end` numbers of a buffer, and moves `end` behind it.
    pub(crate) fn place<T: Real>(declared: Declared, transposed: bool, end: &mut usize) -> Self {
        let start = *end;
        let (len, stride) = match declared.rows {
            None => (padded::<T>(declared.columns), padded::<T>(declared.columns)),
            Some(rows) => {
                let (rows, columns) = if transposed { (declared.columns, rows) } else { (rows, declared.columns) };
                (rows * stride::<T>(columns), stride::<T>(columns))
            }
        };
        *end += len;
        Tensor { declared, at: start..*end, stride, transposed }
    }

    /// The numbers in the caller's order.
    pub(crate) fn len(&self) -> usize {
        self.declared.rows.unwrap_or(1) * self.declared.columns
    }

    /// Its shape as a caller sees it.
    pub(crate) fn shape(&self) -> Vec<usize> {
        self.declared.rows.into_iter().chain([self.declared.columns]).collect()
    }

    /// Rows and columns of what is stored.
    fn stored(&self) -> (usize, usize) {
        let (rows, columns) = (self.declared.rows.unwrap_or(1), self.declared.columns);
        if self.transposed { (columns, rows) } else { (rows, columns) }
    }

    /// The matrix as it is stored.
    pub(crate) fn matrix<'a, T: Real>(&self, flat: &'a [T]) -> Matrix<'a, T> {
        let (rows, columns) = self.stored();
        Matrix::new(&flat[self.at.clone()], rows, columns, self.stride)
    }

    /// The same, to be written.
    pub(crate) fn matrix_mut<'a, T: Real>(&self, flat: &'a mut [T]) -> MatrixMut<'a, T> {
        let (rows, columns) = self.stored();
        MatrixMut::new(&mut flat[self.at.clone()], rows, columns, self.stride)
    }

    /// The rows in the caller's order: where each starts in the padded buffer, and how far apart its numbers are there.
    fn rows(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let (row, step) = if self.transposed { (1, self.stride) } else { (self.stride, 1) };
        (0..self.declared.rows.unwrap_or(1)).map(move |i| (self.at.start + i * row, step))
    }

    /// padded ← flat, this tensor alone.
    pub(crate) fn pack<T: Real>(&self, flat: &[T], padded: &mut [T]) {
        let columns = self.declared.columns;
        for ((start, step), row) in self.rows().zip(flat.chunks_exact(columns)) {
            if step == 1 {
                padded[start..start + columns].copy_from_slice(row);
            } else {
                padded[start..].iter_mut().step_by(step).zip(row).for_each(|(to, &from)| *to = from);
            }
        }
    }

    /// flat ← padded, this tensor alone.
    pub(crate) fn unpack<T: Real>(&self, padded: &[T], flat: &mut [T]) {
        let columns = self.declared.columns;
        for ((start, step), row) in self.rows().zip(flat.chunks_exact_mut(columns)) {
            if step == 1 {
                row.copy_from_slice(&padded[start..start + columns]);
            } else {
                row.iter_mut().zip(padded[start..].iter().step_by(step)).for_each(|(to, &from)| *to = from);
            }
        }
    }

    /// Sets the first values in a buffer of zeros.
    pub(crate) fn set_first<T: Real>(
        &self,
        stream: &mut Stream,
        padded: &mut [T],
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<(), Error> {
        let mut flat = chainrule_kernels::Buffer::zeroed(self.len())?;
        match self.declared.first {
            First::Zeros => return Ok(()),
            First::Ones => flat.fill(T::ONE),
            First::Drawn(init) => {
                let (n_in, n_out) = (self.declared.rows.unwrap_or(1), self.declared.columns);
                init.fill(stream, n_in, n_out, flat[..self.len()].iter_mut(), keep_going)?;
            }
        }
        self.pack(&flat, padded);
        Ok(())
    }
}
