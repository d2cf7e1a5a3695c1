//! The memory that a computation needs beside the parameters, kept from call to call so that steps allocate nothing.

use crate::activation::Saves;
use crate::layer::Layer;
use crate::plan::Plan;
use crate::rng::Stream;
use crate::{Error, Network, Real};
use chainrule_kernels::{Buffer, Matrix, MatrixMut, stride};

/// Memory for one computation at a time on one network; grows on need.
pub struct Workspace<T> {
    /// Rows that fit.
    pub(crate) rows: usize,
    /// Activations: x, then the output of each layer.
    pub(crate) a: Vec<Buffer<T>>,
    /// z of each layer whose slope is computed from it, empty for others.
    pub(crate) z: Vec<Buffer<T>>,
    /// Two deltas, of the layer at hand and of the one below; scratch in forward propagation.
    pub(crate) d: [Buffer<T>; 2],
    /// Mask of each dropout layer, empty for others.
    pub(crate) mask: Vec<Buffer<T>>,
    /// Where the masks of a batch go on, for each dropout layer.
    pub(crate) streams: Vec<Option<Stream>>,
    /// Transposed weights of each dense layer, empty until they are wanted.
    pub(crate) w_t: Vec<Buffer<T>>,
    /// Gradient in the layout of the parameters, empty until it is wanted.
    pub(crate) gradient: Buffer<T>,
    /// Targets of the rows at hand.
    pub(crate) y: Buffer<T>,
    /// Labels of the rows at hand.
    pub(crate) labels: Vec<u32>,
    /// wᵢ / Σ w of the rows at hand.
    pub(crate) scale: Vec<T>,
    /// One number a row, for losses and links.
    pub(crate) scratch: Vec<T>,
    /// Losses of the rows at hand.
    pub(crate) row_loss: Vec<f64>,
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
        let mut a = empty()?;
        a.push(none()?);
        Ok(Workspace {
            rows: 0,
            a,
            z: empty()?,
            d: [none()?, none()?],
            mask: empty()?,
            streams: vec![None; layers],
            w_t: empty()?,
            gradient: none()?,
            y: none()?,
            labels: Vec::new(),
            scale: Vec::new(),
            scratch: Vec::new(),
            row_loss: Vec::new(),
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
        let widest = plan.strides.iter().max().copied().unwrap_or(0);
        for d in &mut self.d {
            *d = Buffer::zeroed(rows * widest)?;
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
        self.scale = vec![T::default(); rows];
        self.scratch = vec![T::default(); rows];
        self.row_loss = vec![0.0; rows];
        self.rows = rows;
        Ok(())
    }

    /// Makes room for a gradient; `inputs` tells whether ∂L/∂x is wanted too.
    pub(crate) fn reserve_gradient(&mut self, plan: &Plan, inputs: bool) -> Result<(), Error> {
        if self.gradient.len() < plan.padded_parameters {
            self.gradient = Buffer::zeroed(plan.padded_parameters)?;
        }
        for (l, (place, w_t)) in plan.places.iter().zip(&mut self.w_t).enumerate() {
            if let Some(place) = place
                && w_t.is_empty()
                && (l > 0 || inputs)
            {
                *w_t = Buffer::zeroed(place.n_out * stride::<T>(place.n_in))?;
            }
        }
        Ok(())
    }
}

/// The first `rows` rows of a buffer that holds rows of `columns` at `stride`.
pub(crate) fn view<T: Real>(buffer: &[T], rows: usize, columns: usize, stride: usize) -> Matrix<'_, T> {
    Matrix::new(&buffer[..rows * stride], rows, columns, stride)
}

/// The same, to be written.
pub(crate) fn view_mut<T: Real>(buffer: &mut [T], rows: usize, columns: usize, stride: usize) -> MatrixMut<'_, T> {
    MatrixMut::new(&mut buffer[..rows * stride], rows, columns, stride)
}
