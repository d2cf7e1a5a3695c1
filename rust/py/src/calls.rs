//! What the calls of the Python class do on a network of one dtype: arguments in, core, results out.

use chainrule_core as core;
use chainrule_core::{Error, Real};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::{Column, Element, Fresh, Out, Table, reserve};
use crate::batch::Data;
use crate::cell::{Cell, Work};
use crate::errors::raise;

type Any<'py> = Bound<'py, PyAny>;

/// The three arguments of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a, 'py> {
    pub(crate) x: &'a Any<'py>,
    pub(crate) y: &'a Any<'py>,
    pub(crate) sample_weight: Option<&'a Any<'py>>,
}

impl<'py> Batch<'_, 'py> {
    pub(crate) fn py(&self) -> Python<'py> {
        self.x.py()
    }
}

impl<T: Element + Real> Cell<T> {
    /// Outputs of the rows of `x`, in a new array or in `out`.
    pub(crate) fn outputs<'py>(
        &self,
        x: &Any<'py>,
        out: Option<&Any<'py>>,
        compute: impl FnOnce(&core::Network<T>, &mut core::Workspace<T>, &Table<'_>, &mut [T]) -> Result<(), Error> + Send,
    ) -> PyResult<Any<'py>> {
        let py = x.py();
        let table = Table::new("X", x)?;
        let (rows, columns) = (table.rows(), self.facts.n_outputs);
        let work = Work::forward(rows, self.facts.n_parameters);
        self.lend(|scratch| {
            let (place, kept) = (&mut scratch.workspace, &mut scratch.values);
            let compute = |values: &mut [T]| {
                self.read(py, work, |network| compute(network, place.ready(network)?, &table, values))
            };
            match out {
                None => {
                    let mut fresh = Fresh::new(py, T::DTYPE, &[rows, columns])?;
                    compute(fresh.values())?;
                    Ok(fresh.finish())
                }
                // Core writes to our own memory: `out` is Python's, and may even be `x`.
                Some(any) => {
                    let len = Out::<T>::new(any, rows, columns)?.len();
                    reserve(kept, len)?;
                    kept.resize(len, T::default());
                    compute(kept)?;
                    // Read again: with the GIL released, another thread may have changed the array.
                    Out::new(any, rows, columns)?.write(py, kept);
                    Ok(any.clone())
                }
            }
        })
    }

    /// Runs `compute` on a batch, beside other readers.
    pub(crate) fn on_batch<R: Send>(
        &self,
        batch: Batch<'_, '_>,
        work: impl FnOnce(usize, usize) -> Work,
        compute: impl FnOnce(&core::Network<T>, &mut core::Workspace<T>, &core::Batch<'_, T>) -> Result<R, Error> + Send,
    ) -> PyResult<R> {
        self.lend(|scratch| {
            let data = Data::new(batch.x, batch.y, batch.sample_weight, &mut scratch.copies)?;
            let place = &mut scratch.workspace;
            let work = work(data.rows(), self.facts.n_parameters);
            self.read(batch.py(), work, |network| compute(network, place.ready(network)?, &data.batch()))
        })
    }

    pub(crate) fn loss(&self, batch: Batch<'_, '_>) -> PyResult<f64> {
        self.on_batch(batch, Work::forward, |network, workspace, batch| network.loss(workspace, batch))
    }

    pub(crate) fn gradient<'py>(&self, batch: Batch<'_, 'py>, training: bool) -> PyResult<(f64, Any<'py>)> {
        let mut fresh = Fresh::new(batch.py(), T::DTYPE, &[self.facts.n_parameters])?;
        let flat = fresh.values();
        let loss = self.on_batch(batch, Work::gradient, |network, workspace, batch| {
            network.gradient(workspace, batch, training, flat)
        })?;
        Ok((loss, fresh.finish()))
    }

    pub(crate) fn backward<'py>(
        &self,
        x: &Any<'py>,
        d_output: &Any<'py>,
        training: bool,
    ) -> PyResult<(Any<'py>, Any<'py>)> {
        let py = x.py();
        let (x, d_output) = (Table::new("X", x)?, Table::new("d_output", d_output)?);
        let work = Work::gradient(x.rows(), self.facts.n_parameters);
        let mut flat = Fresh::new(py, T::DTYPE, &[self.facts.n_parameters])?;
        let mut inputs = Fresh::new(py, T::DTYPE, &[x.rows(), self.facts.n_inputs])?;
        let (d_w, d_x) = (flat.values(), inputs.values());
        self.lend(|scratch| {
            let place = &mut scratch.workspace;
            self.read(py, work, |network| network.backward(place.ready(network)?, &x, &d_output, training, d_w, d_x))
        })?;
        Ok((flat.finish(), inputs.finish()))
    }

    pub(crate) fn step(&self, batch: Batch<'_, '_>) -> PyResult<f64> {
        self.lend(|scratch| {
            let data = Data::new(batch.x, batch.y, batch.sample_weight, &mut scratch.copies)?;
            let place = &mut scratch.workspace;
            let work = Work::gradient(data.rows(), self.facts.n_parameters);
            self.write(batch.py(), work, |network| network.step(place.ready(network)?, &data.batch()))
        })
    }

    pub(crate) fn apply_gradient(&self, flat: &Any<'_>) -> PyResult<()> {
        self.lend(|scratch| {
            let (place, values) = (&mut scratch.workspace, &mut scratch.values);
            self.read_flat("gradient", flat, values)?;
            self.write(flat.py(), self.pass(), |network| network.apply_gradient(place.ready(network)?, values))
        })
    }

    /// A new flat array that `fill` fills from the network.
    pub(crate) fn flat<'py>(
        &self,
        py: Python<'py>,
        fill: impl FnOnce(&core::Network<T>, &mut [T]) + Send,
    ) -> PyResult<Any<'py>> {
        let mut flat = Fresh::new(py, T::DTYPE, &[self.facts.n_parameters])?;
        let values = flat.values();
        self.read(py, self.pass(), |network| {
            fill(network, values);
            Ok(())
        })?;
        Ok(flat.finish())
    }

    /// Gives the values of a caller's flat array to `set`.
    pub(crate) fn set_flat(
        &self,
        argument: &'static str,
        flat: &Any<'_>,
        set: impl FnOnce(&mut core::Network<T>, &[T]) -> Result<(), Error> + Send,
    ) -> PyResult<()> {
        self.lend(|scratch| {
            let values = &mut scratch.values;
            self.read_flat(argument, flat, values)?;
            self.write(flat.py(), self.pass(), |network| set(network, values))
        })
    }

    fn read_flat(&self, argument: &'static str, flat: &Any<'_>, values: &mut Vec<T>) -> PyResult<()> {
        let column = Column::<T>::new(argument, flat)?;
        let (expected, got) = (self.facts.n_parameters, column.len());
        if got == expected {
            return column.copy_to(values);
        }
        Err(raise(flat.py(), Error::Length { argument, expected, got }))
    }

    /// Refuses a moment that the optimizer does not have.
    pub(crate) fn check_state(&self, py: Python<'_>, index: usize) -> PyResult<()> {
        let names = self.read(py, Work::NONE, |network| Ok(network.state_names()))?;
        if index < names.len() {
            return Ok(());
        }
        Err(PyValueError::new_err(format!("index is {index} but the optimizer's state is {names:?}")))
    }

    pub(crate) fn trace<'py>(&self, batch: Batch<'_, 'py>) -> PyResult<Bound<'py, PyList>> {
        let layers =
            self.on_batch(batch, Work::gradient, |network, _, batch| Ok((batch.x.rows(), network.trace(batch)?)));
        let (n, layers) = layers?;
        let py = batch.py();
        let records = PyList::empty(py);
        for layer in layers {
            records.append(record(py, n, &layer)?)?;
        }
        Ok(records)
    }
}

