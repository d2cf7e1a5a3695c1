//! One update: the loss and its gradient, what is refused, and the optimizer's rule.
//!
//! ```text
//! small network, one tile    ─▶ deltas ─▶ rule, from registers
//! one tile                   ─▶ deltas ─▶ small for certain? ─▶ rule, from registers
//!                                          else ─▶ gradient in memory ─▶ finite? ─▶ rule
//! several tiles              ─▶ gradient in memory ─▶ finite? ─▶ rule
//! ```
//!
//! All ways give the same bits. Nothing is changed before everything has been checked.
//!
//! The step of a small network takes 0.3 µs. `inline(never)` keeps what it does not need out of its code: 2 % of its time.

use super::{Objective, sklearn};
use crate::bounds::{largest_gradient, small_squares};
use crate::layer::Factors;
use crate::optimizer::{Apply, FromMemory, Fuses, Rule};
use crate::pass::{Model, SmallMemory, Tile, Way};
use crate::plan::{Named, Plan};
use crate::tensor::{Gradient, Tensor};
use crate::{Batch, Error, Network, Real, Workspace};
use chainrule_kernels::{Buffer, Machine, Picks, elementwise, product, within};

/// Where the gradient of an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// In the memory of a small network, as activations and deltas.
    Small,
    /// In the workspace, as activations and deltas; the gradients that are sums are in their places.
    Layers,
    /// In memory.
    Memory,
}

impl<T: Real> Network<T> {
    /// One update from a batch; returns its loss before the update. A batch whose weights are all zero changes
    /// nothing and has loss 0.
    ///
    /// # Errors
    /// Whatever is wrong with the batch; [`Error::Diverged`] where its loss is not finite,
    /// [`Error::GradientDiverged`] where its gradient is too large to be squared,
    /// [`Error::UpdateDiverged`] where the update is too large. Nothing is changed then.
    pub fn step(&mut self, workspace: &mut Workspace<T>, batch: &Batch<'_, T>) -> Result<f64, Error> {
        self.check_batch(batch)?;
        let all = Picks::all(batch.x.rows());
        self.guarded(|network| Ok(network.step_rows(workspace, batch, all, &Objective::OWN, None)?.0))
    }

    /// One update from a gradient in the order of the parameters.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::NotFiniteAt`], [`Error::GradientDiverged`], [`Error::UpdateDiverged`]; nothing is
    /// changed then.
    pub fn apply_gradient(&mut self, workspace: &mut Workspace<T>, flat: &[T]) -> Result<(), Error> {
        self.plan.check_flat("gradient", flat)?;
        workspace.reserve_gradient(&self.plan, false)?;
        Plan::pack(&self.plan.tensors, flat, &mut workspace.gradient);
        if !within(self.machine, &workspace.gradient, largest_gradient()) {
            return Err(Error::GradientDiverged { at: None });
        }
        self.guarded(|network| {
            network.update(workspace);
            Ok(())
        })
    }

    /// One step of the optimizer along `ws.gradient`, penalties included.
    pub(crate) fn update(&mut self, ws: &Workspace<T>) {
        self.steps += 1;
        let Network { machine, parameters, states, .. } = self;
        let apply = FromMemory { machine: *machine, parameters, states, gradient: &ws.gradient };
        self.spec.optimizer.rule::<T, _>(self.steps, apply);
    }

    /// One update from the rows of `picks`; returns their loss and the sum of their weights. `objective` says what is
    /// minimised, and by what rule. `at` is the epoch and the batch, for errors.
    pub(crate) fn step_rows(
        &mut self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        objective: &Objective,
        at: Option<(u64, usize)>,
    ) -> Result<(f64, f64), Error> {
        let weight = batch.weight_sum(picks);
        if weight == 0.0 {
            return Ok((0.0, 0.0));
        }
        let model = self.model();
        let penalised = objective.has_penalty(model.plan.has_penalty);
        let penalty = if penalised { model.penalty(objective, weight) } else { 0.0 };
        // In registers the rule adds l2 · w to g. Its square is at most that of l2 ‖w‖, so it can be bounded beforehand.
        let in_registers = !penalised || !objective.is_checked || model.penalty_is_small(penalty);
        let (loss, mut source) = model.deltas(ws, batch, picks, objective, weight, in_registers)?;
        let loss = loss + penalty;
        if objective.is_checked && !loss.is_finite() {
            return Err(Error::Diverged { loss, at });
        }
        let (tile, mut machine) = (Tile::whole(picks, true), self.machine);
        let mut l2 = penalised.then_some((objective, weight));
        if source != Source::Small {
            let model = model.on_threads_for(picks.len());
            machine = model.machine;
            source = model.settle(ws, tile, objective, source, in_registers);
            if source == Source::Memory && objective.is_checked {
                model.add_penalty(ws, objective, weight);
                l2 = None;
                // A loss may be finite and its gradient not; g² must be finite too, or the moments would not be.
                if !within(machine, &ws.gradient, largest_gradient()) {
                    return Err(Error::GradientDiverged { at });
                }
            }
            self.plan.chain.commit(&ws.chain, &mut self.buffers);
        }
        self.steps += 1;
        let Network { spec, plan, parameters, states, steps, .. } = self;
        objective
            .rule(&spec.optimizer)
            .rule::<T, _>(*steps, Step { plan, machine, parameters, states, ws, tile, source, l2 });
        Ok((loss, weight))
    }
}

