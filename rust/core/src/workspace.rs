//! The memory that a computation needs beside the parameters, kept from call to call so that steps allocate nothing.

use crate::activation::Saves;
use crate::layer::Layer;
use crate::narrow::Memory;
use crate::plan::Plan;
use crate::rng::Counter;
use crate::tiles::Lane;
use crate::{Error, Network, Real};
use chainrule_kernels::{Buffer, Matrix, MatrixMut, padded, stride};

/// Memory for one computation at a time on one network; grows on need.
pub struct Workspace<T> {
    /// Rows that fit.
    pub(crate) rows: usize,
    /// Activations: x, then the output of each layer.
    pub(crate) a: Vec<Buffer<T>>,
    /// z of each layer whose slope is computed from it, empty for others.
    pub(crate) z: Vec<Buffer<T>>,
    /// Error at x and at the output of each layer, as `a`: ∂L/∂a of a layer, then its delta. The first is empty until it is
    /// wanted. Scratch in forward propagation.
    pub(crate) d: Vec<Buffer<T>>,
    /// What lies with its rows in columns for as long as one layer needs it.
    pub(crate) columns: [Buffer<T>; 2],
    /// Outputs and deltas of a thin last layer, the rows in columns; empty for others.
    pub(crate) thin: [Buffer<T>; 2],
    /// Mask of each dropout layer, empty for others.
    pub(crate) mask: Vec<Buffer<T>>,
    /// What the masks of a batch follow from, for each dropout layer in training.
    pub(crate) masks: Vec<Option<Counter>>,
    /// Which row of the batch is the first at hand.
    pub(crate) first_row: usize,
    /// Transposed weights of each dense layer, empty until they are wanted.
    pub(crate) w_t: Vec<Buffer<T>>,
    /// Gradient in the layout of the parameters, empty until it is wanted.
    pub(crate) gradient: Buffer<T>,
    /// Targets of the rows at hand.
    pub(crate) y: Buffer<T>,
    /// Labels of the rows at hand.
    pub(crate) labels: Vec<u32>,
    /// wᵢ / Σ w of the rows at hand, then zeros to the end of a line.
    pub(crate) scale: Buffer<T>,
    /// One number a row, whole lines of them, for losses and links.
    pub(crate) scratch: Buffer<T>,
    /// Whether Σ x² of the rows at hand is small for certain.
    pub(crate) x_is_small: bool,
    /// Losses of the rows at hand.
    pub(crate) row_loss: Vec<f64>,
    /// Memory of narrow steps, once there was one.
    pub(crate) narrow: Vec<Lane<T, Memory<T>>>,
    /// Memory of tiles side by side, once there were some.
    pub(crate) lanes: Vec<Lane<T, Workspace<T>>>,
}

impl<T: Real> Workspace<T> {
    /// A workspace that will grow to what it is used for.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn new(network: &Network<T>) -> Result<Self, Error> {
        let none = || Buffer::zeroed(0);
        let layers = network.spec().layers.len();
        let empty = || (0..layers).map(|_| none()).collect::<Result<Vec<_>, _>>();
        let one_more = || (0..=layers).map(|_| none()).collect::<Result<Vec<_>, _>>();
        Ok(Workspace {
            rows: 0,
            a: one_more()?,
            z: empty()?,
            d: one_more()?,
            columns: [none()?, none()?],
            thin: [none()?, none()?],
            mask: empty()?,
            masks: vec![None; layers],
            first_row: 0,
            w_t: empty()?,
            gradient: none()?,
            y: none()?,
            labels: Vec::new(),
            scale: none()?,
            scratch: none()?,
            x_is_small: false,
            row_loss: Vec::new(),
            narrow: Vec::new(),
            lanes: Vec::new(),
        })
    }

    /// Makes room for forward propagation of `rows` rows.
    pub(crate) fn reserve_rows(&mut self, plan: &Plan, layers: &[Layer], rows: usize) -> Result<(), Error> {
        if rows <= self.rows {
            return Ok(());
        }
        self.rows = 0;
        for (a, stride) in self.a.iter_mut().zip(&plan.strides) {
            *a = Buffer::zeroed(rows * stride)?;
        }
        for (d, stride) in self.d.iter_mut().zip(&plan.strides).skip(1) {
            *d = Buffer::zeroed(rows * stride)?;
        }
        self.d[0] = Buffer::zeroed(0)?;
        // A layer's inputs and outputs, where their rows lie in columns.
        let places = || plan.places.iter().flatten().filter(|place| place.thin || place.wide);
        let side_by_side = stride::<T>(rows);
        let widest = places().map(|place| place.n_in.max(place.n_out)).max().unwrap_or(0);
        for columns in &mut self.columns {
            *columns = Buffer::zeroed(widest * side_by_side)?;
        }
        if plan.thin().is_some() {
            for thin in &mut self.thin {
                *thin = Buffer::zeroed(plan.n_outputs() * side_by_side)?;
            }
        }
        for (l, layer) in layers.iter().enumerate() {
            match layer {
                Layer::Dense(dense) if dense.activation.saves() == Saves::Input => {
                    self.z[l] = Buffer::zeroed(rows * plan.strides[l + 1])?;
                }
                Layer::Dense(_) => {}
                Layer::Dropout(_) => self.mask[l] = Buffer::zeroed(rows * plan.strides[l])?,
            }
        }
        self.y = Buffer::zeroed(rows * plan.strides[layers.len()])?;
        self.labels = vec![0; rows];
        self.scale = Buffer::zeroed(padded::<T>(rows))?;
        self.scratch = Buffer::zeroed(padded::<T>(rows))?;
        self.row_loss = vec![0.0; rows];
        self.rows = rows;
        Ok(())
    }

    /// Makes room for a gradient; `inputs` tells whether ∂L/∂x of the rows that fit is wanted too.
    pub(crate) fn reserve_gradient(&mut self, plan: &Plan, inputs: bool) -> Result<(), Error> {
        if inputs && self.d[0].is_empty() {
            self.d[0] = Buffer::zeroed(self.rows * plan.strides[0])?;
        }
        if self.gradient.len() < plan.padded_parameters {
            self.gradient = Buffer::zeroed(plan.padded_parameters)?;
        }
        for (l, (place, w_t)) in plan.places.iter().zip(&mut self.w_t).enumerate() {
            if let Some(place) = place
                && w_t.is_empty()
                && !(place.thin || place.wide)
                && (l > 0 || inputs)
            {
                *w_t = Buffer::zeroed(place.n_out * stride::<T>(place.n_in))?;
            }
        }
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
