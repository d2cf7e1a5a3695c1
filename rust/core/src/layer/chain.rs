//! Layers one after the other: the output of each is the input of the next.
//!
//! ```text
//! forward     a[0] = x ─▶ layer 0 ─▶ a[1] ─▶ layer 1 ─▶ a[2] …
//! backward    d[n] = ∂L/∂a[n] ⊙ slope ─▶ layer n − 1 ─▶ d[n − 1] … ─▶ d[0] = ∂L/∂x
//! ```
//!
//! `d[l + 1]` holds the delta of layer l. A network is a chain; so is what a residual block holds.

use super::{
    By, Form, Keeps, Layer, LayerMemory, LayerPlan, Products, Propagate, Rows, Scratch, Slope, Surroundings, WayBack,
    each_layer,
};
use super::{packed, packed_mut, view, view_mut};
use crate::limits::Limits;
use crate::tensor::Tensor;
use crate::{Error, Real};
use chainrule_kernels::{Buffer, Machine, Matrix, MatrixMut, squares, stride};

/// Layers and where their numbers lie.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) layers: Vec<Layer>,
    pub(crate) plans: Vec<LayerPlan>,
    /// Units before the first layer and after each.
    pub(crate) units: Vec<usize>,
    /// Distance between rows of activations, for each of `units`.
    pub(crate) strides: Vec<usize>,
}

/// The numbers that have a place so far: in the buffer of the parameters and in that of the untrained buffers.
#[derive(Default)]
pub(crate) struct Ends {
    pub(crate) parameters: usize,
    pub(crate) buffers: usize,
}

impl Chain {
    /// Lays out `layers` for `n_in` inputs. Their positions are `position`, `position` + 1, …
    pub(crate) fn new<T: Real>(
        layers: &[Layer],
        n_in: usize,
        position: usize,
        limits: Option<&Limits>,
        ends: &mut Ends,
    ) -> Self {
        let mut units = vec![n_in];
        let mut plans = Vec::with_capacity(layers.len());
        for (l, layer) in layers.iter().enumerate() {
            let n_in = units[l];
            let n_out = layer.n_out(n_in);
            units.push(n_out);
            let form = match limits {
                Some(limits) => each_layer!(layer, k => k.form(n_in, l + 1 == layers.len(), limits)),
                None => Form::Rows,
            };
            let transposed = form == Form::Columns;
            let (tensors, buffers) = each_layer!(layer, k => (k.tensors(n_in), k.buffers(n_in)));
            let place = |declared, end: &mut usize| {
                let is_matrix = matches!(declared, crate::tensor::Declared { rows: Some(_), .. });
                Tensor::place::<T>(declared, transposed && is_matrix, end)
            };
            let position = position + l;
            let inside = each_layer!(layer, k => k.inside());
            let inner =
                (!inside.is_empty()).then(|| Box::new(Chain::new::<T>(inside, n_in, (position + 1) << 16, None, ends)));
            let mut plan = LayerPlan {
                position,
                n_in,
                n_out,
                tensors: tensors.into_iter().map(|declared| place(declared, &mut ends.parameters)).collect(),
                buffers: buffers.into_iter().map(|declared| place(declared, &mut ends.buffers)).collect(),
                form,
                keeps: Keeps::default(),
                inner,
            };
            plan.keeps = each_layer!(layer, k => k.keeps::<T>(&plan));
            plans.push(plan);
        }
        let strides = units.iter().map(|&n| stride::<T>(n)).collect();
        Chain { layers: layers.to_vec(), plans, units, strides }
    }

