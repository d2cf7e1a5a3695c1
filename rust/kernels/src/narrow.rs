//! A step of a narrow network in one piece: what the doors of [`product`](crate::product), [`rows`](crate::rows) and
//! [`columns`](crate::columns) do one after the other, to the bit, for layers so small that asking what to do takes longer
//! than doing it. Shapes and places are checked once, when a [`Narrow`] is made.
//!
//! ```text
//! forward    a_l = f(b_l + a_{l−1} w_l), the last layer with the rows of the batch in columns: zᵀ = b + wᵀ aᵀ
//! backward   the loss and its derivative dᵀ in columns, deltas back through the layers, Σ_rows delta
//! update     (w, states) ← u(w, states, a_{l−1}ᵀ delta_l), b likewise
//! accumulate d_w ← d_w + a_{l−1}ᵀ delta_l, d_b likewise, for batches of several tiles
//! ```
//!
//! One thread, one tile of rows at a time, a last layer without an activation whose wᵀ is stored.

use crate::columns::{CrossEntropy, Terms};
use crate::elementwise::{pointers, step};
use crate::product::Transpose;
use crate::rows::RowSums;
use crate::target::Kernel;
use crate::vector::Raw;
use crate::{Buffer, Map, Map2, Matrix, MatrixMut, OutOfMemory, Real, Target, Term, Update, padded, stride};
use std::ops::Range;

/// A dense layer: w as (n_in, n_out) rows at `w` of the parameters, wᵀ as (n_out, n_in) of the last; b at `b`.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Number of inputs.
    pub n_in: usize,
    /// Number of outputs.
    pub n_out: usize,
    /// Where w is, its rows [`stride`] apart.
    pub w: Range<usize>,
    /// Where b is, whole lines.
    pub b: Option<Range<usize>>,
}

/// Where a layer's numbers are.
#[derive(Clone, Copy, Debug)]
struct Place {
    n_in: usize,
    n_out: usize,
    /// In the parameters; rows of w are `w_row` apart, those of wᵀ for the last layer.
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
}

/// The memory of such steps, and where everything is in it.
#[derive(Debug)]
pub struct Narrow<T> {
    hidden: Vec<Place>,
    /// The last layer; its d is dᵀ, `d_row` apart.
    head: Place,
    /// Rows that fit, whole lines of them.
    rows: usize,
    parameters: usize,
    /// A line of rows of the last inputs, transposed; then zᵀ, yᵀ as dᵀ; y as (rows, n_out); one number a row twice.
    a_t: usize,
    z_t: usize,
    y_t: usize,
    y: usize,
    scale: usize,
    losses: usize,
    arena: Buffer<T>,
}

impl<T: Real> Narrow<T> {
    /// Memory for up to `rows` rows through `layers`.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    ///
    /// # Panics
    /// Unless there are layers that fit each other, no more than 2²⁰ rows or units, and each w and b is as long as it must be.
    pub fn new(layers: &[Layer], rows: usize) -> Result<Self, OutOfMemory> {
        let rows = padded::<T>(rows.max(1));
        assert!(rows <= 1 << 20, "{rows} rows");
        let (mut len, mut parameters) = (0, 0);
        let mut take = |numbers: usize| {
            len += padded::<T>(numbers);
            len - padded::<T>(numbers)
        };
        let side = stride::<T>(rows);
        let mut places: Vec<Place> = Vec::with_capacity(layers.len());
        for (l, layer) in layers.iter().enumerate() {
            let (n_in, n_out) = (layer.n_in, layer.n_out);
            assert!((1..=1 << 20).contains(&n_in) && (1..=1 << 20).contains(&n_out), "{n_in} to {n_out} units");
            assert!(places.last().is_none_or(|below| below.n_out == n_in), "layers that do not fit");
            let last = l + 1 == layers.len();
            let (w_rows, w_row) = if last { (n_out, stride::<T>(n_in)) } else { (n_in, stride::<T>(n_out)) };
            assert_eq!(layer.w.len(), w_rows * w_row, "a w of another size");
            assert!(layer.b.as_ref().is_none_or(|b| b.len() >= padded::<T>(n_out)), "a short b");
            parameters = parameters.max(layer.w.end).max(layer.b.as_ref().map_or(0, |b| b.end));
            let a_row = stride::<T>(n_in);
            let d_row = if last { side } else { stride::<T>(n_out) };
            places.push(Place {
                n_in,
                n_out,
                w: layer.w.start,
                w_row,
                b: layer.b.as_ref().map(|b| b.start),
                a: take((rows + TALLEST) * a_row),
                a_row,
                d: take(if last { n_out * side } else { (rows + TALLEST) * d_row }),
                d_row,
                w_t: take(if l == 0 || last { 0 } else { n_out * a_row }),
                d_b: take(n_out),
            });
        }
        let Some(head) = places.pop() else { panic!("no layers") };
        let (a_t, z_t, y_t) = (take(T::LINE * head.a_row), take(head.n_out * side), take(head.n_out * side));
        let (y, scale, losses) = (take(rows * stride::<T>(head.n_out)), take(rows), take(rows));
        let arena = Buffer::zeroed(len)?;
        Ok(Narrow { hidden: places, head, rows, parameters, a_t, z_t, y_t, y, scale, losses, arena })
    }

