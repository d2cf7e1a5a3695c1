//! A step of a small network in one kernel. Its layers are so small that deciding what to do takes longer than doing
//! it: so shapes and offsets are checked once, when a [`Small`] is made. The bits are those of the doors of
//! [`product`](crate::product), [`rows`](crate::rows) and [`columns`](crate::columns), called one after the other.
//!
//! ```text
//! forward    a_l = f(b_l + a_{l−1} w_l), the last layer in columns: zᵀ = b + wᵀ aᵀ
//! backward   the loss and its derivative dᵀ in columns, the deltas of all layers, Σ_rows delta
//! update     (w, states) ← u(w, states, a_{l−1}ᵀ delta_l), b likewise
//! gradient   d_w = a_{l−1}ᵀ delta_l, d_b = Σ_rows delta_l, for batches of several tiles
//! ```
//!
//! A step runs on one thread. The last layer has no activation, and its wᵀ is stored in offsets of w.

mod backward;
mod forward;
mod tile;
mod weights;

use crate::product::{Step, Store};
use crate::update::pointers;
use crate::{Buffer, Machine, Map, Map2, MatrixMut, OutOfMemory, Real, Term, Update, padded, stride};
use backward::Backward;
use forward::Forward;
use std::ops::Range;
use tile::{At, MAX_TILE_ROWS};
use weights::Weights;

/// A dense layer, and where its parameters are: w as (n_in, n_out), or wᵀ as (n_out, n_in) in the last layer, and b.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Number of inputs.
    pub n_in: usize,
    /// Number of outputs.
    pub n_out: usize,
    /// The range of w in the parameters, its rows [`stride`] apart.
    pub w: Range<usize>,
    /// The range of b in the parameters, whole lines.
    pub b: Option<Range<usize>>,
    /// Whether outputs may be dropped at random; not those of the last layer.
    pub drops: bool,
}

/// How the outputs of a layer are dropped: see [`mask`](crate::mask()).
#[derive(Clone, Copy, Debug)]
pub struct Drops<T> {
    /// What the random bits follow from.
    pub key: u64,
    /// Units whose bits are fewer are dropped.
    pub threshold: u32,
    /// What the others are multiplied by.
    pub kept: T,
}

/// The offsets of a layer's numbers.
#[derive(Clone, Copy, Debug)]
struct Offsets {
    n_in: usize,
    n_out: usize,
    /// In the parameters. Rows of w, or of wᵀ in the last layer, are `w_row` apart.
    w: usize,
    w_row: usize,
    b: Option<usize>,
    /// In the arena: inputs (rows, n_in), deltas (rows, n_out), wᵀ, and Σ_rows delta.
    a: usize,
    a_row: usize,
    d: usize,
    d_row: usize,
    w_t: usize,
    d_b: usize,
    /// Outputs before units are dropped, and the mask, where they may be.
    undropped: usize,
    mask: usize,
}

/// The memory of such steps, and the offsets in it.
#[derive(Debug)]
pub struct Small<T> {
    hidden: Vec<Offsets>,
    /// How the outputs of each hidden layer are dropped.
    drops: Vec<Option<Drops<T>>>,
    /// Number of the first row at hand in its batch.
    first_row: u64,
    /// The last layer. Its d is dᵀ, with rows `d_row` apart.
    last: Offsets,
    /// The most rows, whole lines.
    rows: usize,
    parameters: usize,
    /// In the arena: the transpose of a line of rows of the last layer's inputs; zᵀ and yᵀ, shaped like dᵀ; a scale and
    /// a loss for each row.
    a_t: usize,
    z_t: usize,
    y_t: usize,
    scale: usize,
    losses: usize,
    arena: Buffer<T>,
}

