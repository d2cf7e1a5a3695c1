//! What a network answers without being changed: outputs, predictions, losses and gradients.

use crate::data::{check_x, gather};
use crate::fit::Objective;
use crate::layer::{packed_mut, view};
use crate::loss::Link;
use crate::pass::Tile;
use crate::plan::Plan;
use crate::{Batch, Error, Network, Real, Rows, Workspace};
use chainrule_kernels::{Picks, columns};

impl<T: Real> Network<T> {
    /// Raw outputs of the rows of x: `out` is (n, n_outputs), row by row. With `training`, dropout uses the masks of
    /// the coming step.
    ///
    /// # Errors
    /// [`Error::Inputs`], [`Error::NotFinite`], [`Error::Memory`].
    ///
    /// # Panics
    /// Where `out` does not hold n · n_outputs values.
    pub fn forward(
        &self,
        workspace: &mut Workspace<T>,
        x: &dyn Rows<T>,
        training: bool,
        out: &mut [T],
    ) -> Result<(), Error> {
        self.forward_rows(workspace, x, training, false, out)
    }

    /// Predictions for the rows of x: the raw outputs through the loss's link.
    ///
    /// # Errors
    /// As [`Network::forward`].
    ///
    /// # Panics
    /// As [`Network::forward`].
    pub fn predict(&self, workspace: &mut Workspace<T>, x: &dyn Rows<T>, out: &mut [T]) -> Result<(), Error> {
        self.forward_rows(workspace, x, false, true, out)
    }

    fn forward_rows(
        &self,
        ws: &mut Workspace<T>,
        x: &dyn Rows<T>,
        training: bool,
        link: bool,
        out: &mut [T],
    ) -> Result<(), Error> {
        let (model, chain, k, n) = (self.model(), &self.plan.chain, self.n_outputs(), x.rows());
        assert_eq!(Some(out.len()), n.checked_mul(k));
        check_x(x, self.n_inputs())?;
        model.start(ws, n, training, self.plan.worth.forward_flops(n))?;
        let loss_link = self.spec.loss.link();
        // Where a row's outputs lie in a column, softmax needs no sums across a vector.
        let softmax = link && chain.ends_in_columns() && loss_link == Link::Softmax;
        let last = chain.layers.len();
        for tile in Tile::of(Picks::all(n), self.plan.tile(n, training), training) {
            let rows = tile.len();
            if let Some(small) = model.small(rows) {
                model.small_outputs(ws, x, tile, small, softmax)?;
            } else {
                model.forward(ws, x, tile)?;
                if softmax {
                    columns::softmax(self.machine, packed_mut(&mut ws.chain.columns[0], k, rows));
                }
                model.outputs_to_rows(ws, rows);
            }
            let outputs = if link && !softmax {
                let a = view(&ws.chain.a[last], rows, k, chain.strides[last]);
                let prediction = chain.rows_of_mut(&mut ws.chain.d, last, rows);
                loss_link.predict(self.machine, a, prediction, &mut ws.scratch.row[..rows]);
                &ws.chain.d[last]
            } else {
                &ws.chain.a[last]
            };
            let into = out[tile.first * k..].chunks_exact_mut(k);
            for (into, row) in into.zip(outputs.chunks_exact(chain.strides[last])).take(rows) {
                into.copy_from_slice(&row[..k]);
            }
        }
        Ok(())
    }

    /// The loss of a batch outside training, penalties included.
    ///
    /// # Errors
    /// Whatever is wrong with the batch, [`Error::Memory`].
    pub fn loss(&self, workspace: &mut Workspace<T>, batch: &Batch<'_, T>) -> Result<f64, Error> {
        self.check_batch(batch)?;
        let (ws, model, all) = (workspace, self.model(), Picks::all(batch.x.rows()));
        let weight = batch.weight_sum(all);
        if weight == 0.0 {
            return Ok(0.0);
        }
        model.start(ws, all.len(), false, self.plan.worth.forward_flops(all.len()))?;
        let mut loss = 0.0;
        for tile in Tile::of(all, self.plan.tile(all.len(), false), false) {
            model.forward(ws, batch.x, tile)?;
            loss += model.loss(ws, batch, tile, weight)?;
        }
        Ok(loss / weight + model.penalty(&Objective::OWN, weight))
    }