    /// Whether `target` has such kernels: the general way is good enough without vectors.
    #[inline]
    pub fn is_for(target: Target) -> bool {
        target.shape::<T>().narrow
    }

    /// Rows that fit.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// x (rows, n_in), to be filled.
    ///
    /// # Panics
    /// Where so many rows do not fit.
    #[inline]
    pub fn x_mut(&mut self, rows: usize) -> MatrixMut<'_, T> {
        let first = *self.hidden.first().unwrap_or(&self.head);
        assert!(rows <= self.rows, "{rows} rows, not {}", self.rows);
        // The rows up to the end of a line are computed, too.
        self.arena[first.a + rows * first.a_row..first.a + padded::<T>(rows) * first.a_row].fill(T::ZERO);
        MatrixMut::new(&mut self.arena[first.a..][..rows * first.a_row], rows, first.n_in, first.a_row)
    }

    /// y (rows, n_out), to be filled where the targets are no labels.
    ///
    /// # Panics
    /// Where so many rows do not fit.
    pub fn y_mut(&mut self, rows: usize) -> MatrixMut<'_, T> {
        assert!(rows <= self.rows, "{rows} rows, not {}", self.rows);
        let y_row = stride::<T>(self.head.n_out);
        MatrixMut::new(&mut self.arena[self.y..][..rows * y_row], rows, self.head.n_out, y_row)
    }

    /// The same scale for `rows` rows, and 0 to the end of a line.
    ///
    /// # Panics
    /// Where so many rows do not fit.
    #[inline]
    pub fn set_scale(&mut self, rows: usize, scale: T) {
        assert!(rows <= self.rows, "{rows} rows, not {}", self.rows);
        self.arena[self.scale..][..rows].fill(scale);
        self.arena[self.scale + rows..self.scale + padded::<T>(rows)].fill(T::ZERO);
    }

    /// The losses of the rows after [`backward`](Narrow::backward).
    #[inline]
    pub fn losses(&self, rows: usize) -> &[T] {
        &self.arena[self.losses..][..rows]
    }

    /// The outputs after [`forward`](Narrow::forward), as (n_out, rows).
    #[inline]
    pub fn outputs(&self, rows: usize) -> Matrix<'_, T> {
        let (k, side) = (self.head.n_out, self.head.d_row);
        Matrix::new(&self.arena[self.z_t..][..k * side], k, rows, side)
    }

    #[track_caller]
    #[inline(always)]
    fn check(&self, parameters: &[T], rows: usize) {
        assert!(parameters.len() >= self.parameters, "{} parameters, not {}", parameters.len(), self.parameters);
        assert!(0 < rows && rows <= self.rows, "{rows} rows, not {}", self.rows);
    }

    /// Forward propagation of the rows in [`x_mut`](Narrow::x_mut), with `f` in registers and, if there is one, another
    /// function after it: a long one would be compiled into every tile.
    ///
    /// # Panics
    /// Where there are too few parameters or too many rows, or the target has no such kernels.
    pub fn forward(&mut self, target: Target, parameters: &[T], rows: usize, (f, pass): (impl Map, Option<impl Map>)) {
        self.check(parameters, rows);
        assert!(Self::is_for(target), "no narrow kernels on {}", target.name());
        let (arena, parameters) = (self.arena.as_mut_ptr(), parameters.as_ptr());
        let at = At { narrow: self, arena, parameters, rows };
        // SAFETY: all places are inside the arena and the parameters, and the rows fit (`new`, `check`).
        unsafe { target.run(Forward { at, f, pass }) }
    }

    /// After [`forward`](Narrow::forward), the loss, and everything back. The losses are those of `labels`, cross-entropy, or else of `term` and the targets
    /// in [`y_mut`](Narrow::y_mut). Returns whether Σ delta² and Σ a² of every layer are at most `most`, but for a = x. The
    /// sums of the deltas go on from those of the last call unless this is the `first` tile of a batch.
    ///
    /// # Panics
    /// Where there are too few parameters or labels, or too many rows.
    #[allow(clippy::too_many_arguments, reason = "what a step depends on")]
    pub fn backward(
        &mut self,
        target: Target,
        parameters: &[T],
        rows: usize,
        labels: Option<&[u32]>,
        (slope, pass, term): (impl Map2, Option<impl Map2>, impl Term),
        most: T,
        first: bool,
    ) -> bool {
        self.check(parameters, rows);
        assert!(Self::is_for(target), "no narrow kernels on {}", target.name());
        assert!(labels.is_none_or(|labels| labels.len() == rows), "not a label a row");
        let labels = labels.map(<[u32]>::as_ptr);
        let (arena, parameters) = (self.arena.as_mut_ptr(), parameters.as_ptr());
        let at = At { narrow: self, arena, parameters, rows };
        // SAFETY: all places are inside the arena and the parameters, and the rows and labels fit (`new`, `check`).
        unsafe { target.run(Backward { at, labels, slope, pass, term, most, first }) }
    }

    /// The update that follows from [`backward`](Narrow::backward).
    ///
    /// # Panics
    /// Where there are too few parameters or too many rows, or not `U::STATES` states as long as the parameters.
    pub fn update<U: Update>(
        &mut self,
        target: Target,
        parameters: &mut [T],
        states: &mut [Buffer<T>],
        rows: usize,
        u: U,
    ) {
        self.check(parameters, rows);
        assert!(Self::is_for(target), "no narrow kernels on {}", target.name());
        let states = pointers::<T, U>(parameters, states);
        let to = Step { w: parameters.as_mut_ptr(), states, u };
        // SAFETY: all places are inside the arena, the parameters and the states, and the rows fit (`new`, `check`).
        unsafe { target.run(Weights { narrow: self, rows, to }) }
    }

    /// The gradient that follows from [`backward`](Narrow::backward), in the places of the parameters: added to what is there
    /// unless this is the `first` tile of a batch.
    ///
    /// # Panics
    /// Where the gradient is shorter than the parameters, or there are too many rows.
    pub fn accumulate(&mut self, target: Target, gradient: &mut [T], rows: usize, first: bool) {
        self.check(gradient, rows);
        assert!(Self::is_for(target), "no narrow kernels on {}", target.name());
        let to = Add { gradient: gradient.as_mut_ptr(), first };
        // SAFETY: all places are inside the arena and the gradient, and the rows fit (`new`, `check`).
        unsafe { target.run(Weights { narrow: self, rows, to }) }
    }
}