impl<T: Real> Small<T> {
    /// Memory for up to `rows` rows through `layers`.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    ///
    /// # Panics
    /// Unless there is a layer, layers fit each other, each w and b has its length, and there are at most 2²⁰ rows and
    /// units.
    pub fn new(layers: &[Layer], rows: usize) -> Result<Self, OutOfMemory> {
        let rows = padded::<T>(rows.max(1));
        assert!(rows <= 1 << 20, "{rows} rows");
        let (mut len, mut parameters) = (0, 0);
        let mut take = |numbers: usize| {
            len += padded::<T>(numbers);
            len - padded::<T>(numbers)
        };
        let side = stride::<T>(rows);
        let mut layers_at: Vec<Offsets> = Vec::with_capacity(layers.len());
        for (l, layer) in layers.iter().enumerate() {
            let (n_in, n_out) = (layer.n_in, layer.n_out);
            assert!((1..=1 << 20).contains(&n_in) && (1..=1 << 20).contains(&n_out), "{n_in} to {n_out} units");
            assert!(layers_at.last().is_none_or(|below| below.n_out == n_in), "layers that do not fit");
            let is_last = l + 1 == layers.len();
            let (w_rows, w_row) = if is_last { (n_out, stride::<T>(n_in)) } else { (n_in, stride::<T>(n_out)) };
            assert_eq!(layer.w.len(), w_rows * w_row, "a w of another size");
            assert!(layer.b.as_ref().is_none_or(|b| b.len() >= padded::<T>(n_out)), "a short b");
            parameters = parameters.max(layer.w.end).max(layer.b.as_ref().map_or(0, |b| b.end));
            let a_row = stride::<T>(n_in);
            let d_row = if is_last { side } else { stride::<T>(n_out) };
            layers_at.push(Offsets {
                n_in,
                n_out,
                w: layer.w.start,
                w_row,
                b: layer.b.as_ref().map(|b| b.start),
                a: take((rows + MAX_TILE_ROWS) * a_row),
                a_row,
                d: take(if is_last { n_out * side } else { (rows + MAX_TILE_ROWS) * d_row }),
                d_row,
                w_t: take(if l == 0 || is_last { 0 } else { n_out * a_row }),
                d_b: take(n_out),
                undropped: take(if layer.drops { (rows + MAX_TILE_ROWS) * stride::<T>(n_out) } else { 0 }),
                mask: take(if layer.drops { (rows + MAX_TILE_ROWS) * stride::<T>(n_out) } else { 0 }),
            });
        }
        let Some(last) = layers_at.pop() else { panic!("no layers") };
        let drops = vec![None; layers_at.len()];
        let (a_t, z_t, y_t) = (take(T::LINE * last.a_row), take(last.n_out * side), take(last.n_out * side));
        let (scale, losses) = (take(rows), take(rows));
        let arena = Buffer::zeroed(len)?;
        Ok(Small {
            hidden: layers_at,
            drops,
            first_row: 0,
            last,
            rows,
            parameters,
            a_t,
            z_t,
            y_t,
            scale,
            losses,
            arena,
        })
    }

    /// Whether the machine has such kernels. There are none without vectors: the general path is fast enough there.
    #[inline]
    pub fn is_for(machine: Machine) -> bool {
        machine.shape::<T>().small
    }

