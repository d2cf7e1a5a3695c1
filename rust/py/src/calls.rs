//! What the methods of the Python class do for a network of one dtype: read the arguments, call core, make the results.

use chainrule_core as core;
use chainrule_core::{Error, Real, Worth};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::{Column, Element, Fresh, Out, Table, reserve};
use crate::batch::{Arguments, Batch};
use crate::cell::{Cell, InPlace, Work};
use crate::errors::raise;
use crate::signals::Watch;

impl<T: Element + Real> Cell<T> {
    /// Computes the outputs of the rows of `x`, in a new array or in `out`.
    pub(crate) fn outputs<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        compute: impl Fn(&core::Network<T>, &mut core::Workspace<T>, &Table<'_>, &mut [T]) -> Result<(), Error>
        + Send
        + Sync,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = x.py();
        let watch = self.watch();
        let (table, arrays) = (Table::new("X", x)?, InPlace::new([x, x], &watch));
        let (rows, columns) = (table.rows(), self.facts.n_outputs);
        let table = table.watched(watch.is_for(rows).then_some(&watch));
        let work = Work::forward(rows, self.facts.worth);
        self.lend(|scratch| {
            let (lazy, kept) = (&mut scratch.workspace, &mut scratch.values);
            let mut compute = |values: &mut [T]| {
                self.read_with(&arrays, work, |network| compute(network, lazy.ready(network)?, &table, values))
            };
            match out {
                None => {
                    let mut fresh = Fresh::new(py, T::DTYPE, &[rows, columns])?;
                    compute(fresh.values())?;
                    Ok(fresh.finish())
                }
                // Core writes to our own memory first: `out` belongs to Python, and may even be `x`.
                Some(any) => {
                    let len = Out::<T>::new(any, rows, columns)?.len();
                    reserve(kept, len)?;
                    kept.resize(len, T::default());
                    compute(kept)?;
                    // Check `out` again: while the GIL was released, another thread may have changed the array.
                    Out::new(any, rows, columns)?.write(py, kept);
                    Ok(any.clone())
                }
            }
        })
    }

    /// What looks for Ctrl-C during a call, with the flops of a row where there is a gradient.
    pub(crate) fn watch(&self) -> Watch {
        Watch::new(self.facts.n_parameters.saturating_mul(6))
    }

    /// Runs `compute` on a batch; other calls that only read may run at the same time.
    pub(crate) fn on_batch<R: Send>(
        &self,
        arguments: Arguments<'_, '_>,
        work: impl FnOnce(usize, Worth) -> Work,
        mut compute: impl FnMut(&core::Network<T>, &mut core::Workspace<T>, &core::Batch<'_, T>) -> Result<R, Error> + Send,
    ) -> PyResult<R> {
        let watch = self.watch();
        let arrays = InPlace::new(arguments.in_place(), &watch);
        self.lend(|scratch| {
            let batch = Batch::new(arguments, &mut scratch.copies, Some(&watch))?;
            let lazy = &mut scratch.workspace;
            let work = work(batch.rows(), self.facts.worth);
            self.read_with(&arrays, work, |network| compute(network, lazy.ready(network)?, &batch.as_core()))
        })
    }

    pub(crate) fn loss(&self, arguments: Arguments<'_, '_>) -> PyResult<f64> {
        self.on_batch(arguments, Work::forward, |network, workspace, batch| network.loss(workspace, batch))
    }

    pub(crate) fn gradient<'py>(
        &self,
        arguments: Arguments<'_, 'py>,
        training: bool,
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        let mut fresh = Fresh::new(arguments.py(), T::DTYPE, &[self.facts.n_parameters])?;
        let flat = fresh.values();
        let loss = self.on_batch(arguments, Work::gradient, |network, workspace, batch| {
            network.gradient(workspace, batch, training, flat)
        })?;
        Ok((loss, fresh.finish()))
    }