impl<T: Real> Model<'_, T> {
    /// Forward and back through the rows of `picks`, whose weights sum to `weight`: their loss without penalties, and where
    /// what makes their gradient is. A small network must be able to use it `in_registers`.
    fn deltas(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        objective: &Objective,
        weight: f64,
        in_registers: bool,
    ) -> Result<(f64, Source), Error> {
        let (rows, tile) = (picks.len(), Tile::whole(picks, true));
        if rows > self.plan.tile(rows, true) {
            return Ok((self.gradient_of(ws, batch, picks, true, objective, weight)?, Source::Memory));
        }
        if in_registers && let Way::Small(formulas) = self.way(batch, rows) {
            let memory = SmallMemory::first(&mut ws.small, self.plan, rows)?;
            let limit = if objective.is_checked { small_squares() } else { T::MAX };
            let is_small = self.small_tile(memory, batch, tile, formulas, weight, Some(limit))?;
            let loss = objective.of_rows(batch, tile, memory.kernels.losses(rows)) / weight;
            // What is too large for certainty is looked at number by number.
            if is_small || !objective.is_checked || !loss.is_finite() {
                return Ok((loss, Source::Small));
            }
        }
        let model = self.on_threads_for(rows);
        model.start_back(ws, rows, true, false)?;
        let loss = model.tile_deltas(ws, batch, tile, objective, weight)?;
        Ok((objective.of_batch(loss, weight), Source::Layers))
    }

    /// Where the rule will find the gradient: in activations and deltas if rules like it fuse and it is small for certain,
    /// else in memory, where it is put.
    #[inline(never)]
    fn settle(
        &self,
        ws: &mut Workspace<T>,
        tile: Tile<'_>,
        objective: &Objective,
        source: Source,
        in_registers: bool,
    ) -> Source {
        if source == Source::Memory {
            return source;
        }
        let fuses = in_registers && objective.rule(&self.spec.optimizer).fuses::<T>() == Fuses::Everywhere;
        let is_small = if objective.is_checked {
            fuses && self.gradient_is_small(ws, tile)
        } else {
            self.sums(ws, tile);
            fuses
        };
        if is_small {
            return source;
        }
        self.gradient(ws, tile, false);
        Source::Memory
    }

    /// The gradient of the rows of `picks` without penalties in `ws.gradient`; returns their loss.
    #[inline(never)]
    pub(crate) fn gradient_of(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        training: bool,
        objective: &Objective,
        weight: f64,
    ) -> Result<f64, Error> {
        if let Way::Small(formulas) = self.way(batch, picks.len()) {
            // scikit-learn's losses of weighted rows are divided tile by tile, as layer by layer.
            let (a_tile, all) =
                if objective.times.is_some() && batch.sample_weight.is_some() { (weight, 1.0) } else { (1.0, weight) };
            let value = |tile: Tile<'_>, losses: &[T]| objective.of_rows(batch, tile, losses) / a_tile;
            return Ok(self.small_gradient(ws, batch, (picks, training), formulas, weight, value)? / all);
        }
        let model = self.on_threads_for(picks.len());
        model.start_back(ws, picks.len(), training, false)?;
        let deltas = |ws: &mut Workspace<T>, tile: Tile<'_>| model.tile_deltas(ws, batch, tile, objective, weight);
        Ok(objective.of_batch(model.sum_of_gradients(ws, picks, training, deltas)?, weight))
    }

    /// Forward and back through a tile, layer by layer; returns its part in the sum over tiles.
    #[inline(never)]
    fn tile_deltas(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        tile: Tile<'_>,
        objective: &Objective,
        weight: f64,
    ) -> Result<f64, Error> {
        self.forward(ws, batch.x, tile)?;
        let mut sum = self.loss(ws, batch, tile, objective.scale(weight))?;
        self.backward(ws, tile, false);
        if let Some(clip) = objective.clip {
            sum = sklearn::clipped(self, ws, batch, tile, clip);
        }
        Ok(objective.of_tile(sum, weight))
    }

    /// Σ ½ l2 ‖w‖².
    #[inline(never)]
    pub(crate) fn penalty(&self, objective: &Objective, weight: f64) -> f64 {
        let values = self.plan.tensors.iter().filter_map(|named| {
            let l2 = objective.l2(&named.tensor, weight);
            (l2 != 0.0).then(|| penalty_value(l2, &self.parameters[named.tensor.at.clone()]))
        });
        values.sum()
    }

    /// Whether l2 · w is small for certain, where the penalties are Σ ½ l2 ‖w‖²: (l2 w)² ≤ l2² ‖w‖² ≤ 2 l2 · penalties.
    #[inline(never)]
    fn penalty_is_small(&self, penalty: f64) -> bool {
        let most = 0.5 * largest_gradient::<T>().to_f64();
        let largest_l2 = self.plan.tensors.iter().map(|named| named.tensor.declared.l2).fold(0.0, f64::max);
        (2.0 * largest_l2 * penalty).sqrt() <= most
    }

    /// Adds the derivative of the penalties to the gradient.
    #[inline(never)]
    pub(crate) fn add_penalty(&self, ws: &mut Workspace<T>, objective: &Objective, weight: f64) {
        for named in &self.plan.tensors {
            let (l2, at) = (objective.l2(&named.tensor, weight), named.tensor.at.clone());
            if l2 != 0.0 {
                elementwise::map2(self.machine, &mut ws.gradient[at.clone()], &self.parameters[at], AddPenalty { l2 });
            }
        }
    }
}