    /// The most rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// x (rows, n_in), to be filled in.
    ///
    /// # Panics
    /// If there are more rows than fit.
    #[inline(always)]
    pub fn x_mut(&mut self, rows: usize) -> MatrixMut<'_, T> {
        let &Offsets { a, a_row, n_in, .. } = self.hidden.first().unwrap_or(&self.last);
        assert!(rows <= self.rows, "{rows} rows, not {}", self.rows);
        // The rows up to the end of a line are computed too, so they must be numbers.
        self.arena[a + rows * a_row..a + padded::<T>(rows) * a_row].fill(T::ZERO);
        MatrixMut::new(&mut self.arena[a..][..rows * a_row], rows, n_in, a_row)
    }

    /// yᵀ (n_out, rows), to be filled in unless the targets are labels.
    ///
    /// # Panics
    /// If there are more rows than fit.
    pub fn y_t_mut(&mut self, rows: usize) -> MatrixMut<'_, T> {
        assert!(rows <= self.rows, "{rows} rows, not {}", self.rows);
        let (k, side) = (self.last.n_out, self.last.d_row);
        MatrixMut::new(&mut self.arena[self.y_t..][..k * side], k, rows, side)
    }

    /// The scale of each row, and 0 from there to the end of a line, to be filled.
    ///
    /// # Panics
    /// If there are more rows than fit.
    #[inline(always)]
    pub fn scale_mut(&mut self, rows: usize) -> &mut [T] {
        assert!(rows <= self.rows, "{rows} rows, not {}", self.rows);
        &mut self.arena[self.scale..][..padded::<T>(rows)]
    }

    /// Says how the outputs of each hidden layer are dropped, in batches whose row `first_row` is the first at hand.
    ///
    /// # Panics
    /// Where a layer drops outputs that was not made for it.
    pub fn set_drops(&mut self, first_row: usize, drops: impl Iterator<Item = Option<Drops<T>>>) {
        self.first_row = first_row as u64;
        for ((to, drops), offsets) in self.drops.iter_mut().zip(drops).zip(&self.hidden) {
            assert!(drops.is_none() || offsets.undropped < offsets.mask, "a layer that cannot drop outputs");
            *to = drops;
        }
    }

    /// The losses of the rows after [`backward`](Small::backward).
    #[inline]
    pub fn losses(&self, rows: usize) -> &[T] {
        &self.arena[self.losses..][..rows]
    }

    /// The outputs after [`forward`](Small::forward), as (n_out, rows).
    #[inline]
    pub fn outputs(&mut self, rows: usize) -> MatrixMut<'_, T> {
        let (k, side) = (self.last.n_out, self.last.d_row);
        MatrixMut::new(&mut self.arena[self.z_t..][..k * side], k, rows, side)
    }

    #[track_caller]
    #[inline(always)]
    fn check(&self, parameters: &[T], rows: usize) {
        assert!(parameters.len() >= self.parameters, "{} parameters, not {}", parameters.len(), self.parameters);
        assert!(0 < rows && rows <= self.rows, "{rows} rows, not {}", self.rows);
    }

    /// Forward propagation of the rows in [`x_mut`](Small::x_mut). `f` is applied in registers, and `pass`, if there
    /// is one, in a pass of its own after it: in registers, a long formula would be compiled into every tile.
    ///
    /// # Panics
    /// If there are too few parameters or too many rows, or the machine has no such kernels.
    #[inline(always)]
    pub fn forward(
        &mut self,
        machine: Machine,
        parameters: &[T],
        rows: usize,
        (f, pass): (impl Map, Option<impl Map>),
    ) {
        self.check(parameters, rows);
        assert!(Self::is_for(machine), "no small kernels on {}", machine.name());
        let (arena, parameters) = (self.arena.as_mut_ptr(), parameters.as_ptr());
        let at = At { machine, small: self, arena, parameters, rows };
        // SAFETY: all offsets are inside the arena and the parameters, and the rows fit (`new`, `check`).
        unsafe { machine.run(Forward { at, f, pass }) }
    }

    /// The losses and all deltas, after [`forward`](Small::forward). With `labels` the loss is the cross-entropy,
    /// otherwise `term` of the targets in [`y_t_mut`](Small::y_t_mut). With `most`, computes Σ_rows delta, which
    /// [`update`](Small::update) needs, and returns whether Σ delta² and Σ a² of every layer are at most `most`; x is
    /// not checked. Otherwise returns true.
    ///
    /// # Panics
    /// If there are too few parameters, too many rows, or not a label for each row.
    #[inline(always)]
    #[allow(clippy::too_many_arguments, reason = "what a step depends on")]
    pub fn backward(
        &mut self,
        machine: Machine,
        parameters: &[T],
        rows: usize,
        labels: Option<&[u32]>,
        (slope, term): (impl Map2, impl Term),
        most: Option<T>,
    ) -> bool {
        self.check(parameters, rows);
        assert!(Self::is_for(machine), "no small kernels on {}", machine.name());
        assert!(labels.is_none_or(|labels| labels.len() == rows), "not a label a row");
        let labels = labels.map(<[u32]>::as_ptr);
        let (arena, parameters) = (self.arena.as_mut_ptr(), parameters.as_ptr());
        let at = At { machine, small: self, arena, parameters, rows };
        // SAFETY: all offsets are inside the arena and the parameters, and the rows and labels fit (`new`, `check`).
        unsafe { machine.run(Backward { at, labels, slope, term, most }) }
    }

    /// The update after [`backward`](Small::backward) with `most`: of the weights by one rule, of the biases by
    /// another.
    ///
    /// # Panics
    /// If there are too few parameters or too many rows, or not `U::STATES` states as long as the parameters.
    pub fn update<U: Update>(
        &mut self,
        machine: Machine,
        parameters: &mut [T],
        states: &mut [Buffer<T>],
        rows: usize,
        [u, u_bias]: [U; 2],
    ) {
        self.check(parameters, rows);
        assert!(Self::is_for(machine), "no small kernels on {}", machine.name());
        let states = pointers::<T, U>(parameters, states);
        let [weight, bias] = [u, u_bias].map(|u| Step { w: parameters.as_mut_ptr(), states, w_row: 0, u });
        let arena = self.arena.as_mut_ptr();
        // SAFETY: all offsets are inside the arena, the parameters and the states, and the rows fit (`new`, `check`).
        unsafe { machine.run(Weights::<_, _, true> { small: self, arena, rows, weight, bias }) }
    }

    /// The gradient after [`backward`](Small::backward), laid out like the parameters.
    ///
    /// # Panics
    /// If the gradient is shorter than the parameters, or there are too many rows.
    pub fn gradient(&mut self, machine: Machine, gradient: &mut [T], rows: usize) {
        self.check(gradient, rows);
        assert!(Self::is_for(machine), "no small kernels on {}", machine.name());
        let to = Store { c: gradient.as_mut_ptr(), c_row: 0 };
        let arena = self.arena.as_mut_ptr();
        // SAFETY: all offsets are inside the arena and the gradient, and the rows fit (`new`, `check`).
        unsafe { machine.run(Weights::<_, _, false> { small: self, arena, rows, weight: to, bias: to }) }
    }
}
