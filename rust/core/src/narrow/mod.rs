//! Steps and outputs of narrow networks through [`chainrule_kernels::narrow`]: the bits of the general way, without asking
//! at every product what to do.

use crate::activation::{Activation, LeakyRelu, Relu, Sigmoid, Tanh, TimesSlope, Value};
use crate::data::{gather, gather_columns};
use crate::forward::{read_labels, sum_of};
use crate::layer::Layer;
use crate::loss::{Loss, Square};
use crate::optimizer::{Apply, Fuses, Rule};
use crate::train::small_squares;
use crate::workspace::view_mut;
use crate::{Batch, Error, Network, Real, Rows, Spec, Targets, Workspace};
use chainrule_kernels::narrow::Narrow;
use chainrule_kernels::{Map, Map2, Picks, Vector, columns, product};

#[cfg(test)]
mod tests;
mod tiles;

pub(crate) use tiles::Memory;

/// Most units of a layer, inputs too.
pub(crate) const WIDEST: usize = 128;

/// The activation of all hidden layers: one function holds all of these, so they are few.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hidden {
    /// Or no hidden layers.
    Identity,
    Relu,
    LeakyRelu(LeakyRelu),
    Tanh,
    Sigmoid,
}

impl Hidden {
    /// That of `spec`, where its network is narrow: dense layers of at most `widest` units with one activation and no penalty,
    /// the last without an activation, and an optimizer whose updates follow the sums.
    pub(crate) fn of(spec: &Spec, widest: usize) -> Option<Self> {
        if spec.optimizer.fuses() == Fuses::Nowhere || spec.units().into_iter().any(|units| units > widest) {
            return None;
        }
        let (last, hidden) = spec.layers.split_last()?;
        let mut activations = hidden.iter().map(|layer| match layer {
            Layer::Dense(dense) if dense.l2 == 0.0 => Some(dense.activation),
            _ => None,
        });
        match last {
            Layer::Dense(dense) if dense.l2 == 0.0 && matches!(dense.activation, Activation::Identity(_)) => {}
            _ => return None,
        }
        let Some(first) = activations.next() else { return Some(Hidden::Identity) };
        let first = first?;
        if activations.any(|other| other != Some(first)) {
            return None;
        }
        Some(match first {
            Activation::Identity(_) => Hidden::Identity,
            Activation::Relu(_) => Hidden::Relu,
            Activation::LeakyRelu(leaky) => Hidden::LeakyRelu(leaky),
            Activation::Tanh(_) => Hidden::Tanh,
            Activation::Sigmoid(_) => Hidden::Sigmoid,
            _ => return None,
        })
    }
}

impl Hidden {
    /// What is done in registers, and what is left to a pass of its own.
    fn formulas(self) -> (Short, Option<Long>) {
        (Short(self), matches!(self, Hidden::Tanh | Hidden::Sigmoid).then_some(Long(self)))
    }
}

/// f(z) and d ⊙ f'(z) of a [`Hidden`], where they are a few instructions; else z and d.
#[derive(Clone, Copy)]
struct Short(Hidden);

impl Map for Short {
    #[inline(always)]
    fn map<V: Vector>(self, z: V) -> V {
        match self.0 {
            Hidden::Relu => Value(Relu {}).map(z),
            Hidden::LeakyRelu(leaky) => Value(leaky).map(z),
            Hidden::Identity | Hidden::Tanh | Hidden::Sigmoid => z,
        }
    }
}

impl Map2 for Short {
    #[inline(always)]
    fn map<V: Vector>(self, d: V, a: V) -> V {
        match self.0 {
            Hidden::Relu => TimesSlope(Relu {}).map(d, a),
            Hidden::LeakyRelu(leaky) => TimesSlope(leaky).map(d, a),
            Hidden::Tanh => TimesSlope(Tanh {}).map(d, a),
            Hidden::Sigmoid => TimesSlope(Sigmoid {}).map(d, a),
            Hidden::Identity => d,
        }
    }
}

/// f(z) where it is more.
#[derive(Clone, Copy)]
struct Long(Hidden);

impl Map for Long {
    #[inline(always)]
    fn map<V: Vector>(self, z: V) -> V {
        match self.0 {
            Hidden::Tanh => Value(Tanh {}).map(z),
            Hidden::Sigmoid => Value(Sigmoid {}).map(z),
            Hidden::Identity | Hidden::Relu | Hidden::LeakyRelu(_) => z,
        }
    }
}

/// The term of a loss that has columns for such targets; of no account for labels.
fn term(loss: &Loss, labels: bool, outputs: usize) -> Option<Square> {
    match loss {
        Loss::CrossEntropy(loss) if labels && loss.label_smoothing == 0.0 => Some(Square { factor: 0.0 }),
        Loss::Mse(_) if !labels => Some(Square { factor: 1.0 / outputs as f64 }),
        Loss::HalfSquaredError(_) if !labels => Some(Square { factor: 0.5 }),
        _ => None,
    }
}