/// `sums[r][v] + Σ_k a(r, k) b(k, v)`, one chain an element, k ascending: the chain of [`product`](crate::product).
///
/// # Safety
/// a(r, k) = a[r · row + k · step] and W vectors from b[k · b_row] on are there for r < H and all k; the CPU is V's.
#[inline(always)]
unsafe fn multiply<V: Raw, const H: usize, const W: usize>(
    mut sums: [[V; W]; H],
    (a, row, step): (*const V::Scalar, usize, usize),
    (b, b_row): (*const V::Scalar, usize),
    k: usize,
) -> [[V; W]; H] {
    let (mut a, mut b) = (a, b);
    for _ in 0..k {
        // SAFETY: the caller's promise.
        unsafe {
            let mut vectors = sums[0];
            for (v, vector) in vectors.iter_mut().enumerate() {
                *vector = V::load(b.add(v * V::LANES));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let number = V::splat(*a.add(r * row));
                for (sum, vector) in sums.iter_mut().zip(vectors) {
                    *sum = number.fma(vector, *sum);
                }
            }
        }
        a = a.wrapping_add(step);
        b = b.wrapping_add(b_row);
    }
    sums
}

/// Most rows of a tile, the last of which may go that far beyond the rows there are.
const TALLEST: usize = 8;

