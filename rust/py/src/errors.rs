//! Exceptions for Python: one match maps core's kinds of error to them, and a panic becomes InternalError.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chainrule_core::{Error, ErrorKind};
use pyo3::exceptions::{PyKeyboardInterrupt, PyMemoryError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

pyo3::create_exception!(
    chainrule._native,
    DivergenceError,
    PyValueError,
    "The loss became NaN or infinite. `epoch` and `batch` say where, counted from 0 (None where it is not known)."
);

pyo3::create_exception!(
    chainrule._native,
    InternalError,
    PyRuntimeError,
    "A bug inside chainrule: a check of its own failed. Please report it with what led to it."
);

/// The exception for an error of core.
pub(crate) fn raise(py: Python<'_>, error: Error) -> PyErr {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::Value => PyValueError::new_err(text),
        ErrorKind::Memory => PyMemoryError::new_err(text),
        ErrorKind::Interrupted => PyKeyboardInterrupt::new_err(text),
        ErrorKind::Divergence => {
            let exception = DivergenceError::new_err(text);
            if let Error::Diverged { at: Some((epoch, batch)), .. }
            | Error::GradientDiverged { at: Some((epoch, batch)) }
            | Error::UpdateDiverged { at: Some((epoch, batch)) } = error
            {
                let value = exception.value(py);
                // This fails only if memory is exhausted; the default of the class, None, then stays.
                let _ = value.setattr("epoch", epoch);
                let _ = value.setattr("batch", batch);
            }
            exception
        }
    }
}

/// The exception for an allocation that failed.
pub(crate) fn no_memory(bytes: u128) -> PyErr {
    PyMemoryError::new_err(format!("{bytes} bytes in one piece cannot be allocated"))
}

/// The exception for a panic, with its message.
pub(crate) fn internal(panic: &(dyn Any + Send)) -> PyErr {
    let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "a panic without a text",
    };
    InternalError::new_err(format!("this is a bug in chainrule, please report it: {text}"))
}

/// Runs a call from Python. A panic inside becomes InternalError, which Python code can catch.
pub(crate) fn catch_panics<R>(call: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    // Unwind safe: a value that the panic left half changed is either dropped with the call or belongs to a network,
    // and `Network::break_on_panic` marks that as broken.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(internal(&*panic)))
}