impl<T: Real> Network<T> {
    /// One update of a narrow network from the rows of `picks`: their loss and the sum of their weights, as
    /// [`Network::step`]. None, and nothing done, where the general way has to be gone.
    pub(crate) fn narrow_step(
        &mut self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        at: Option<(u64, usize)>,
    ) -> Result<Option<(f64, f64)>, Error> {
        let rows = picks.len();
        let (Some(formulas), true) = (self.narrow_formulas(batch, rows), rows <= self.plan.tile) else {
            return Ok(None);
        };
        let memory = Memory::first(&mut ws.narrow, &self.plan, rows)?;
        let small = self.narrow_tile(memory, batch, picks, formulas, rows, Some(small_squares()))?;
        let loss = sum_of(memory.narrow.losses(rows), T::to_f64) / rows as f64;
        if !loss.is_finite() {
            return Err(Error::Diverged { loss, at });
        }
        if !small {
            return Ok(None);
        }
        let optimizer = self.spec.optimizer;
        let narrow = &mut memory.narrow;
        optimizer.rule::<T, _>(self.steps + 1, Pass { network: self, narrow, rows });
        self.steps += 1;
        Ok(Some((loss, rows as f64)))
    }

    fn narrow_way(&self, rows: usize) -> Option<Hidden> {
        let is_best = || Narrow::<T>::is_for(self.machine) && self.plan.in_tiles(rows, self.machine.threads());
        self.plan.narrow.filter(|_| is_best())
    }

    /// What a narrow step on `rows` rows of `batch` computes, where it can and is the best there is.
    pub(crate) fn narrow_formulas(&self, batch: &Batch<'_, T>, rows: usize) -> Option<(Hidden, Square)> {
        let hidden = self.narrow_way(rows)?;
        let term = term(&self.spec.loss, matches!(batch.y, Targets::Labels(_)), self.n_outputs())?;
        batch.sample_weight.is_none().then_some((hidden, term))
    }

    /// Forward and back for the rows of `picks` of a batch of so many rows, whose losses are then in the memory: whether their
    /// gradient is small for certain, where it is asked what small is.
    pub(crate) fn narrow_tile(
        &self,
        memory: &mut Memory<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        (hidden, term): (Hidden, Square),
        rows_of_batch: usize,
        small: Option<T>,
    ) -> Result<bool, Error> {
        let (rows, k, machine) = (picks.len(), self.n_outputs(), self.machine);
        let Memory { narrow, labels } = memory;
        let limit = self.small_x(rows);
        let x_is_small = gather(machine, "X", batch.x, picks, &mut narrow.x_mut(rows), limit)?;
        let labels_of_rows = match &batch.y {
            Targets::Labels(from) => {
                read_labels(from, picks, &mut labels[..rows], k)?;
                Some(&labels[..rows])
            }
            Targets::Values(from) => {
                gather_columns("y", *from, picks, &mut narrow.y_t_mut(rows))?;
                None
            }
        };
        narrow.set_scale(rows, T::from_f64(1.0 / rows_of_batch as f64));
        let (short, long) = hidden.formulas();
        narrow.forward(machine, &self.parameters, rows, (short, long));
        let small = narrow.backward(machine, &self.parameters, rows, labels_of_rows, (short, term), small);
        Ok(small && x_is_small)
    }

    /// The outputs of the rows of `tile`, or the probabilities that follow from them, in the last of `ws.a`, where the network
    /// is narrow.
    pub(crate) fn narrow_outputs(
        &self,
        ws: &mut Workspace<T>,
        x: &dyn Rows<T>,
        tile: Picks<'_>,
        softmax: bool,
    ) -> Result<bool, Error> {
        let Some(hidden) = self.narrow_way(tile.len()) else { return Ok(false) };
        let (rows, last) = (tile.len(), self.spec.layers.len());
        let (k, stride) = (self.plan.units[last], self.plan.strides[last]);
        let narrow = &mut Memory::first(&mut ws.narrow, &self.plan, rows)?.narrow;
        gather(self.machine, "X", x, tile, &mut narrow.x_mut(rows), T::MAX)?;
        narrow.forward(self.machine, &self.parameters, rows, hidden.formulas());
        let mut outputs = narrow.outputs(rows);
        if softmax {
            columns::softmax(self.machine, outputs.reborrow());
        }
        product::transpose(self.machine, outputs.as_ref(), view_mut(&mut ws.a[last], rows, k, stride));
        Ok(true)
    }
}

/// The update of all layers, by a rule that the optimizer knows.
struct Pass<'a, T> {
    network: &'a mut Network<T>,
    narrow: &'a mut Narrow<T>,
    rows: usize,
}

impl<T: Real> Apply for Pass<'_, T> {
    type Out = ();

    fn apply<R: Rule>(self, rule: R) {
        if const { matches!(R::FUSES, Fuses::Nowhere) } {
            unreachable!("only networks whose rule fuses are small");
        }
        let Pass { network, narrow, rows } = self;
        narrow.update(network.machine, &mut network.parameters, &mut network.states, rows, [rule; 2]);
    }
}