/// ½ · l2 · ‖w‖².
fn penalty_value<T: Real>(l2: f64, w: &[T]) -> f64 {
    // Eight sums side by side, or each addition would wait for the one before. Padding adds zeros.
    let mut sums = [0.0f64; 8];
    for chunk in w.chunks_exact(8) {
        for (sum, w) in sums.iter_mut().zip(chunk) {
            *sum += w.to_f64() * w.to_f64();
        }
    }
    0.5 * l2 * sums.iter().sum::<f64>()
}

/// g + l2 · w.
#[derive(Clone, Copy)]
struct AddPenalty {
    l2: f64,
}

impl chainrule_kernels::Map2 for AddPenalty {
    #[inline(always)]
    fn map<V: chainrule_kernels::Vector>(self, g: V, w: V) -> V {
        w.fma(w.like(self.l2), g)
    }
}

/// The update of all parameters, by a rule that the optimizer knows.
struct Step<'a, 'b, T> {
    plan: &'a Plan,
    machine: Machine,
    parameters: &'a mut [T],
    states: &'a mut [Buffer<T>],
    ws: &'a mut Workspace<T>,
    tile: Tile<'b>,
    source: Source,
    /// The objective and the sum of weights that penalties follow from, where they are not in the gradient.
    l2: Option<(&'a Objective, f64)>,
}

impl<T: Real> Apply for Step<'_, '_, T> {
    type Out = ();

    /// `if const` leaves the kernels of rules that do not fuse out of the library.
    fn apply<R: Rule>(self, rule: R) {
        let Step { plan, machine, parameters, states, ws, tile, source, l2 } = self;
        let of = |tensor: &Tensor| rule.with_l2(l2.map_or(0.0, |(objective, weight)| objective.l2(tensor, weight)));
        match source {
            Source::Small => {
                if const { !matches!(R::FUSES, Fuses::Nowhere) }
                    && let Some(lane) = ws.small.first_mut()
                {
                    let rules = [of(&plan.tensors[0].tensor), rule];
                    lane.memory.kernels.update(machine, parameters, states, tile.len(), rules);
                }
            }
            Source::Layers => {
                if const { matches!(R::FUSES, Fuses::Everywhere) } {
                    let Workspace { chain: memory, scratch, gradient, .. } = ws;
                    let update = &mut |tensor: &Tensor, Factors { broadcast, vector }: Factors<'_, T>| {
                        let (at, stride, rule) = (tensor.at.clone(), tensor.stride, of(tensor));
                        product::update_weight(machine, broadcast, vector, parameters, states, at, stride, rule);
                    };
                    plan.chain.products(machine, memory, scratch, tile.len(), update);
                    for Named { tensor, .. } in &plan.tensors {
                        if tensor.declared.gradient == Gradient::Sums {
                            let (at, rule) = (tensor.at.clone(), of(tensor));
                            elementwise::update_part(machine, parameters, states, at.clone(), &gradient[at], rule);
                        }
                    }
                }
            }
            Source::Memory if l2.is_none() => elementwise::update(machine, parameters, states, &ws.gradient, rule),
            Source::Memory => {
                for Named { tensor, .. } in &plan.tensors {
                    let (at, rule) = (tensor.at.clone(), of(tensor));
                    elementwise::update_part(machine, parameters, states, at.clone(), &ws.gradient[at], rule);
                }
            }
        }
    }
}