/// Calls `$tile::<V, H, W>(i, j)` for all tiles of `$rows` rows, up to whole tiles, and `$columns` columns: the shape that
/// keeps the multiply-add units busy, and one vector where that is all there is.
macro_rules! tiles {
    ($rows:expr, $columns:expr, |$i:ident, $j:ident| $self:ident.$tile:ident($($argument:expr),*)) => {
        let mut $j = 0;
        while $j < $columns {
            if $rows == 1 && $j + 3 * V::LANES < $columns {
                let $i = 0;
                $self.$tile::<V, 1, 4>($($argument),*);
                $j += 4 * V::LANES;
            } else if $rows == 1 {
                let $i = 0;
                $self.$tile::<V, 1, 1>($($argument),*);
                $j += V::LANES;
            } else if V::PAIRS && $j + V::LANES < $columns {
                for $i in (0..$rows).step_by(6) {
                    $self.$tile::<V, 6, 2>($($argument),*);
                }
                $j += 2 * V::LANES;
            } else if V::HALVES && 2 * ($columns - $j) <= V::LANES {
                for $i in (0..$rows).step_by(8) {
                    $self.$tile::<V::Half, 8, 1>($($argument),*);
                }
                $j += V::LANES;
            } else {
                for $i in (0..$rows).step_by(8) {
                    $self.$tile::<V, 8, 1>($($argument),*);
                }
                $j += V::LANES;
            }
        }
    };
}

/// What is worked on.
#[derive(Clone, Copy)]
struct At<'a, T> {
    narrow: &'a Narrow<T>,
    arena: *mut T,
    parameters: *const T,
    rows: usize,
}

#[derive(Clone, Copy)]
struct Forward<'a, T, F, G> {
    at: At<'a, T>,
    f: F,
    pass: Option<G>,
}

impl<T: Real, F: Map, G: Map> Kernel<T> for Forward<'_, T, F, G> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        if !V::NARROW {
            return;
        }
        let At { narrow, arena, rows, .. } = self.at;
        let above = narrow.hidden.iter().skip(1).chain([&narrow.head]);
        // SAFETY: the places are good (`Narrow::new`); rows up to whole lines are there.
        unsafe {
            for (place, above) in narrow.hidden.iter().zip(above) {
                tiles!(rows, place.n_out, |i, j| self.hidden(place, above, i, j));
                if let Some(pass) = self.pass {
                    for i in 0..rows {
                        for j in (0..place.n_out).step_by(V::LANES) {
                            let a = arena.add(above.a + i * above.a_row + j);
                            pass.map(V::load(a)).store(a);
                        }
                    }
                }
            }
            self.head::<V>();
        }
    }
}

