//! The Python functions write_tensors, read_header and read_tensors: model files from and to arrays and texts.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use pyo3::exceptions::{PyMemoryError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arrays::{Bytes, Dtype, Fresh, Held};
use crate::errors::catch_panics;
use crate::file::{self, Entry, FileError, Source};

/// Memory for what is noted of a tensor, at most, and for a character of a text.
const BYTES_A_TENSOR: usize = 2048;
const BYTES_A_CHARACTER: usize = 4;

impl Source for Bytes<'_> {
    fn read(&self, offset: usize, into: &mut [u8]) {
        Bytes::read(self, offset, into);
    }
}

/// Writes tensors (name: C-contiguous array of float32, float64 or int64) and metadata (name: text) to a file in the
/// safetensors format. The file is written whole or not at all. It replaces an existing file and keeps its mode.
///
/// Raises OSError as `open` does, TypeError for any other kind of array, and ValueError for a reserved name or a path
/// that is not a regular file.
#[pyfunction]
#[pyo3(signature = (path, tensors, metadata))]
pub(crate) fn write_tensors(
    py: Python<'_>,
    path: &Bound<'_, PyAny>,
    tensors: &Bound<'_, PyDict>,
    metadata: &Bound<'_, PyDict>,
) -> PyResult<()> {
    catch_panics(|| {
        let file: PathBuf = path.extract()?;
        let texts = metadata.values().iter().filter_map(|text| text.len().ok());
        file::room(tensors.len() * BYTES_A_TENSOR + texts.sum::<usize>() * BYTES_A_CHARACTER)
            .map_err(|error| raise(path, error.into()))?;
        let metadata: BTreeMap<String, String> = metadata.extract()?;
        let arrays: BTreeMap<String, Bound<'_, PyAny>> = tensors.extract()?;
        let described = arrays.iter().map(|(name, array)| {
            let bytes = Bytes::new(name, array)?;
            let entry = Entry {
                name: name.clone(),
                dtype: match bytes.dtype {
                    Dtype::F32 => safetensors::Dtype::F32,
                    Dtype::F64 => safetensors::Dtype::F64,
                    Dtype::I64 => safetensors::Dtype::I64,
                },
                shape: bytes.shape.clone(),
            };
            Ok((entry, bytes))
        });
        let described: Vec<(Entry, Bytes<'_>)> = described.collect::<PyResult<_>>()?;
        let _held = Held::new(arrays.values().cloned())?;
        py.detach(|| {
            let sources = described.iter();
            let sources = sources.map(|(entry, bytes)| (entry.clone(), bytes as &dyn Source));
            file::write(&file, sources.collect(), &metadata)
        })
        .map_err(|error| raise(path, error))
    })
}

/// Reads the header of a file that `write_tensors` wrote. Returns the dtypes and shapes of its tensors, by name, and its
/// metadata by name. Raises what `read_tensors` raises.
#[pyfunction]
#[pyo3(signature = (path))]
pub(crate) fn read_header<'py>(path: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyDict>)> {
    catch_panics(|| {
        let py = path.py();
        let file: PathBuf = path.extract()?;
        let reader = py.detach(|| file::open(&file)).map_err(|error| raise(path, error))?;
        let shapes = PyDict::new(py);
        for entry in &reader.entries {
            shapes.set_item(&entry.name, (dtype_of(path, entry)?.name(), PyTuple::new(py, &entry.shape)?))?;
        }
        Ok((shapes, texts(py, &reader.metadata)?))
    })
}

/// The texts by name.
fn texts<'py>(py: Python<'py>, metadata: &BTreeMap<String, String>) -> PyResult<Bound<'py, PyDict>> {
    let texts = PyDict::new(py);
    for (name, text) in metadata {
        texts.set_item(name, text)?;
    }
    Ok(texts)
}

