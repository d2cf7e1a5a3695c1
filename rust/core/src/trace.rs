//! Everything that one step computes, layer by layer, to look at.

use crate::activation::{Activation, Identity, Scratch, Transfer, each_activation};
use crate::layer::Layer;
use crate::plan::Plan;
use crate::workspace::{view, view_mut};
use crate::{Batch, Error, Network, Real, Workspace};
use chainrule_kernels::{Buffer, Matrix, Picks};

/// What happened in one layer, for a batch of n rows; tables are row by row, empty where the layer has no such thing.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTrace<T> {
    /// "dense" or "dropout".
    pub kind: &'static str,
    /// Number of inputs.
    pub n_in: usize,
    /// Number of outputs.
    pub n_out: usize,
    /// z = x w + b, (n, n_out); what comes in, for dropout.
    pub z: Vec<T>,
    /// a = f(z), (n, n_out).
    pub a: Vec<T>,
    /// f'(z), (n, n_out); the diagonal of the Jacobian of softmax; the mask of dropout.
    pub slope: Vec<T>,
    /// ∂L/∂z, (n, n_out).
    pub delta: Vec<T>,
    /// ∂L/∂w, (n_in, n_out).
    pub d_weight: Vec<T>,
    /// ∂L/∂b, (n_out,).
    pub d_bias: Vec<T>,
    /// What the step would add to w, (n_in, n_out).
    pub update_weight: Vec<T>,
    /// What the step would add to b, (n_out,).
    pub update_bias: Vec<T>,
}

impl<T: Real> Network<T> {
    /// What [`Network::step`] would compute with this batch; the network is not changed.
    ///
    /// # Errors
    /// Whatever is wrong with the batch, [`Error::Memory`].
    pub fn trace(&self, batch: &Batch<'_, T>) -> Result<Vec<LayerTrace<T>>, Error> {
        self.check_batch(batch)?;
        let n = batch.x.rows();
        // All rows in one tile, so that every activation is there at the end.
        let mut whole = self.try_clone()?;
        whole.plan.tile = n;
        let mut ws = Workspace::new(&whole)?;
        let mut traces = vec![None; self.spec.layers.len()];
        let mut deltas = vec![Ok(Vec::new()); self.spec.layers.len()];
        let weight_sum = batch.weight_sum(Picks::all(n));
        whole.start_batch(&mut ws, n, true, false)?;
        whole.read_x(&mut ws, batch.x, Picks::all(n))?;
        whole.forward_tile(&mut ws, n);
        whole.finish_outputs(&mut ws, n);
        for (l, trace) in traces.iter_mut().enumerate() {
            *trace = Some(whole.trace_forward(&mut ws, l, n)?);
        }
        if weight_sum > 0.0 {
            whole.loss_tile(&mut ws, batch, Picks::all(n), weight_sum)?;
            whole.deltas(&mut ws, n, false);
            whole.finish_delta(&mut ws, n);
            for (l, delta) in deltas.iter_mut().enumerate() {
                *delta = rows_of(whole.activation(&ws.d, l + 1, n));
            }
        }
        whole.batch_gradient(&mut ws, batch, Picks::all(n), true)?;
        let d = ws.gradient.try_clone()?;
        if weight_sum > 0.0 {
            whole.update(&ws);
        }
        let mut traces: Vec<_> = traces.into_iter().flatten().collect();
        for (l, (trace, delta)) in traces.iter_mut().zip(deltas).enumerate() {
            let mut delta = delta?;
            delta.resize(n * trace.n_out, T::default());
            if let Layer::Dropout(_) = self.spec.layers[l] {
                // z is what comes in: ∂L/∂z = mask ⊙ ∂L/∂a.
                delta.iter_mut().zip(&trace.slope).for_each(|(d, &mask)| *d *= mask);
            }
            trace.delta = delta;
            let Some(place) = &self.plan.places[l] else {
                continue;
            };
            // The parameters of this layer alone, in the caller's order.
            let n_weights = place.n_in * place.n_out;
            let layer = |flat: &[T]| -> Result<(Vec<T>, Vec<T>), Error> {
                let mut w = reserve(place.n_in + 1, place.n_out)?;
                w.resize(place.len(), T::default());
                place.unpack(flat, &mut w);
                let b = w.split_off(n_weights);
                Ok((w, b))
            };
            let change = |before: Vec<T>, after: Vec<T>| before.iter().zip(after).map(|(&b, a)| a - b).collect();
            let (before, after) = (layer(&self.parameters)?, layer(&whole.parameters)?);
            (trace.d_weight, trace.d_bias) = layer(&d)?;
            trace.update_weight = change(before.0, after.0);
            trace.update_bias = change(before.1, after.1);
        }
        Ok(traces)
    }

