//! Predictions with weights that stay the caller's: nothing of them is kept, and each is read once for a tile of rows.
//!
//! ```text
//! z = b + x w  =  ((b + x[..k] w[..k]) + x[k..2k] w[k..2k]) + …      one chain for each z, block by block of w
//! ```
//!
//! scikit-learn's users may change `coefs_` at any time. A network would have to copy them for each prediction, which
//! takes several times as long as to predict a row. A block of w is copied to a near cache instead, and used there.

use crate::activation::{Activation, Identity, Saves, Scratch, Value};
use crate::layer::{Layer, view, view_mut};
use crate::{Error, Real, Rows, Spec, threads};
use chainrule_kernels::product::{self, Start};
use chainrule_kernels::{Buffer, Machine, Matrix, padded, stride};
use std::mem::swap;
use std::ops::Range;

/// Up to so many rows of x, w is read in place; to copy it would take longer than the product.
const MAX_ROWS_IN_PLACE: usize = 32;
/// Bytes of a block of w: a huge page, and long chains, so that the sums in z cost little.
const BLOCK_BYTES: usize = 2 << 20;
/// The fewest rows in a block of w, however long they are.
const MIN_BLOCK_ROWS: usize = 128;
/// Rows of x that are multiplied with a block at once: their part stays in the second cache.
const PRODUCT_ROWS: usize = 256;
/// Most rows of x at once. So many make up for reading w again.
const TILE_ROWS: usize = 1024;
/// Most bytes of one layer's activations in a tile.
const TILE_BYTES: usize = 16 << 20;

/// The rows of X.
#[derive(Clone, Copy)]
pub enum Inputs<'a, T> {
    /// An array.
    Dense(&'a dyn Rows<T>),
    /// Compressed rows: row i has `values[k]` in column `columns[k]` for k in `starts[i]..starts[i + 1]`.
    Sparse {
        /// A number more than there are rows.
        starts: &'a [i64],
        /// As many as values.
        columns: &'a [i64],
        /// Those that are not zero.
        values: &'a [T],
    },
}

/// The parameters of a layer.
pub struct Weights<'a, T> {
    /// w, (n_in, n_out).
    pub w: &'a dyn Rows<T>,
    /// b, (n_out,).
    pub b: &'a [T],
}

impl<T: Real> Weights<'_, T> {
    /// Copies row `k` of w, and zeros to its padding.
    fn read(&self, k: usize, into: &mut [T]) {
        let (row, padding) = into.split_at_mut(self.w.columns());
        self.w.read(k, row);
        padding.fill(T::ZERO);
    }
}

/// A network of dense layers without parameters.
pub struct Predictor {
    spec: Spec,
    layers: Vec<Activation>,
    units: Vec<usize>,
    machine: Machine,
}

/// The memory of a prediction.
pub struct Memory<T> {
    /// Activations of a layer and of the next one, and z; with a spare row, as blocks of columns start inside rows.
    a: Buffer<T>,
    next: Buffer<T>,
    z: Buffer<T>,
    /// Some rows of w, and the numbers of a sparse row that they are multiplied with.
    block: Buffer<T>,
    values: Buffer<T>,
    bias: Buffer<T>,
    /// One number a row.
    row: Buffer<T>,
}

impl Predictor {
    /// A predictor for the layers and the loss of `spec`.
    ///
    /// # Errors
    /// [`Error::Config`] if a layer is not dense, or a unit's activation depends on other units.
    pub fn new(spec: Spec) -> Result<Self, Error> {
        let activation = |layer: &Layer| match layer.output() {
            Some((f, _)) if !matches!(f, Activation::Softmax(_)) => Ok(*f),
            _ => Err(Error::Config("a predictor has dense layers of single units".into())),
        };
        let layers = spec.layers.iter().map(activation).collect::<Result<_, _>>()?;
        let machine = Machine::best().map_err(|error| Error::Config(error.to_string()))?;
        let machine = machine.with_threads(threads::resolve(spec.n_threads)?);
        Ok(Predictor { layers, units: spec.units(), machine, spec })
    }

    /// What was asked for.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Number of outputs.
    pub fn n_outputs(&self) -> usize {
        self.units[self.layers.len()]
    }

    /// Flops of a prediction of one row.
    pub fn flops_a_row(&self) -> usize {
        self.units.windows(2).map(|units| units[0].saturating_mul(units[1]).saturating_mul(2)).sum()
    }

