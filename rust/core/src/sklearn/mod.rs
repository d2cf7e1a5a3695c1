//! Training to scikit-learn's letter, for `chainrule.sklearn` alone: its scalings of penalty and loss, its update rules.
//!
//! Forward, backward and kernels are those of every network. What differs: the order of the rows is the caller's, the
//! penalty of a batch is ½ · alpha · ‖w‖² / Σ wᵢ, losses are clipped as by probabilities in [eps, 1 − eps], and an epoch's
//! loss weighs batches by their rows. No option of a [`Spec`](crate::Spec) leads here.

mod rule;

use crate::layer::{Dense, Factors, Layer, Place};
use crate::loss::{Link, Loss};
use crate::{Batch, Error, Network, Real, Workspace};
use chainrule_kernels::{self as kernels, Picks, elementwise, pool, product};
use rule::{Moments, Momentum};

/// The optimizer and the penalty, as scikit-learn names them.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// ½ · alpha · ‖w‖² / Σ wᵢ is added to a batch's loss.
    pub alpha: f64,
    /// Step size of these updates.
    pub learning_rate: f64,
    /// The update rule; the network's optimizer must keep as many moments.
    pub rule: Rule,
}

/// An update rule in scikit-learn's form.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// v = momentum · v − learning_rate · g,  w ← w + v, or w + momentum · v − learning_rate · g.
    Sgd {
        /// Share of the last velocity that is kept.
        momentum: f64,
        /// Whether to look ahead.
        nesterov: bool,
    },
    /// w ← w − learning_rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + epsilon).
    Adam {
        /// Decay of the mean of g.
        beta_1: f64,
        /// Decay of the mean of g².
        beta_2: f64,
        /// Added to √v.
        epsilon: f64,
    },
}

/// Where an epoch stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    next_row: usize,
    loss_sum: f64,
}

impl Progress {
    /// Σ over the batches of their loss times their rows, by the rows so far.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.next_row as f64
    }
}

/// The rows of an epoch and how they are cut.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// A row of the data for each place; as they stand where there is none.
    pub order: Option<&'a [u32]>,
    /// Rows of a batch; the last one may have fewer.
    pub batch_size: usize,
}