    /// z, a and slope of layer `l` from the activations in the workspace.
    fn trace_forward(&self, ws: &mut Workspace<T>, l: usize, n: usize) -> Result<LayerTrace<T>, Error> {
        let Plan { units, strides, .. } = &self.plan;
        let (n_in, n_out, stride_out) = (units[l], units[l + 1], strides[l + 1]);
        let x = view(&ws.a[l], n, n_in, strides[l]);
        let a = view(&ws.a[l + 1], n, n_out, stride_out);
        let saved = self.saved(&ws.a, &ws.z, l, n);
        let layer = &self.spec.layers[l];
        let (z, slope) = match (layer, &self.plan.places[l]) {
            (Layer::Dense(dense), Some(place)) => {
                let mut slope = view_mut(&mut ws.d[l + 1], n, n_out, stride_out);
                each_activation!(dense.activation, f => f.slope(self.machine, saved.data(), slope.data_mut()));
                let slope = rows_of(slope.as_ref())?;
                let z = if place.thin {
                    rows_of(a)?
                } else {
                    let mut linear = *dense;
                    linear.activation = Activation::Identity(Identity {});
                    let mut z = Buffer::zeroed(n * stride_out)?;
                    let scratch =
                        Scratch { z: view_mut(&mut ws.d[l + 1], n, n_out, stride_out), row: &mut ws.scratch[..n] };
                    let into = view_mut(&mut z, n, n_out, stride_out);
                    linear.forward(self.machine, place, &self.parameters, x, into, scratch);
                    rows_of(view(&z, n, n_out, stride_out))?
                };
                (z, slope)
            }
            _ => {
                let mask = match ws.masks[l] {
                    Some(_) => rows_of(view(&ws.mask[l], n, n_in, strides[l]))?,
                    None => {
                        let mut ones = reserve(n, n_in)?;
                        ones.resize(n * n_in, T::from_f64(1.0));
                        ones
                    }
                };
                (rows_of(x)?, mask)
            }
        };
        Ok(LayerTrace {
            kind: layer.name(),
            n_in,
            n_out,
            z,
            a: rows_of(a)?,
            slope,
            delta: Vec::new(),
            d_weight: Vec::new(),
            d_bias: Vec::new(),
            update_weight: Vec::new(),
            update_bias: Vec::new(),
        })
    }
}

/// The values of a table, row by row, padding left out.
fn rows_of<T: Real>(table: Matrix<'_, T>) -> Result<Vec<T>, Error> {
    let mut values = reserve(table.rows(), table.columns())?;
    (0..table.rows()).for_each(|i| values.extend_from_slice(table.row(i)));
    Ok(values)
}

/// Room for (rows, columns) numbers.
fn reserve<T>(rows: usize, columns: usize) -> Result<Vec<T>, Error> {
    let bytes = rows as u128 * columns as u128 * size_of::<T>() as u128;
    let refused = Error::Memory { bytes };
    let len = rows.checked_mul(columns).ok_or(refused.clone())?;
    let mut values = Vec::new();
    values.try_reserve_exact(len).map_err(|_| refused)?;
    Ok(values)
}