    /// Most rows that one call of [`predict`](Predictor::predict) takes.
    pub fn tile<T: Real>(&self, x: Inputs<'_, T>) -> usize {
        (TILE_BYTES / (self.widest(x) * size_of::<T>())).clamp(8, TILE_ROWS)
    }

    /// The longest row that is kept. Sparse rows are not.
    fn widest<T: Real>(&self, x: Inputs<'_, T>) -> usize {
        self.units
            .iter()
            .skip(usize::from(matches!(x, Inputs::Sparse { .. })))
            .map(|&units| stride::<T>(units))
            .max()
            .unwrap_or_default()
    }

    /// Memory for `rows` rows of x at once.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn memory<T: Real>(&self, x: Inputs<'_, T>, rows: usize) -> Result<Memory<T>, Error> {
        let widest = self.widest(x);
        let area = (rows + 1) * widest;
        let keeps_z = self.layers.iter().any(|f| f.saves() == Saves::Input);
        let block = self.units.windows(2).map(|units| block_rows::<T>(units[0], units[1]) * stride::<T>(units[1]));
        Ok(Memory {
            a: Buffer::zeroed(area)?,
            next: Buffer::zeroed(area)?,
            z: Buffer::zeroed(if keeps_z { area } else { 0 })?,
            block: Buffer::zeroed(block.max().unwrap_or_default())?,
            values: Buffer::zeroed(stride::<T>(block_rows::<T>(self.units[0], self.units[1])))?,
            bias: Buffer::zeroed(widest)?,
            row: Buffer::zeroed(padded::<T>(rows))?,
        })
    }

    /// Predictions for `rows` of x, at most those that `memory` is for: `out` is (rows, n_outputs), row by row.
    ///
    /// # Errors
    /// [`Error::Config`] if shapes do not fit, or x is not a matrix of compressed rows.
    ///
    /// # Panics
    /// Where `out` does not hold rows · n_outputs values, or x does not have the rows.
    pub fn predict<T: Real>(
        &self,
        memory: &mut Memory<T>,
        x: Inputs<'_, T>,
        rows: Range<usize>,
        weights: &[Weights<'_, T>],
        out: &mut [T],
    ) -> Result<(), Error> {
        self.check(weights)?;
        let (n, k) = (rows.len(), self.n_outputs());
        assert_eq!(out.len(), n * k);
        for (l, (f, weights)) in self.layers.iter().zip(weights).enumerate() {
            let shape = (self.units[l], self.units[l + 1]);
            memory.bias.fill(T::ZERO);
            memory.bias[..shape.1].copy_from_slice(weights.b);
            match x {
                Inputs::Sparse { starts, columns, values } if l == 0 => {
                    for (i, row) in rows.clone().enumerate() {
                        let row = usize::try_from(starts[row]).ok().zip(usize::try_from(starts[row + 1]).ok());
                        let row = row.and_then(|(from, to)| columns.get(from..to).zip(values.get(from..to)));
                        let Some(row) = row else { return Err(not_compressed()) };
                        self.sparse_row(memory, f, shape, weights, i, row)?;
                    }
                }
                Inputs::Dense(x) if l == 0 => {
                    let stride = stride::<T>(shape.0);
                    for (row, into) in rows.clone().zip(memory.a.chunks_exact_mut(stride)) {
                        x.read(row, &mut into[..shape.0]);
                    }
                    self.dense(memory, f, shape, weights, n);
                }
                _ => self.dense(memory, f, shape, weights, n),
            }
            swap(&mut memory.a, &mut memory.next);
        }
        let stride = stride::<T>(k);
        let a = view(&memory.a, n, k, stride);
        self.spec.loss.link().predict(self.machine, a, view_mut(&mut memory.next, n, k, stride), &mut memory.row[..n]);
        for (into, row) in out.chunks_exact_mut(k).zip(memory.next.chunks_exact(stride)) {
            into.copy_from_slice(&row[..k]);
        }
        Ok(())
    }

    /// Refuses weights of other shapes than the layers'.
    fn check<T: Real>(&self, weights: &[Weights<'_, T>]) -> Result<(), Error> {
        let got = weights.iter().map(|Weights { w, b }| (w.rows(), w.columns(), b.len()));
        let expected = self.units.windows(2).map(|units| (units[0], units[1], units[1]));
        if got.clone().eq(expected.clone()) {
            return Ok(());
        }
        let (got, expected): (Vec<_>, Vec<_>) = (got.collect(), expected.collect());
        Err(Error::Config(format!("(n_in, n_out, biases) of the layers must be {expected:?}, got {got:?}")))
    }

    /// next = f(b + a w) for the first `n` rows.
    fn dense<T: Real>(
        &self,
        memory: &mut Memory<T>,
        f: &Activation,
        (n_in, n_out): (usize, usize),
        weights: &Weights<'_, T>,
        n: usize,
    ) {
        let Memory { a, next, z, block, bias, row, .. } = memory;
        let stride = (stride::<T>(n_in), stride::<T>(n_out));
        let mut k = 0;
        if let Some(w) = weights.w.source().filter(|_| n <= MAX_ROWS_IN_PLACE) {
            let sums = view_mut(if f.saves() == Saves::Input { z } else { next }, n, n_out, stride.1);
            k = product::forward_in_place(self.machine, view(a, n, n_in, stride.0), w, Start::Bias(bias), sums);
        }
        let most = block_rows::<T>(n_in, n_out);
        while k < n_in {
            let steps = most.min(n_in - k);
            for (i, into) in block.chunks_exact_mut(stride.1).take(steps).enumerate() {
                weights.read(k + i, into);
            }
            for first in (0..n).step_by(PRODUCT_ROWS) {
                let rows = PRODUCT_ROWS.min(n - first);
                let from = first * stride.1;
                let x = Matrix::new(&a[first * stride.0 + k..], rows, steps, stride.0);
                let w = view(block, steps, n_out, stride.1);
                let start = if k == 0 { Start::Bias(&bias[..]) } else { Start::Sums };
                let z = z.get_mut(from..).unwrap_or_default();
                propagate(self.machine, f, k + steps == n_in, (x, w, start), (&mut next[from..], z, row));
            }
            k += steps;
        }
    }

    /// Row `i` of next = f(b + x w) for a sparse row of x: its columns and its values.
    fn sparse_row<T: Real>(
        &self,
        memory: &mut Memory<T>,
        f: &Activation,
        (n_in, n_out): (usize, usize),
        weights: &Weights<'_, T>,
        i: usize,
        (columns, numbers): (&[i64], &[T]),
    ) -> Result<(), Error> {
        let Memory { next, z, block, values, bias, row, .. } = memory;
        let most = block_rows::<T>(n_in, n_out);
        let stride = stride::<T>(n_out);
        let from = i * stride;
        let (next, z) = (&mut next[from..], z.get_mut(from..).unwrap_or_default());
        // An empty row is b, as of a row with one zero.
        let (columns, numbers) = if columns.is_empty() { (&[0][..], &[T::ZERO][..]) } else { (columns, numbers) };
        for k in (0..columns.len()).step_by(most) {
            let steps = most.min(columns.len() - k);
            for (into, &column) in block.chunks_exact_mut(stride).zip(&columns[k..k + steps]) {
                let column = usize::try_from(column).ok().filter(|&column| column < n_in).ok_or_else(not_compressed)?;
                weights.read(column, into);
            }
            values[..steps].copy_from_slice(&numbers[k..k + steps]);
            let x = Matrix::new(values, 1, steps, values.len());
            let w = view(block, steps, n_out, stride);
            let start = if k == 0 { Start::Bias(&bias[..]) } else { Start::Sums };
            propagate(self.machine, f, k + steps == columns.len(), (x, w, start), (next, z, row));
        }
        Ok(())
    }
}

/// Rows of w, (n_in, n_out), in a block.
fn block_rows<T: Real>(n_in: usize, n_out: usize) -> usize {
    (BLOCK_BYTES / (stride::<T>(n_out) * size_of::<T>())).max(MIN_BLOCK_ROWS).min(n_in)
}

/// The sums of a block of w, and f of them after the last block.
fn propagate<T: Real>(
    machine: Machine,
    f: &Activation,
    is_last: bool,
    (x, w, start): (Matrix<'_, T>, Matrix<'_, T>, Start<'_, T>),
    (a, z, row): (&mut [T], &mut [T], &mut [T]),
) {
    let (n, n_out, stride) = (x.rows(), w.columns(), w.stride());
    let saves_z = f.saves() == Saves::Input;
    if is_last {
        let z = view_mut(z, if saves_z { n } else { 0 }, n_out, stride);
        let scratch = Scratch { z, row: &mut row[..n] };
        f.forward(machine, x, w, start, view_mut(a, n, n_out, stride), scratch);
    } else {
        let sums = view_mut(if saves_z { z } else { a }, n, n_out, stride);
        product::forward_from(machine, x, w, start, Value(Identity {}), sums);
    }
}

fn not_compressed() -> Error {
    Error::Config("X is not a matrix of compressed rows: its indices do not fit".into())
}