impl<T: Real, F: Map, G: Map> Forward<'_, T, F, G> {
    /// Outputs of a hidden layer: rows i .. i + H, W vectors from column j on.
    ///
    /// # Safety
    /// As [`Kernel::run`]; they are there.
    #[inline(always)]
    unsafe fn hidden<V: Raw<Scalar = T>, const H: usize, const W: usize>(
        &self,
        place: &Place,
        above: &Place,
        i: usize,
        j: usize,
    ) {
        let At { arena, parameters, .. } = self.at;
        // SAFETY: the caller's promise.
        unsafe {
            let mut start = [V::splat(T::ZERO); W];
            if let Some(b) = place.b {
                start.iter_mut().enumerate().for_each(|(v, b_v)| *b_v = V::load(parameters.add(b + j + v * V::LANES)));
            }
            let x = (arena.add(place.a + i * place.a_row).cast_const(), place.a_row, 1);
            let w = (parameters.add(place.w + j), place.w_row);
            let sums = multiply::<V, H, W>([start; H], x, w, place.n_in);
            for (r, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    self.f.map(sum).store(arena.add(above.a + (i + r) * above.a_row + j + v * V::LANES));
                }
            }
        }
    }

    /// The last layer, a line of rows at a time.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn head<V: Raw<Scalar = T>>(&self) {
        let At { narrow, arena, rows, .. } = self.at;
        let head = &narrow.head;
        // SAFETY: the places are good (`Narrow::new`); rows up to whole lines are there.
        unsafe {
            let x = arena.add(head.a);
            // Zeros in the padding of activations, or it would reach that of the weights: see `clear_padding` of the core.
            if head.n_in < head.a_row && *x.add(head.n_in) != T::ZERO {
                for i in 0..rows {
                    (head.n_in..head.a_row).for_each(|j| *x.add(i * head.a_row + j) = T::ZERO);
                }
            }
            let x_t = arena.add(narrow.a_t);
            for line in (0..rows).step_by(T::LINE) {
                for i in (0..T::LINE).step_by(V::LANES) {
                    for j in (0..head.n_in).step_by(V::LANES) {
                        let from = x.add((line + i) * head.a_row + j);
                        V::transpose(from, head.a_row, x_t.add(j * T::LINE + i), T::LINE);
                    }
                }
                for i in (0..T::LINE).step_by(V::LANES) {
                    let mut j = 0;
                    while j < head.n_out {
                        let x = (x_t.add(i).cast_const(), T::LINE);
                        j += match head.n_out - j {
                            1 => self.outputs::<V, 1>(j, line + i, x),
                            2 => self.outputs::<V, 2>(j, line + i, x),
                            3 => self.outputs::<V, 3>(j, line + i, x),
                            _ => self.outputs::<V, 4>(j, line + i, x),
                        };
                    }
                }
            }
        }
    }

    /// Outputs j .. j + H of a vector of rows from row i on; returns H.
    ///
    /// # Safety
    /// As [`Kernel::run`]; the outputs and rows are there.
    #[inline(always)]
    unsafe fn outputs<V: Raw<Scalar = T>, const H: usize>(&self, j: usize, i: usize, x_t: (*const T, usize)) -> usize {
        let At { narrow, arena, parameters, .. } = self.at;
        let head = &narrow.head;
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [[V::splat(T::ZERO)]; H];
            if let Some(b) = head.b {
                sums.iter_mut().enumerate().for_each(|(r, sum)| *sum = [V::splat(*parameters.add(b + j + r))]);
            }
            let w_t = (parameters.add(head.w + j * head.w_row), head.w_row, 1);
            let sums = multiply::<V, H, 1>(sums, w_t, x_t, head.n_in);
            for (r, [sum]) in sums.into_iter().enumerate() {
                sum.store(arena.add(narrow.z_t + (j + r) * head.d_row + i));
            }
        }
        H
    }
}

#[derive(Clone, Copy)]
struct Backward<'a, T, S, P, L> {
    at: At<'a, T>,
    labels: Option<*const u32>,
    slope: S,
    pass: Option<P>,
    term: L,
    most: T,
    first: bool,
}

impl<T: Real, S: Map2, P: Map2, L: Term> Kernel<T> for Backward<'_, T, S, P, L> {
    type Out = bool;
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) -> bool {
        if !V::NARROW {
            return false;
        }
        // SAFETY: the caller's promise.
        unsafe {
            self.loss::<V>();
            self.deltas::<V>();
            self.sums::<V>()
        }
    }
}