/// One layer of a trace as Python sees it.
fn record<'py, T: Element + Real>(
    py: Python<'py>,
    n: usize,
    layer: &core::LayerTrace<T>,
) -> PyResult<Bound<'py, PyDict>> {
    let core::LayerTrace { n_in, n_out, .. } = *layer;
    let tables: [(&str, &[T], &[usize]); 8] = [
        ("z", &layer.z, &[n, n_out]),
        ("a", &layer.a, &[n, n_out]),
        ("slope", &layer.slope, &[n, n_out]),
        ("delta", &layer.delta, &[n, n_out]),
        ("d_weight", &layer.d_weight, &[n_in, n_out]),
        ("d_bias", &layer.d_bias, &[n_out]),
        ("update_weight", &layer.update_weight, &[n_in, n_out]),
        ("update_bias", &layer.update_bias, &[n_out]),
    ];
    let record = PyDict::new(py);
    record.set_item("kind", layer.kind)?;
    record.set_item("n_in", n_in)?;
    record.set_item("n_out", n_out)?;
    for (name, values, shape) in tables {
        if values.is_empty() {
            record.set_item(name, py.None())?;
        } else {
            let mut fresh = Fresh::new(py, T::DTYPE, shape)?;
            fresh.values().copy_from_slice(values);
            record.set_item(name, fresh.finish())?;
        }
    }
    Ok(record)
}