/// The dtype of a tensor, which must be one that numpy has.
fn dtype_of(path: &Bound<'_, PyAny>, entry: &Entry) -> PyResult<Dtype> {
    match entry.dtype {
        safetensors::Dtype::F32 => Ok(Dtype::F32),
        safetensors::Dtype::F64 => Ok(Dtype::F64),
        safetensors::Dtype::I64 => Ok(Dtype::I64),
        other => {
            let why = format!("tensor {:?} has dtype {other}; only F32, F64 and I64 are read", entry.name);
            Err(raise(path, FileError::Garbage(why)))
        }
    }
}

/// Reads a file that `write_tensors` wrote. Returns (tensors by name, metadata by name).
///
/// Raises OSError as `open` does, ValueError for a file that is damaged or of another format, and MemoryError. Nothing
/// in the file is ever executed, and the memory used is at most a few times the size of the file.
#[pyfunction]
#[pyo3(signature = (path))]
pub(crate) fn read_tensors<'py>(path: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyDict>)> {
    catch_panics(|| {
        let py = path.py();
        let file: PathBuf = path.extract()?;
        let mut reader = py.detach(|| file::open(&file)).map_err(|error| raise(path, error))?;
        file::room(reader.entries.len() * BYTES_A_TENSOR).map_err(|error| raise(path, error.into()))?;
        let mut arrays = Vec::new();
        for entry in &reader.entries {
            let (dtype, Entry { name, shape, .. }) = (dtype_of(path, entry)?, entry);
            let array = Fresh::new(py, dtype, shape).map_err(|error| {
                if error.is_instance_of::<PyMemoryError>(py) {
                    return error;
                }
                // numpy refuses the shape: it has too many axes, or one axis is too long and another is 0.
                let why = format!("tensor {name:?} has shape {shape:?}, which numpy refuses");
                raise(path, FileError::Garbage(why))
            })?;
            arrays.push(array);
        }
        let parts: Vec<&mut [u8]> = arrays.iter_mut().map(Fresh::bytes).collect();
        py.detach(|| parts.into_iter().try_for_each(|part| reader.read(part))).map_err(|error| raise(path, error))?;
        let tensors = PyDict::new(py);
        for (entry, array) in reader.entries.iter().zip(arrays) {
            tensors.set_item(&entry.name, array.finish())?;
        }
        Ok((tensors, texts(py, &reader.metadata)?))
    })
}

/// The exception for a file that could not be read or written. It is the one that Python's `open` would raise.
fn raise(path: &Bound<'_, PyAny>, error: FileError) -> PyErr {
    // The reason may quote text of any length from the file.
    let text = |what: &str, why: String| {
        let path = path.str().map_or_else(|_| "the file".into(), |path| path.to_string());
        PyValueError::new_err(format!("{path}{what}: {}", why.chars().take(300).collect::<String>()))
    };
    match error {
        FileError::Garbage(why) => text(" is not a chainrule model", why),
        FileError::Refused(why) => text("", why),
        FileError::Io(error) => match (os_error(path, &error), error.kind()) {
            (Ok(Some(exception)), _) => exception,
            // A path with a zero byte, which is refused before the system is asked.
            (_, io::ErrorKind::InvalidInput) => PyValueError::new_err(error.to_string()),
            (_, io::ErrorKind::OutOfMemory) => {
                PyMemoryError::new_err("there is not enough memory for the file's header")
            }
            _ => error.into(),
        },
    }
}

/// OSError(errno, text, path), which Python turns into FileNotFoundError and the like. None if there is no errno.
fn os_error(path: &Bound<'_, PyAny>, error: &io::Error) -> PyResult<Option<PyErr>> {
    let py = path.py();
    let errno: i32 = match error.raw_os_error() {
        Some(errno) => errno,
        None if error.kind() == io::ErrorKind::IsADirectory => py.import("errno")?.getattr("EISDIR")?.extract()?,
        None => return Ok(None),
    };
    let text = py.import("os")?.call_method1("strerror", (errno,))?;
    Ok(Some(PyOSError::new_err((errno, text.unbind(), path.clone().unbind()))))
}