impl<T: Real, S: Map2, P: Map2, L: Term> Backward<'_, T, S, P, L> {
    /// Losses and dᵀ from zᵀ.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn loss<V: Raw<Scalar = T>>(&self) {
        let At { narrow, arena, rows, .. } = self.at;
        let (k, side, columns) = (narrow.head.n_out, narrow.head.d_row, padded::<T>(rows));
        // SAFETY: the places are good (`Narrow::new`); rows up to whole lines are there.
        unsafe {
            let (z, d) = (arena.add(narrow.z_t).cast_const(), arena.add(narrow.head.d));
            let (scale, loss) = (arena.add(narrow.scale).cast_const(), arena.add(narrow.losses));
            if let Some(labels) = self.labels {
                let labels = (labels, rows);
                CrossEntropy::new((k, columns), (z, side), labels, scale, (d, side), loss).run::<V>();
                return;
            }
            let (from, y, y_row) =
                (arena.add(narrow.y).cast_const(), arena.add(narrow.y_t), stride::<T>(narrow.head.n_out));
            for i in (0..columns).step_by(V::LANES) {
                for j in 0..k {
                    for r in 0..V::LANES {
                        *y.add(j * side + i + r) = *from.add((i + r) * y_row + j);
                    }
                }
            }
            Terms::new((k, columns), (z, side), (y, side), scale, (d, side), loss, self.term).run::<V>();
        }
    }

    /// Deltas of the hidden layers from that of the last.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn deltas<V: Raw<Scalar = T>>(&self) {
        let At { narrow, arena, parameters, rows, .. } = self.at;
        // What passes deltas back: dᵀ and wᵀ of the last layer as they are, then d and a transposed copy.
        let mut above = &narrow.head;
        let mut d = (arena.wrapping_add(above.d).cast_const(), 1, above.d_row);
        let mut w_t = (parameters.wrapping_add(above.w), above.w_row);
        for (l, place) in narrow.hidden.iter().enumerate().rev() {
            // SAFETY: the places are good (`Narrow::new`); rows up to whole lines are there.
            unsafe {
                tiles!(rows, place.n_out, |i, j| self.delta(place, above, (d, w_t), i, j));
                if let Some(pass) = self.pass {
                    for i in 0..rows {
                        for j in (0..place.n_out).step_by(V::LANES) {
                            let d = arena.add(place.d + i * place.d_row + j);
                            pass.map(V::load(d), V::load(arena.add(above.a + i * above.a_row + j))).store(d);
                        }
                    }
                }
                if l > 0 {
                    let copy = arena.add(place.w_t);
                    let w = (parameters.add(place.w), place.w_row);
                    Transpose::new((place.n_in, place.n_out), w, (copy, place.a_row)).run::<V>();
                    d = (arena.add(place.d).cast_const(), place.d_row, 1);
                    (above, w_t) = (place, (copy.cast_const(), place.a_row));
                }
            }
        }
    }

    /// Deltas of a hidden layer, from d and wᵀ of the one above: rows i .. i + H, W vectors from column j on.
    ///
    /// # Safety
    /// As [`Kernel::run`]; they are there.
    #[inline(always)]
    #[allow(clippy::type_complexity, reason = "two places and their strides")]
    unsafe fn delta<V: Raw<Scalar = T>, const H: usize, const W: usize>(
        &self,
        place: &Place,
        above: &Place,
        (d, w_t): ((*const T, usize, usize), (*const T, usize)),
        i: usize,
        j: usize,
    ) {
        let arena = self.at.arena;
        // SAFETY: the caller's promise.
        unsafe {
            let (d, w_t) = ((d.0.add(i * d.1), d.1, d.2), (w_t.0.add(j), w_t.1));
            let sums = multiply::<V, H, W>([[V::splat(T::ZERO); W]; H], d, w_t, above.n_out);
            for (r, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    let j = j + v * V::LANES;
                    let a = V::load(arena.add(above.a + (i + r) * above.a_row + j));
                    self.slope.map(sum, a).store(arena.add(place.d + (i + r) * place.d_row + j));
                }
            }
        }
    }

    /// Σ_rows delta of every layer, and whether the squares of deltas and activations are small.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn sums<V: Raw<Scalar = T>>(&self) -> bool {
        let At { narrow, arena, rows, .. } = self.at;
        let head = &narrow.head;
        // SAFETY: the places are good (`Narrow::new`).
        unsafe {
            let d_b = arena.add(head.d_b);
            let m = (arena.add(head.d).cast_const(), head.d_row);
            let squares = RowSums::new((head.n_out, rows), m, !self.first, d_b).run::<V>();
            let mut small = squares <= self.most;
            let above = narrow.hidden.iter().skip(1).chain([head]);
            for (place, above) in narrow.hidden.iter().zip(above) {
                let (mut j, mut squares) = (0, [V::splat(T::ZERO); 2]);
                while j < place.n_out {
                    let vectors = (place.n_out - j).div_ceil(V::LANES);
                    j += V::LANES
                        * match vectors {
                            1 => self.columns::<V, 1>(place, above, j, &mut squares),
                            2 | 3 => self.columns::<V, 2>(place, above, j, &mut squares),
                            _ => self.columns::<V, 4>(place, above, j, &mut squares),
                        };
                }
                small &= squares[0].sum() <= self.most && squares[1].sum() <= self.most;
            }
            small
        }
    }

    /// Σ_rows delta of W vectors from column j on; adds Σ delta² and Σ a² to `squares`. Returns W.
    ///
    /// # Safety
    /// As [`Kernel::run`]; they are there.
    #[inline(always)]
    unsafe fn columns<V: Raw<Scalar = T>, const W: usize>(
        &self,
        place: &Place,
        above: &Place,
        j: usize,
        squares: &mut [V; 2],
    ) -> usize {
        let arena = self.at.arena;
        // SAFETY: the caller's promise.
        unsafe {
            let zero = V::splat(T::ZERO);
            // Several chains side by side, or each addition would wait for the one before.
            let (mut sums, mut deltas, mut outputs) = ([zero; W], [zero; W], [zero; W]);
            if !self.first {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = V::load(arena.add(place.d_b + j + v * V::LANES));
                }
            }
            for i in 0..self.at.rows {
                let (d, a) = (arena.add(place.d + i * place.d_row + j), arena.add(above.a + i * above.a_row + j));
                for v in 0..W {
                    let (d, a) = (V::load(d.add(v * V::LANES)), V::load(a.add(v * V::LANES)));
                    sums[v] = sums[v] + d;
                    deltas[v] = d.fma(d, deltas[v]);
                    outputs[v] = a.fma(a, outputs[v]);
                }
            }
            for v in 0..W {
                sums[v].store(arena.add(place.d_b + j + v * V::LANES));
                *squares = [squares[0] + deltas[v], squares[1] + outputs[v]];
            }
        }
        W
    }
}

