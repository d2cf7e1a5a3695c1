//! Everything that one step computes, layer by layer, to look at.

use crate::fit::Objective;
use crate::layer::{Layer, Propagate, each_layer};
use crate::pass::{Model, Tile};
use crate::tensor::Tensor;
use crate::{Batch, Error, Network, Real, Workspace};
use chainrule_kernels::{Buffer, Matrix, MatrixMut, Picks};

/// What happened in one layer, for a batch of n rows; tables are row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTrace<T> {
    /// The name of its kind, such as "dense".
    pub kind: &'static str,
    /// Number of inputs.
    pub n_in: usize,
    /// Number of outputs.
    pub n_out: usize,
    /// What the slope is that of: z = x w + b, (n, n_out); what comes in, for dropout.
    pub z: Vec<T>,
    /// a = f(z), (n, n_out).
    pub a: Vec<T>,
    /// f'(z), (n, n_out); the diagonal of the Jacobian of softmax; the mask of dropout.
    pub slope: Vec<T>,
    /// ∂L/∂z, (n, n_out).
    pub delta: Vec<T>,
    /// Of each trained tensor of the layer, in the order of the parameters.
    pub tensors: Vec<TensorTrace<T>>,
}

/// What a step computes for one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorTrace<T> {
    /// Its name in the layer, such as "weight".
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// ∂L/∂tensor.
    pub gradient: Vec<T>,
    /// What the step would add to it.
    pub update: Vec<T>,
}

impl<T: Real> Network<T> {
    /// What [`Network::step`] would compute with this batch; the network is not changed.
    ///
    /// # Errors
    /// Whatever is wrong with the batch, [`Error::Memory`].
    pub fn trace(&self, batch: &Batch<'_, T>) -> Result<Vec<LayerTrace<T>>, Error> {
        self.check_batch(batch)?;
        let n = batch.x.rows();
        let all = Picks::all(n);
        // All rows in one tile, so that every activation is there at the end.
        // Specs, plans and names are small pieces, whose allocations cannot fail without ending the process.
        drop(reserve::<u8>(self.plan.chain.layers.len() + 1, BYTES_A_LAYER)?);
        let mut whole = self.try_clone()?;
        whole.plan.set_tile(n);
        let (chain, tile) = (&self.plan.chain, Tile::whole(all, true));
        let (mut ws, weight) = (Workspace::new(&whole)?, batch.weight_sum(all));
        let model = whole.model();
        model.start_back(&mut ws, n, true, false)?;
        model.forward(&mut ws, batch.x, tile)?;
        model.outputs_to_rows(&mut ws, n);
        let mut traces = Vec::with_capacity(chain.layers.len());
        for l in 0..chain.layers.len() {
            traces.push(model.trace_forward(&mut ws, l, tile)?);
        }
        if weight > 0.0 {
            model.loss(&mut ws, batch, tile, weight)?;
            model.backward(&mut ws, tile, false);
            model.delta_to_rows(&mut ws, n);
            for (l, trace) in traces.iter_mut().enumerate() {
                trace.delta = rows_of(chain.rows_of(&ws.chain.d, l + 1, n))?;
            }
            model.gradient_of(&mut ws, batch, all, true, &Objective::OWN, weight)?;
            model.add_penalty(&mut ws, &Objective::OWN, weight);
        }
        let gradient = ws.gradient.try_clone()?;
        if weight > 0.0 {
            whole.update(&ws);
        }
        for (trace, plan) in traces.iter_mut().zip(&chain.plans) {
            for tensor in &plan.tensors {
                let [gradient, before, after] =
                    [&gradient, &self.parameters, &whole.parameters].map(|padded| values_of(tensor, padded));
                let mut update = after?;
                update.iter_mut().zip(before?).for_each(|(after, before)| *after -= before);
                let (name, shape) = (tensor.declared.name.clone(), tensor.shape());
                trace.tensors.push(TensorTrace { name, shape, gradient: gradient?, update });
            }
        }
        Ok(traces)
    }
}

impl<T: Real> Model<'_, T> {
    /// z, a and slope of layer `l` from the activations in the workspace.
    fn trace_forward(&self, ws: &mut Workspace<T>, l: usize, tile: Tile<'_>) -> Result<LayerTrace<T>, Error> {
        let (chain, n) = (&self.plan.chain, tile.len());
        let (layer, plan) = (&chain.layers[l], &chain.plans[l]);
        let with = self.surroundings(tile);
        let (x, a) = (chain.rows_of(&ws.chain.a, l, n), chain.rows_of(&ws.chain.a, l + 1, n));
        let (mut z, mut slope) = (Buffer::zeroed(a.data().len())?, Buffer::zeroed(a.data().len())?);
        let [z_rows, slope_rows] = [&mut z, &mut slope].map(|values| MatrixMut::new(values, n, plan.n_out, a.stride()));
        let memory = &ws.chain.layers[l];
        each_layer!(layer, k => k.shown(with.at(plan), memory, &mut ws.scratch, x, a, z_rows, slope_rows));
        let [z, a, slope] =
            [&z[..], a.data(), &slope[..]].map(|values| rows_of(Matrix::new(values, n, plan.n_out, a.stride())));
        let mut delta = reserve(n, plan.n_out)?;
        delta.resize(n * plan.n_out, T::ZERO);
        let (kind, n_in, n_out) = (layer.name(), plan.n_in, plan.n_out);
        Ok(LayerTrace { kind, n_in, n_out, z: z?, a: a?, slope: slope?, delta, tensors: Vec::new() })
    }
}

/// The numbers of a tensor in the caller's order; zeros where nothing is in memory.
fn values_of<T: Real>(tensor: &Tensor, padded: &[T]) -> Result<Vec<T>, Error> {
    let mut values = reserve(1, tensor.len())?;
    values.resize(tensor.len(), T::ZERO);
    tensor.unpack(padded, &mut values);
    Ok(values)
}

/// The values of a table, row by row, padding left out.
fn rows_of<T: Real>(table: Matrix<'_, T>) -> Result<Vec<T>, Error> {
    let mut values = reserve(table.rows(), table.columns())?;
    (0..table.rows()).for_each(|i| values.extend_from_slice(table.row(i)));
    Ok(values)
}

/// Memory for the small pieces of a layer and its trace, at most.
const BYTES_A_LAYER: usize = 1 << 13;

/// Room for (rows, columns) numbers.
fn reserve<T>(rows: usize, columns: usize) -> Result<Vec<T>, Error> {
    let bytes = rows as u128 * columns as u128 * size_of::<T>() as u128;
    let refused = Error::Memory { bytes };
    let len = rows.checked_mul(columns).ok_or(refused.clone())?;
    let mut values = Vec::new();
    values.try_reserve_exact(len).map_err(|_| refused)?;
    Ok(values)
}