    pub(crate) fn backward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        d_output: &Bound<'py, PyAny>,
        training: bool,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let py = x.py();
        let watch = self.watch();
        let arrays = InPlace::new([x, d_output], &watch);
        let (x, d_output) = (Table::new("X", x)?.watched(Some(&watch)), Table::new("d_output", d_output)?);
        let work = Work::gradient(x.rows(), self.facts.worth);
        let mut flat = Fresh::new(py, T::DTYPE, &[self.facts.n_parameters])?;
        let mut inputs = Fresh::new(py, T::DTYPE, &[x.rows(), self.facts.n_inputs])?;
        let (d_w, d_x) = (flat.values(), inputs.values());
        self.lend(|scratch| {
            let lazy = &mut scratch.workspace;
            self.read_with(&arrays, work, |network| {
                network.backward(lazy.ready(network)?, &x, &d_output, training, d_w, d_x)
            })
        })?;
        Ok((flat.finish(), inputs.finish()))
    }

    pub(crate) fn step(&self, arguments: Arguments<'_, '_>) -> PyResult<f64> {
        let watch = self.watch();
        let arrays = InPlace::new(arguments.in_place(), &watch);
        self.lend(|scratch| {
            let batch = Batch::new(arguments, &mut scratch.copies, Some(&watch))?;
            let lazy = &mut scratch.workspace;
            let work = Work::gradient(batch.rows(), self.facts.worth);
            self.write_with(&arrays, work, |network| network.step(lazy.ready(network)?, &batch.as_core()))
        })
    }

    pub(crate) fn apply_gradient(&self, flat: &Bound<'_, PyAny>) -> PyResult<()> {
        self.lend(|scratch| {
            let (lazy, values) = (&mut scratch.workspace, &mut scratch.values);
            self.read_flat("gradient", flat, values)?;
            self.write(flat.py(), self.pass(), |network| network.apply_gradient(lazy.ready(network)?, values))
        })
    }

    /// Makes a flat array, (n_parameters,), which `fill` fills from the network.
    pub(crate) fn flat<'py>(
        &self,
        py: Python<'py>,
        fill: impl Fn(&core::Network<T>, &mut [T]) + Send + Sync,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut flat = Fresh::new(py, T::DTYPE, &[self.facts.n_parameters])?;
        let values = flat.values();
        self.read(py, self.pass(), |network| {
            fill(network, values);
            Ok(())
        })?;
        Ok(flat.finish())
    }

    /// Passes the values of a caller's flat array to `set`.
    pub(crate) fn set_flat(
        &self,
        argument: &'static str,
        flat: &Bound<'_, PyAny>,
        set: impl Fn(&mut core::Network<T>, &[T]) -> Result<(), Error> + Send + Sync,
    ) -> PyResult<()> {
        self.lend(|scratch| {
            let values = &mut scratch.values;
            self.read_flat(argument, flat, values)?;
            self.write(flat.py(), self.pass(), |network| set(network, values))
        })
    }

    /// A new flat array of the buffers.
    pub(crate) fn buffers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut flat = Fresh::new(py, T::DTYPE, &[self.facts.n_buffers])?;
        let values = flat.values();
        self.read(py, Work::NONE, |network| {
            network.buffers(values);
            Ok(())
        })?;
        Ok(flat.finish())
    }

    /// Sets the buffers from a caller's flat array.
    pub(crate) fn set_buffers(&self, flat: &Bound<'_, PyAny>) -> PyResult<()> {
        self.lend(|scratch| {
            let column = Column::<T>::new("buffers", flat)?;
            let (expected, got) = (self.facts.n_buffers, column.len());
            if got != expected {
                let text = format!("buffers has {got} values but the network's buffers have {expected}");
                return Err(PyValueError::new_err(text));
            }
            column.copy_to(&mut scratch.values)?;
            self.write(flat.py(), Work::NONE, |network| network.set_buffers(&scratch.values))
        })
    }

    fn read_flat(&self, argument: &'static str, flat: &Bound<'_, PyAny>, values: &mut Vec<T>) -> PyResult<()> {
        let column = Column::<T>::new(argument, flat)?;
        let (expected, got) = (self.facts.n_parameters, column.len());
        if got == expected {
            return column.copy_to(values);
        }
        Err(raise(flat.py(), Error::Length { argument, expected, got }))
    }

    /// Refuses the index of a moment that the optimizer does not have.
    pub(crate) fn check_state(&self, py: Python<'_>, index: usize) -> PyResult<()> {
        let names = self.read(py, Work::NONE, |network| Ok(network.state_names()))?;
        if index < names.len() {
            return Ok(());
        }
        let text = format!("index is {index} but the optimizer has {} moments, counted from 0: {names:?}", names.len());
        Err(PyValueError::new_err(text))
    }

    pub(crate) fn trace<'py>(&self, arguments: Arguments<'_, 'py>) -> PyResult<Bound<'py, PyList>> {
        let layers =
            self.on_batch(arguments, Work::gradient, |network, _, batch| Ok((batch.x.rows(), network.trace(batch)?)));
        let (n, layers) = layers?;
        let py = arguments.py();
        // The dicts are small pieces, and pyo3 panics where one of them cannot be had.
        reserve(&mut Vec::<u8>::new(), layers.len() * BYTES_A_RECORD)?;
        let records = PyList::empty(py);
        for layer in layers {
            records.append(record(py, n, &layer)?)?;
        }
        Ok(records)
    }
}

/// Memory for the dicts of a layer, at most.
const BYTES_A_RECORD: usize = 1 << 14;

/// The dict that Python gets for one layer of a trace of `n` rows.
fn record<'py, T: Element + Real>(
    py: Python<'py>,
    n: usize,
    layer: &core::LayerTrace<T>,
) -> PyResult<Bound<'py, PyDict>> {
    let array = |values: &[T], shape: &[usize]| {
        let mut fresh = Fresh::new(py, T::DTYPE, shape)?;
        fresh.values().copy_from_slice(values);
        PyResult::Ok(fresh.finish())
    };
    let record = PyDict::new(py);
    record.set_item("kind", layer.kind)?;
    record.set_item("n_in", layer.n_in)?;
    record.set_item("n_out", layer.n_out)?;
    let rows = [("z", &layer.z), ("a", &layer.a), ("slope", &layer.slope), ("delta", &layer.delta)];
    for (name, values) in rows {
        record.set_item(name, array(values, &[n, layer.n_out])?)?;
    }
    let (gradients, updates) = (PyDict::new(py), PyDict::new(py));
    for tensor in &layer.tensors {
        gradients.set_item(&tensor.name, array(&tensor.gradient, &tensor.shape)?)?;
        updates.set_item(&tensor.name, array(&tensor.update, &tensor.shape)?)?;
    }
    record.set_item("gradients", gradients)?;
    record.set_item("updates", updates)?;
    Ok(record)
}