/// What becomes of sums of a gradient.
trait Sink<T: Real>: Copy {
    /// Where the chains of a vector of weights start.
    ///
    /// # Safety
    /// `at` is a place of the parameters, and the CPU is V's.
    #[inline(always)]
    unsafe fn start<V: Raw<Scalar = T>>(self, _at: usize) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::splat(T::ZERO) }
    }

    /// Takes them.
    ///
    /// # Safety
    /// `at` is a place of the parameters, and the CPU is V's.
    unsafe fn done<V: Raw<Scalar = T>>(self, at: usize, sums: V);
}

/// (w, states) ← u(w, states, sums).
#[derive(Clone, Copy)]
struct Step<T, U> {
    w: *mut T,
    states: [*mut T; 3],
    u: U,
}

impl<T: Real, U: Update> Sink<T> for Step<T, U> {
    #[inline(always)]
    unsafe fn done<V: Raw<Scalar = T>>(self, at: usize, sums: V) {
        // SAFETY: inside w and the U::STATES states that are set (`Narrow::update`).
        unsafe { step(self.w, self.states, at, sums, self.u) }
    }
}

/// gradient ← sums that started from it, or from 0 where this is the first tile of a batch.
#[derive(Clone, Copy)]
struct Add<T> {
    gradient: *mut T,
    first: bool,
}

impl<T: Real> Sink<T> for Add<T> {
    #[inline(always)]
    unsafe fn start<V: Raw<Scalar = T>>(self, at: usize) -> V {
        // SAFETY: inside the gradient (`Narrow::accumulate`).
        unsafe { if self.first { V::splat(T::ZERO) } else { V::load(self.gradient.add(at)) } }
    }

    #[inline(always)]
    unsafe fn done<V: Raw<Scalar = T>>(self, at: usize, sums: V) {
        // SAFETY: as above.
        unsafe { sums.store(self.gradient.add(at)) }
    }
}

/// The sums of all gradients.
#[derive(Clone, Copy)]
struct Weights<'a, T, S> {
    narrow: &'a Narrow<T>,
    rows: usize,
    to: S,
}