    /// The loss of a batch and its gradient, `flat` in the order of the parameters. With `training`, dropout uses the
    /// masks of the coming step.
    ///
    /// # Errors
    /// Whatever is wrong with the batch, [`Error::Memory`].
    ///
    /// # Panics
    /// Where `flat` is not `n_parameters` long.
    pub fn gradient(
        &self,
        workspace: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        training: bool,
        flat: &mut [T],
    ) -> Result<f64, Error> {
        self.gradient_of(workspace, batch, training, &Objective::OWN, flat)
    }

    /// The same for an objective.
    pub(crate) fn gradient_of(
        &self,
        ws: &mut Workspace<T>,
        batch: &Batch<'_, T>,
        training: bool,
        objective: &Objective,
        flat: &mut [T],
    ) -> Result<f64, Error> {
        self.check_batch(batch)?;
        let all = Picks::all(batch.x.rows());
        let weight = batch.weight_sum(all);
        if weight == 0.0 {
            flat.fill(T::ZERO);
            return Ok(0.0);
        }
        let model = self.model();
        let loss = model.gradient_of(ws, batch, all, training, objective, weight)?;
        model.add_penalty(ws, objective, weight);
        Plan::unpack(&self.plan.tensors, &ws.gradient, flat);
        Ok(loss + model.penalty(objective, weight))
    }

    /// The gradient that follows from a caller's d_output = ∂L/∂(raw output), penalties included: `flat` in the order
    /// of the parameters, `inputs` = ∂L/∂x of (n, n_inputs). With `training`, dropout uses the masks of the coming step.
    ///
    /// # Errors
    /// [`Error::Inputs`], [`Error::Outputs`], [`Error::Rows`], [`Error::Empty`], [`Error::NotFinite`], [`Error::Memory`].
    ///
    /// # Panics
    /// Where `flat` is not `n_parameters` long or `inputs` does not hold n · n_inputs values.
    pub fn backward(
        &self,
        workspace: &mut Workspace<T>,
        x: &dyn Rows<T>,
        d_output: &dyn Rows<T>,
        training: bool,
        flat: &mut [T],
        inputs: &mut [T],
    ) -> Result<(), Error> {
        let (n, n_in, k, chain) = (x.rows(), self.n_inputs(), self.n_outputs(), &self.plan.chain);
        check_x(x, n_in)?;
        if n == 0 {
            return Err(Error::Empty);
        }
        if d_output.rows() != n {
            return Err(Error::Rows { argument: "d_output", expected: n, got: d_output.rows() });
        }
        if d_output.columns() != k {
            return Err(Error::Outputs { argument: "d_output", expected: k, got: d_output.columns() });
        }
        assert_eq!(Some(inputs.len()), n.checked_mul(n_in));
        let (ws, model) = (workspace, self.model());
        model.start_back(ws, n, training, true)?;
        let last = chain.layers.len();
        for tile in Tile::of(Picks::all(n), self.plan.tile(n, training), training) {
            let rows = tile.len();
            model.forward(ws, x, tile)?;
            ws.chain.d[last][..rows * chain.strides[last]].fill(T::ZERO);
            let mut d = chain.rows_of_mut(&mut ws.chain.d, last, rows);
            gather(self.machine, "d_output", d_output, tile.picks, &mut d, T::MAX)?;
            model.error_to_columns(ws, rows);
            model.backward(ws, tile, true);
            model.gradient(ws, tile, tile.first > 0);
            let d_x = chain.rows_of(&ws.chain.d, 0, rows);
            for (i, row) in tile.picks.iter().enumerate() {
                inputs[row * n_in..][..n_in].copy_from_slice(d_x.row(i));
            }
        }
        model.add_penalty(ws, &Objective::OWN, 1.0);
        Plan::unpack(&self.plan.tensors, &ws.gradient, flat);
        Ok(())
    }
}
