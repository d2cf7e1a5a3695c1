//! Snapshot: a copy of everything that training changes in a network, so that a fit can go back to it.

use chainrule_core as core;
use chainrule_core::{Error, Real};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::Element;
use crate::cell::{Cell, Either};

/// A copy of the parameters, optimizer state and counters of a network. `Network.snapshot` makes it.
#[pyclass(frozen, module = "chainrule._native")]
pub(crate) struct Snapshot(Saved);

enum Saved {
    F32(State<f32>),
    F64(State<f64>),
}

struct State<T> {
    parameters: Vec<T>,
    names: &'static [&'static str],
    moments: Vec<Vec<T>>,
    buffers: Vec<T>,
    step_count: u64,
    epoch_count: u64,
}

impl Snapshot {
    pub(crate) fn take(py: Python<'_>, network: &Either) -> PyResult<Self> {
        let saved = match network {
            Either::F32(cell) => Saved::F32(save(py, cell)?),
            Either::F64(cell) => Saved::F64(save(py, cell)?),
        };
        Ok(Snapshot(saved))
    }

    pub(crate) fn restore(&self, py: Python<'_>, network: &Either) -> PyResult<()> {
        match (&self.0, network) {
            (Saved::F32(state), Either::F32(cell)) => put_back(py, state, cell),
            (Saved::F64(state), Either::F64(cell)) => put_back(py, state, cell),
            _ => Err(PyValueError::new_err("the snapshot is of a network with another dtype than this one")),
        }
    }
}

fn save<T: Element + Real>(py: Python<'_>, cell: &Cell<T>) -> PyResult<State<T>> {
    cell.read(py, cell.pass(), |network| {
        let flat = |n: usize, fill: &dyn Fn(&mut [T])| {
            let mut values = Vec::new();
            values.try_reserve_exact(n).map_err(|_| Error::Memory { bytes: n as u128 * size_of::<T>() as u128 })?;
            values.resize(n, T::default());
            fill(&mut values);
            Ok(values)
        };
        let (names, n) = (network.state_names(), network.n_parameters());
        Ok(State {
            parameters: flat(n, &|out| network.parameters(out))?,
            names,
            moments: (0..names.len()).map(|k| flat(n, &|out| network.state(k, out))).collect::<Result<_, Error>>()?,
            buffers: flat(network.n_buffers(), &|out| network.buffers(out))?,
            step_count: network.step_count(),
            epoch_count: network.epoch_count(),
        })
    })
}

fn put_back<T: Element + Real>(py: Python<'_>, state: &State<T>, cell: &Cell<T>) -> PyResult<()> {
    let same_optimizer = cell.write(py, cell.pass(), |network: &mut core::Network<T>| {
        if network.state_names() != state.names || network.n_buffers() != state.buffers.len() {
            return Ok(false);
        }
        network.set_parameters(&state.parameters)?; // refuses the wrong length before it changes anything
        network.set_buffers(&state.buffers)?;
        for (k, moments) in state.moments.iter().enumerate() {
            network.set_state(k, moments)?;
        }
        network.set_step_count(state.step_count);
        network.set_epoch_count(state.epoch_count);
        Ok(true)
    });
    if same_optimizer? {
        Ok(())
    } else {
        Err(PyValueError::new_err("the snapshot is of a network with another optimizer than this one"))
    }
}