impl<T: Real, S: Sink<T>> Kernel<T> for Weights<'_, T, S> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<V: Raw<Scalar = T>>(self) {
        if !V::NARROW {
            return;
        }
        let (narrow, arena) = (self.narrow, self.narrow.arena.as_ptr());
        let head = &narrow.head;
        // SAFETY: the places are good (`Narrow::new`).
        unsafe {
            let d_t = (arena.add(head.d), head.d_row, 1);
            self.weights::<V>(head, d_t, (arena.add(head.a), head.a_row), (head.n_out, head.n_in));
            self.bias::<V>(head);
            for place in &narrow.hidden {
                let x = (arena.add(place.a), 1, place.a_row);
                self.weights::<V>(place, x, (arena.add(place.d), place.d_row), (place.n_in, place.n_out));
                self.bias::<V>(place);
            }
        }
    }
}

impl<T: Real, S: Sink<T>> Weights<'_, T, S> {
    /// The weights of a layer, as they are stored: m rows of n, from numbers a(i, row) and vectors b(row, ..).
    ///
    /// # Safety
    /// As [`Kernel::run`]; the numbers and vectors are there for all rows.
    #[inline(always)]
    unsafe fn weights<V: Raw<Scalar = T>>(
        &self,
        place: &Place,
        a: (*const T, usize, usize),
        b: (*const T, usize),
        (m, n): (usize, usize),
    ) {
        let mut j = 0;
        while j < n {
            // SAFETY: the caller's promise.
            unsafe {
                let b = (b.0.add(j), b.1);
                if V::PAIRS && j + V::LANES < n {
                    self.strip::<V, 2>(place, a, b, m, j);
                    j += 2 * V::LANES;
                } else if V::HALVES && 2 * (n - j) <= V::LANES {
                    self.strip::<V::Half, 1>(place, a, b, m, j);
                    j += V::LANES;
                } else {
                    self.strip::<V, 1>(place, a, b, m, j);
                    j += V::LANES;
                }
            }
        }
    }

    /// W vectors of all m rows.
    ///
    /// # Safety
    /// As [`Weights::weights`].
    #[inline(always)]
    unsafe fn strip<V: Raw<Scalar = T>, const W: usize>(
        &self,
        place: &Place,
        a: (*const T, usize, usize),
        b: (*const T, usize),
        m: usize,
        j: usize,
    ) {
        let mut i = 0;
        while i < m {
            // SAFETY: the caller's promise.
            unsafe {
                let a = (a.0.add(i * a.1), a.1, a.2);
                i += match m - i {
                    1 => self.tile::<V, 1, W>(place, a, b, (i, j)),
                    2 => self.tile::<V, 2, W>(place, a, b, (i, j)),
                    3 => self.tile::<V, 3, W>(place, a, b, (i, j)),
                    _ => self.tile::<V, 4, W>(place, a, b, (i, j)),
                };
            }
        }
    }

    /// H rows of W vectors of weights from (i, j) on; returns H.
    ///
    /// # Safety
    /// As [`Weights::weights`].
    #[inline(always)]
    unsafe fn tile<V: Raw<Scalar = T>, const H: usize, const W: usize>(
        &self,
        place: &Place,
        a: (*const T, usize, usize),
        b: (*const T, usize),
        (i, j): (usize, usize),
    ) -> usize {
        let at = place.w + i * place.w_row + j;
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [[V::splat(T::ZERO); W]; H];
            for (r, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = self.to.start(at + r * place.w_row + v * V::LANES);
                }
            }
            let sums = multiply::<V, H, W>(sums, a, b, self.rows);
            for (r, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    self.to.done(at + r * place.w_row + v * V::LANES, sum);
                }
            }
        }
        H
    }

    /// The bias of a layer, where it has one: its sums are there, of all tiles so far.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn bias<V: Raw<Scalar = T>>(&self, place: &Place) {
        let Some(b) = place.b else { return };
        for j in (0..place.n_out).step_by(V::LANES) {
            // SAFETY: b and Σ delta are whole lines.
            unsafe { self.to.done(b + j, V::load(self.narrow.arena.as_ptr().add(place.d_b + j))) }
        }
    }
}
