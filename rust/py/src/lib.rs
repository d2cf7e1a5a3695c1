//! The door between Python and `chainrule-core`: it reads numpy's arrays, releases the GIL, calls core and turns
//! errors into exceptions. How anything is computed is not known here.
//!
//! ```text
//! numpy ─▶ arrays (header, raw rows) ─▶ network (who may, locks, GIL) ─▶ core ─▶ arrays (new array) ─▶ numpy
//! ```
//!
//! | file | what |
//! |---|---|
//! | `arrays` | numpy's array header; the only unsafe code of this crate |
//! | `batch` | the arguments X, y and sample_weight, and the batch that core reads them as |
//! | `cell` | a network of one dtype behind its lock, of either dtype, its workspaces, and when the GIL is released |
//! | `turn` | which call may change the network, and whose fit it is |
//! | `network`, `snapshot` | the Python classes |
//! | `calls`, `train`, `sklearn` | what their calls do, for either dtype |
//! | `file`, `tensors` | model files: bytes and atomic writing; the two functions that Python calls |
//! | `errors` | exceptions, and panics that became one |

mod arrays;
mod batch;
mod calls;
mod cell;
mod errors;
mod file;
mod network;
mod sklearn;
mod snapshot;
mod tensors;
mod train;
mod turn;

#[pyo3::pymodule(name = "_native")]
mod native {
    use numpy::PyUntypedArray;
    use pyo3::prelude::*;
    use pyo3::types::{IntoPyDict, PyCFunction, PyDict};

    #[pymodule_export]
    use crate::errors::{DivergenceError, InternalError};
    #[pymodule_export]
    use crate::network::Network;
    #[pymodule_export]
    use crate::sklearn::Course;
    #[pymodule_export]
    use crate::snapshot::Snapshot;
    #[pymodule_export]
    use crate::tensors::{read_tensors, write_tensors};

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// The names that can be asked for, by kind: activation, loss, optimizer, init, layer, target.
    #[pyfunction]
    fn registry(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        crate::errors::catch_panics(|| {
            let kinds = PyDict::new(py);
            for (kind, names) in chainrule_core::registry() {
                kinds.set_item(kind, names)?;
            }
            Ok(kinds)
        })
    }

    /// The names of the targets that this processor can run, the best first.
    #[pyfunction]
    fn targets() -> PyResult<Vec<&'static str>> {
        crate::errors::catch_panics(|| {
            let targets = chainrule_core::Machine::available();
            Ok(targets.iter().map(|machine| machine.name()).collect())
        })
    }

    /// For tests: with `on`, networks made from now on take as many threads as they are asked to, cut all their work however
    /// small, and wait for all threads to take part. Returns how often a thread has helped in such work so far.
    #[pyfunction]
    fn _force_threads(on: bool) -> u64 {
        chainrule_core::force_threads(on)
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        // numpy's table of functions is fetched on its first use, which would panic where numpy is not to be had.
        // Here it is an ImportError.
        py.import("numpy")?;
        crate::errors::catch_panics(|| {
            py.get_type::<PyUntypedArray>();
            Ok(())
        })?;
        // Not on Windows, where nothing forks.
        let os = py.import("os")?;
        if os.hasattr("register_at_fork")? {
            let forked = PyCFunction::new_closure(py, None, None, |_, _| crate::cell::forked())?;
            let keywords = [("after_in_child", forked)].into_py_dict(py)?;
            os.call_method("register_at_fork", (), Some(&keywords))?;
        }
        // What an exception that Python code made itself answers.
        for attribute in ["epoch", "batch"] {
            py.get_type::<DivergenceError>().setattr(attribute, py.None())?;
        }
        Ok(())
    }
}