    /// Shows each layer with its plan and its name ("layers.0."), those inside others too.
    pub(crate) fn each_layer<'a>(&'a self, prefix: &str, visit: &mut dyn FnMut(&str, &'a Layer, &'a LayerPlan)) {
        for (l, (layer, plan)) in self.layers.iter().zip(&self.plans).enumerate() {
            let name = format!("{prefix}layers.{l}.");
            visit(&name, layer, plan);
            if let Some(inner) = &plan.inner {
                inner.each_layer(&name, visit);
            }
        }
    }

    /// Whether a layer depends on all rows of a batch.
    pub(crate) fn is_together(&self) -> bool {
        let of = |(layer, plan): (&Layer, &LayerPlan)| {
            each_layer!(layer, k => k.rows()) == Rows::Together
                || plan.inner.as_ref().is_some_and(|inner| inner.is_together())
        };
        self.layers.iter().zip(&self.plans).any(of)
    }

    /// The largest number of inputs or outputs of a layer that works with the rows of the batch in columns.
    pub(crate) fn widest_in_columns(&self) -> usize {
        let of = |plan: &LayerPlan| match (&plan.inner, plan.form) {
            (Some(inner), _) => inner.widest_in_columns(),
            (None, Form::Rows) => 0,
            _ => plan.n_in.max(plan.n_out),
        };
        self.plans.iter().map(of).max().unwrap_or(0)
    }

    /// The largest distance between rows of outputs.
    pub(crate) fn widest_scratch(&self) -> usize {
        let inside = self.plans.iter().filter_map(|plan| plan.inner.as_ref().map(|inner| inner.widest_scratch()));
        self.strides.iter().copied().chain(inside).max().unwrap_or(0)
    }

    /// The last layer's plan.
    pub(crate) fn last(&self) -> &LayerPlan {
        &self.plans[self.plans.len() - 1]
    }

    /// Whether the last layer leaves its outputs in columns.
    pub(crate) fn ends_in_columns(&self) -> bool {
        self.last().form == Form::Columns
    }

    /// The first rows of `a[l]` or of `d[l]`.
    pub(crate) fn rows_of<'a, T: Real>(&self, buffers: &'a [Buffer<T>], l: usize, rows: usize) -> Matrix<'a, T> {
        view(&buffers[l], rows, self.units[l], self.strides[l])
    }

    /// The same, to be written.
    pub(crate) fn rows_of_mut<'a, T: Real>(
        &self,
        buffers: &'a mut [Buffer<T>],
        l: usize,
        rows: usize,
    ) -> MatrixMut<'a, T> {
        view_mut(&mut buffers[l], rows, self.units[l], self.strides[l])
    }

    /// Carries the `rows` rows in `a[0]` through all layers.
    pub(crate) fn forward<T: Real>(
        &self,
        with: Surroundings<'_, T>,
        memory: &mut ChainMemory<T>,
        scratch: &mut Scratch<T>,
        rows: usize,
    ) {
        for (l, (layer, plan)) in self.layers.iter().zip(&self.plans).enumerate() {
            let (below, above) = memory.a.split_at_mut(l + 1);
            let x = self.rows_of_mut(below, l, rows);
            let a = match plan.form {
                Form::Columns => By::Columns(packed_mut(&mut memory.columns[0], plan.n_out, rows)),
                _ => By::Rows(view_mut(&mut above[0], rows, plan.n_out, self.strides[l + 1])),
            };
            each_layer!(layer, k => k.forward(with.at(plan), &mut memory.layers[l], scratch, x, a));
        }
    }

    /// The slope of layer `l`.
    fn slope<'a, T: Real>(
        &'a self,
        with: Surroundings<'a, T>,
        l: usize,
        memory: &'a LayerMemory<T>,
        a: Matrix<'a, T>,
    ) -> Slope<'a, T> {
        each_layer!(&self.layers[l], k => k.slope(with.at(&self.plans[l]), memory, a))
    }

    /// Whether the way back goes through layer `l`: not through the first one, unless ∂L/∂x is wanted or the layers inside
    /// it need their deltas.
    fn goes_back_through(&self, l: usize, inputs: bool) -> bool {
        l > 0 || inputs || self.plans[l].inner.is_some()
    }

    /// Gets the layers ready for the way back of a whole batch; `inputs` tells whether ∂L/∂x is wanted.
    pub(crate) fn start_back<T: Real>(&self, with: Surroundings<'_, T>, memory: &mut ChainMemory<T>, inputs: bool) {
        for (l, (layer, plan)) in self.layers.iter().zip(&self.plans).enumerate() {
            if self.goes_back_through(l, inputs) {
                each_layer!(layer, k => k.start_back(with.at(plan), &mut memory.layers[l]));
            }
        }
    }

    /// From ∂L/∂a of the last layer, in the last of `memory.d` or in columns, to the delta of every layer. With `inputs`,
    /// goes on to ∂L/∂x in `d[0]`.
    pub(crate) fn backward<T: Real>(
        &self,
        with: Surroundings<'_, T>,
        memory: &mut ChainMemory<T>,
        scratch: &mut Scratch<T>,
        rows: usize,
        inputs: bool,
    ) {
        let ChainMemory { a, d, layers, columns } = memory;
        let last = self.layers.len();
        if !self.ends_in_columns() {
            let a = self.rows_of(a, last, rows);
            let slope = self.slope(with, last - 1, &layers[last - 1], a);
            slope.apply(with.machine, self.rows_of_mut(d, last, rows));
        }
        for (l, (layer, plan)) in self.layers.iter().zip(&self.plans).enumerate().rev() {
            if !self.goes_back_through(l, inputs) {
                break;
            }
            let (d_below, d) = d.split_at_mut(l + 1);
            let delta = match plan.form {
                Form::Columns => By::Columns(packed(&columns[1], plan.n_out, rows)),
                _ => By::Rows(view(&d[0], rows, plan.n_out, self.strides[l + 1])),
            };
            let (below, here) = layers.split_at_mut(l);
            let slope = match l.checked_sub(1) {
                Some(l) => self.slope(with, l, &below[l], self.rows_of(a, l + 1, rows)),
                None => Slope::One,
            };
            let (x, d_x) = (self.rows_of(a, l, rows), self.rows_of_mut(d_below, l, rows));
            each_layer!(layer, k => k.backward(with.at(plan), &mut here[0], scratch, WayBack { x, delta }, slope, d_x));
        }
    }

    /// What layer `l` reads on the way back.
    fn way_back<'a, T: Real>(&self, memory: &'a ChainMemory<T>, l: usize, rows: usize) -> WayBack<'a, T> {
        let delta = match self.plans[l].form {
            Form::Columns => By::Columns(packed(&memory.columns[1], self.plans[l].n_out, rows)),
            _ => By::Rows(self.rows_of(&memory.d, l + 1, rows)),
        };
        WayBack { x: self.rows_of(&memory.a, l, rows), delta }
    }

    /// The gradients that are sums, of all layers: see [`Propagate::sums`].
    pub(crate) fn sums<T: Real>(
        &self,
        with: Surroundings<'_, T>,
        memory: &ChainMemory<T>,
        scratch: &mut Scratch<T>,
        rows: usize,
        accumulate: bool,
        gradient: &mut [T],
    ) {
        for (l, (layer, plan)) in self.layers.iter().zip(&self.plans).enumerate() {
            let back = self.way_back(memory, l, rows);
            each_layer!(layer, k => k.sums(with.at(plan), &memory.layers[l], scratch, back, accumulate, gradient));
        }
    }

    /// The same, from nothing. Returns whether Σ delta² and Σ x² of every layer with tensors are at most `most`: then no
    /// number of the gradient can be too large. `x_is_small` says so of the first x.
    pub(crate) fn bound<T: Real>(
        &self,
        with: Surroundings<'_, T>,
        memory: &ChainMemory<T>,
        scratch: &mut Scratch<T>,
        (rows, x_is_small): (usize, bool),
        most: T,
        gradient: &mut [T],
    ) -> bool {
        self.layers.iter().zip(&self.plans).enumerate().all(|(l, (layer, plan))| {
            if plan.tensors.is_empty() && plan.inner.is_none() {
                return true;
            }
            let back = self.way_back(memory, l, rows);
            let sums = each_layer!(layer, k => {
                k.sums(with.at(plan), &memory.layers[l], scratch, back, false, gradient)
            });
            sums <= most && (l == 0 && x_is_small || squares(with.machine, back.x.data()) <= most)
        })
    }

    /// Copies the new values of the layers' buffers, from the last pass forward in training, to `buffers`.
    pub(crate) fn commit<T: Real>(&self, memory: &ChainMemory<T>, buffers: &mut [T]) {
        for (plan, memory) in self.plans.iter().zip(&memory.layers) {
            if let (Some(first), Some(last)) = (plan.buffers.first(), plan.buffers.last()) {
                buffers[first.at.start..last.at.end].copy_from_slice(&memory.buffers);
            }
            if let (Some(inner), Some(memory)) = (&plan.inner, &memory.inner) {
                inner.commit(memory, buffers);
            }
        }
    }

    /// Hands the gradients that are products to `take`, from the last layer to the first.
    pub(crate) fn products<T: Real>(
        &self,
        machine: Machine,
        memory: &ChainMemory<T>,
        scratch: &mut Scratch<T>,
        rows: usize,
        take: &mut Products<'_, T>,
    ) {
        for (l, (layer, plan)) in self.layers.iter().zip(&self.plans).enumerate().rev() {
            let back = self.way_back(memory, l, rows);
            each_layer!(layer, k => k.products(machine, plan, &memory.layers[l], scratch, back, take));
        }
    }
}