impl<T: Real> Network<T> {
    /// Goes on with an epoch over `data` until it is finished (true) or `keep_going` says no (false; call again). Losses
    /// that are not finite do not stop it. A batch whose weights are all zero changes nothing.
    ///
    /// # Errors
    /// Whatever is wrong with the data; [`Error::Rows`] for an order of another length or with a row that is not there.
    pub fn sklearn_epoch(
        &mut self,
        ws: &mut Workspace<T>,
        data: &Batch<'_, T>,
        course: Course<'_>,
        recipe: &Recipe,
        progress: &mut Progress,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<bool, Error> {
        self.check_batch(data)?;
        let n = data.x.rows();
        let Course { order, batch_size } = course;
        if batch_size == 0 {
            return Err(Error::BatchSize);
        }
        if let Some(order) = order {
            let wrong = order.iter().find(|&&row| row as usize >= n).map(|&row| row as usize);
            if order.len() != n || wrong.is_some() {
                return Err(Error::Rows { argument: "order", expected: n, got: wrong.unwrap_or(order.len()) });
            }
        }
        let all = self.target;
        pool::rouse(all.threads(), self.plan.largest_work(batch_size.min(self.plan.tile)));
        while progress.next_row < n {
            let start = progress.next_row;
            let len = batch_size.min(n - start);
            let picks = match order {
                Some(order) => Picks::Index(&order[start..start + len]),
                None => Picks::Range { start, len },
            };
            self.target = all.with_threads(self.plan.threads_for(len, all.threads()));
            let loss = self.sklearn_step(ws, data, picks, recipe);
            self.target = all;
            progress.loss_sum += loss? * len as f64;
            progress.next_row = start + len;
            if progress.next_row < n && !keep_going() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The loss of a batch and its gradient, `flat` in the order of the parameters.
    ///
    /// # Errors
    /// Whatever is wrong with the batch, [`Error::Memory`].
    ///
    /// # Panics
    /// Where `flat` is not `n_parameters` long.
    pub fn sklearn_gradient(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        alpha: f64,
        flat: &mut [T],
    ) -> Result<f64, Error> {
        self.check_batch(batch)?;
        let picks = Picks::all(batch.x.rows());
        let weight = batch.weight_sum(picks);
        let loss = self.sklearn_whole_gradient(ws, batch, picks, weight)?;
        let l2 = alpha / weight;
        let mut penalty = 0.0;
        for (dense, place) in self.sklearn_layers(l2) {
            penalty += dense.penalty(self.target, place, &self.parameters, &mut ws.gradient);
        }
        self.plan.unpack(&ws.gradient, flat);
        Ok(loss + penalty)
    }

    /// The gradient of the rows that are picked without the penalty, in `ws.gradient`; returns their loss without it.
    fn sklearn_whole_gradient(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        weight: f64,
    ) -> Result<f64, Error> {
        self.start_batch(ws, picks.len(), true, false)?;
        let mut loss = 0.0;
        for (t, tile) in picks.tiles(self.plan.tile).enumerate() {
            loss += self.sklearn_tile(ws, batch, tile, weight)?;
            self.gradients(ws, tile.len(), t > 0);
        }
        Ok(loss)
    }

    /// One update; returns the batch's loss before it.
    fn sklearn_step(
        &mut self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        picks: Picks<'_>,
        recipe: &Recipe,
    ) -> Result<f64, Error> {
        let rows = picks.len();
        let weight = batch.weight_sum(picks);
        if weight == 0.0 {
            return Ok(0.0);
        }
        let l2 = recipe.alpha / weight;
        let at_once = rows <= self.plan.tile;
        let loss = if at_once {
            self.start_batch(ws, rows, true, false)?;
            self.sklearn_tile(ws, batch, picks, weight)?
        } else {
            self.sklearn_whole_gradient(ws, batch, picks, weight)?
        };
        let mut penalty = 0.0;
        for (dense, place) in self.sklearn_layers(l2) {
            penalty += dense.penalty_value(place, &self.parameters);
            if !at_once {
                dense.penalty(self.target, place, &self.parameters, &mut ws.gradient);
            }
        }
        self.steps += 1;
        let rows = at_once.then_some(rows);
        match recipe.rule {
            Rule::Sgd { momentum, nesterov } => {
                let rule = Momentum::new(recipe.learning_rate, momentum, nesterov);
                self.sklearn_update(ws, rows, rule, rule.with_penalty(l2));
            }
            Rule::Adam { beta_1, beta_2, epsilon } => {
                let rule = Moments::new::<T>(recipe.learning_rate, beta_1, beta_2, epsilon, self.steps);
                self.sklearn_update(ws, rows, rule, rule.with_penalty(l2));
            }
        }
        Ok(loss + penalty)
    }

    /// Updates weights by `decayed`, biases by `rule`: from activations and deltas of `rows` rows as soon as sums are
    /// there, or all by `rule` from `ws.gradient`, where the penalty is in it already.
    fn sklearn_update<U: kernels::Update>(&mut self, ws: &mut Workspace<T>, rows: Option<usize>, rule: U, decayed: U) {
        let target = self.target;
        let Some(rows) = rows else {
            return elementwise::update(target, &mut self.parameters, &mut self.states, &ws.gradient, rule);
        };
        for l in (0..self.plan.places.len()).rev() {
            let Some(place) = &self.plan.places[l] else { continue };
            self.bias_gradient(ws, l, place, rows, false);
            let Workspace { a, d, thin, columns, gradient, .. } = ws;
            let factors = self.factors(l, place, rows, [a, d], thin, &mut columns[0]);
            let (parameters, states) = (&mut self.parameters, &mut self.states);
            let Factors { number, vector } = factors;
            product::update_weight(target, number, vector, parameters, states, place.w.clone(), place.stride, decayed);
            if let Some(b) = place.b.clone() {
                elementwise::update_part(target, parameters, states, b.clone(), &gradient[b], rule);
            }
        }
    }

    /// Forward and back: the tile's part in the mean loss of a batch whose weights sum to `weight`.
    fn sklearn_tile(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        tile: Picks<'_>,
        weight: f64,
    ) -> Result<f64, Error> {
        let k = self.n_outputs() as f64;
        // scikit-learn sums Poisson losses over outputs, ours is their mean: each row counts k times.
        let weight_sum = if matches!(self.spec.loss, Loss::Poisson(_)) { weight / k } else { weight };
        let sum = self.tile_deltas(ws, batch, tile, weight_sum)?;
        let sum = match self.spec.loss.link() {
            Link::Softmax | Link::Sigmoid => self.sklearn_clipped(ws, batch, tile),
            // The value is the mean over outputs, and the gradient that of the sum.
            Link::Identity => sum / k,
            _ => sum,
        };
        Ok(sum / weight_sum)
    }

    /// Σ wᵢ lᵢ of the rows of `tile`, each probability held in [eps, 1 − eps].
    fn sklearn_clipped(&self, ws: &Workspace<T>, batch: &Batch<'_, T>, tile: Picks<'_>) -> f64 {
        let eps = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON };
        let (least, most) = (-(-eps).ln_1p(), -eps.ln());
        let (last, k) = (self.spec.layers.len(), self.n_outputs());
        let stride = self.plan.strides[last];
        let several = k > 1 && self.spec.loss.link() == Link::Sigmoid;
        let losses = tile.iter().zip(&ws.row_loss).enumerate().map(|(i, (row, &loss))| {
            let loss = if several && loss > most {
                // Only here can one of the outputs have reached the limit.
                let (a, y) = (&ws.a[last][i * stride..][..k], &ws.y[i * stride..][..k]);
                a.iter().zip(y).map(|(a, y)| binary(a.to_f64(), y.to_f64()).clamp(least, most)).sum()
            } else if several {
                loss
            } else {
                loss.clamp(least, most)
            };
            loss * batch.sample_weight.map_or(1.0, |weights| weights[row])
        });
        losses.sum()
    }

    /// The dense layers with a penalty of `l2`, and their places.
    fn sklearn_layers(&self, l2: f64) -> impl Iterator<Item = (Dense, &Place)> {
        self.spec.layers.iter().zip(&self.plan.places).filter_map(move |pair| match pair {
            (Layer::Dense(dense), Some(place)) => Some((Dense { l2, ..*dense }, place)),
            _ => None,
        })
    }
}

/// −ln of the probability that the raw output `a` gives to `y`, 0 or 1.
fn binary(a: f64, y: f64) -> f64 {
    let wrong = if y > 0.5 { -a } else { a };
    wrong.max(0.0) + (-wrong.abs()).exp().ln_1p()
}
