//! The door between Python and `chainrule-core`. It reads numpy arrays, releases the GIL, calls core, and turns errors
//! into exceptions. It knows nothing of how anything is computed.
//!
//! ```text
//! numpy ─▶ arrays (header, raw rows) ─▶ network (turn, lock, GIL) ─▶ core ─▶ arrays (new array) ─▶ numpy
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `arrays` | access to numpy arrays; nearly all unsafe code of this crate |
//! | `batch` | the arguments X, y and sample_weight, and the batch that core reads from them |
//! | `cell` | a network behind its lock, its workspaces, and when the GIL is released |
//! | `turn` | which call may change the network, and which thread is fitting it |
//! | `signals`, `fork` | Ctrl-C during a long call, and what a fork waits for |
//! | `network`, `snapshot` | the Python classes |
//! | `calls`, `train`, `sklearn` | what the methods of those classes do, for either dtype |
//! | `file`, `tensors` | model files: format and atomic writing; the functions that Python calls |
//! | `errors` | exceptions, and panics turned into an exception |

mod arrays;
mod batch;
mod calls;
mod cell;
mod errors;
mod file;
mod fork;
mod network;
mod signals;
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
    use crate::sklearn::{Predictor, Progress};
    #[pymodule_export]
    use crate::snapshot::Snapshot;
    #[pymodule_export]
    use crate::tensors::{read_header, read_tensors, write_tensors};

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// All names that a configuration can use, by kind: activation, loss, optimizer, init, layer; and those of the
    /// instruction sets ("target").
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

    /// Names of the instruction sets that this processor can run, the best first.
    #[pyfunction]
    fn targets() -> PyResult<Vec<&'static str>> {
        crate::errors::catch_panics(|| {
            let targets = chainrule_core::Machine::available();
            Ok(targets.iter().map(|machine| machine.name()).collect())
        })
    }

    /// For tests. With `on`, networks made from now on use every thread they are allowed, split all work however small,
    /// and wait until every thread has taken part. Returns how often a thread has helped with such work so far.
    #[pyfunction]
    fn _force_threads(on: bool) -> u64 {
        chainrule_core::force_threads(on)
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        // numpy's table of functions is fetched at its first use, and that panics if numpy is missing. Importing numpy
        // here gives an ImportError instead.
        py.import("numpy")?;
        crate::errors::catch_panics(|| {
            py.get_type::<PyUntypedArray>();
            Ok(())
        })?;
        // Windows has no fork, and no such function.
        let os = py.import("os")?;
        if os.hasattr("register_at_fork")? {
            let before =
                PyCFunction::new_closure(py, None, None, |arguments, _| arguments.py().detach(crate::fork::before))?;
            let in_parent = PyCFunction::new_closure(py, None, None, |_, _| crate::fork::after_in_parent())?;
            let in_child = PyCFunction::new_closure(py, None, None, |_, _| crate::fork::after_in_child())?;
            let keywords = [("before", before), ("after_in_parent", in_parent), ("after_in_child", in_child)];
            os.call_method("register_at_fork", (), Some(&keywords.into_py_dict(py)?))?;
        }
        // Defaults for an exception that Python code makes itself.
        for attribute in ["epoch", "batch"] {
            py.get_type::<DivergenceError>().setattr(attribute, py.None())?;
        }
        Ok(())
    }
}