/// What the rows at hand are in each layer of a chain.
pub(crate) struct ChainMemory<T> {
    /// Activations: x, then the output of each layer.
    pub(crate) a: Vec<Buffer<T>>,
    /// The error at x and at the output of each layer: ∂L/∂a, then delta. The first is empty until it is wanted.
    pub(crate) d: Vec<Buffer<T>>,
    pub(crate) layers: Vec<LayerMemory<T>>,
    /// Outputs and deltas of a last layer with the rows in columns; empty for others.
    pub(crate) columns: [Buffer<T>; 2],
}

impl<T: Real> ChainMemory<T> {
    /// Empty memory.
    pub(crate) fn new(chain: &Chain) -> Result<Self, Error> {
        let none = || Buffer::zeroed(0);
        let one_more = || chain.units.iter().map(|_| none()).collect::<Result<Vec<_>, _>>();
        let layers = chain.plans.iter().map(LayerMemory::new).collect::<Result<_, _>>()?;
        Ok(ChainMemory { a: one_more()?, d: one_more()?, layers, columns: [none()?, none()?] })
    }

    /// Makes room for `rows` rows.
    pub(crate) fn reserve(&mut self, chain: &Chain, rows: usize) -> Result<(), Error> {
        for (a, stride) in self.a.iter_mut().zip(&chain.strides) {
            *a = Buffer::zeroed(rows * stride)?;
        }
        for (d, stride) in self.d.iter_mut().zip(&chain.strides).skip(1) {
            *d = Buffer::zeroed(rows * stride)?;
        }
        self.d[0] = Buffer::zeroed(0)?;
        if chain.ends_in_columns() {
            for columns in &mut self.columns {
                *columns = Buffer::zeroed(chain.last().n_out * stride::<T>(rows))?;
            }
        }
        for (plan, memory) in chain.plans.iter().zip(&mut self.layers) {
            memory.reserve(plan, rows)?;
        }
        Ok(())
    }

    /// Makes room for the way back; `inputs` tells whether ∂L/∂x is wanted.
    pub(crate) fn reserve_back(&mut self, chain: &Chain, inputs: bool) -> Result<(), Error> {
        if chain.goes_back_through(0, inputs) && self.d[0].is_empty() {
            self.d[0] = Buffer::zeroed(self.a[0].len())?;
        }
        for (l, (plan, memory)) in chain.plans.iter().zip(&mut self.layers).enumerate() {
            if chain.goes_back_through(l, inputs) {
                memory.reserve_back(plan)?;
            }
        }
        Ok(())
    }
}
