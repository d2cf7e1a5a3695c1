//! Access to numpy arrays: the header is checked once, then values are copied through raw pointers.
//!
//! The unsafe code of this crate, but for two calls in `signals`. It trusts a header in two facts. While the array lives
//! and is not resized, memory can be read at every index inside its shape, at the address that its strides give. That
//! address is aligned for the dtype if the flag says so. `Held` prevents a resize while other Python code may run. The
//! memory belongs to Python, and another thread may write to it at any time, so no `&[T]` to it is ever made. Values are
//! copied out row by row instead; a write at the same time can give wrong values, nothing worse.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr;

use chainrule_core::{Real, Rows, Source};
use numpy::npyffi::{_PyArray_GET_ITEM_DATA, NPY_ARRAY_WRITEABLE, NPY_TYPES, npy_intp};
use numpy::{PY_ARRAY_API, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use crate::errors::no_memory;
use crate::signals::Watch;

/// The dtypes that are read or made here, in the byte order of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dtype {
    F32,
    F64,
    I64,
}

impl Dtype {
    /// Size of one value in bytes.
    pub(crate) fn size(self) -> usize {
        match self {
            Dtype::F32 => size_of::<f32>(),
            Dtype::F64 => size_of::<f64>(),
            Dtype::I64 => size_of::<i64>(),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Dtype::F32 => "float32",
            Dtype::F64 => "float64",
            Dtype::I64 => "int64",
        }
    }

    fn of(array: &Bound<'_, PyUntypedArray>) -> Option<Dtype> {
        let descr = array.dtype();
        let is = |number: NPY_TYPES| descr.num() == number as c_int;
        if descr.is_native_byteorder() != Some(true) {
            None
        } else if is(NPY_TYPES::NPY_FLOAT) {
            Some(Dtype::F32)
        } else if is(NPY_TYPES::NPY_DOUBLE) {
            Some(Dtype::F64)
        } else if (is(NPY_TYPES::NPY_LONG) || is(NPY_TYPES::NPY_LONGLONG)) && descr.itemsize() == 8 {
            Some(Dtype::I64) // which of C's two types has 64 bits depends on the system
        } else {
            None
        }
    }
}

/// A number type that numpy has as a dtype.
///
/// # Safety
/// Values of the type and of the dtype `DTYPE` are the same, bit for bit.
pub(crate) unsafe trait Element: Copy + Default + Send + Sync + 'static {
    const DTYPE: Dtype;
}
// SAFETY: float32 is IEEE single precision.
unsafe impl Element for f32 {
    const DTYPE: Dtype = Dtype::F32;
}
// SAFETY: float64 is IEEE double precision.
unsafe impl Element for f64 {
    const DTYPE: Dtype = Dtype::F64;
}
// SAFETY: int64 has two's complement.
unsafe impl Element for i64 {
    const DTYPE: Dtype = Dtype::I64;
}

/// `numbers` written as a tuple of Python.
fn tuple<T: ToString>(numbers: &[T]) -> String {
    let numbers: Vec<String> = numbers.iter().map(T::to_string).collect();
    format!("({}{})", numbers.join(", "), if numbers.len() == 1 { "," } else { "" })
}

/// The TypeError for an `argument` that is not the array that was expected.
fn mismatch(argument: &str, expected: &str, got: &Bound<'_, PyAny>) -> PyErr {
    let got = match got.cast::<PyUntypedArray>() {
        Ok(array) => {
            let (dtype, shape, strides) = (array.dtype(), tuple(array.shape()), tuple(array.strides()));
            format!("an array of dtype {dtype}, shape {shape} and strides {strides}")
        }
        Err(_) => got.get_type().to_string(),
    };
    PyTypeError::new_err(format!("{argument} must be {expected}, got {got}"))
}

/// `any` as an array, if its values are aligned and have one of the dtypes above.
fn array<'a, 'py>(any: &'a Bound<'py, PyAny>) -> Option<(&'a Bound<'py, PyUntypedArray>, Dtype)> {
    let array = any.cast::<PyUntypedArray>().ok()?;
    let dtype = Dtype::of(array)?;
    array.is_aligned().then_some((array, dtype))
}

/// The address of the first value.
fn data(array: &Bound<'_, PyUntypedArray>) -> *mut u8 {
    // SAFETY: `array` is a numpy array (its type was checked when it was cast) and alive while it is borrowed.
    unsafe { (*_PyArray_GET_ITEM_DATA(array.as_array_ptr())).data.cast() }
}

/// Arrays whose memory stays where it is. Each has a weak reference, and so has each array that it is a view of. NumPy
/// refuses to resize an array that has one, also with `refcheck=False`.
pub(crate) struct Held<'py>(#[allow(dead_code, reason = "they only live")] Vec<Bound<'py, PyWeakrefReference>>);

impl<'py> Held<'py> {
    /// Holds each object of `any` that is an array.
    pub(crate) fn new(any: impl IntoIterator<Item = Bound<'py, PyAny>>) -> PyResult<Self> {
        let mut held = Vec::new();
        for object in any {
            let mut next = Some(object);
            while let Some(array) = next.and_then(|object| object.cast_into::<PyUntypedArray>().ok()) {
                held.push(PyWeakrefReference::new(&array)?);
                // SAFETY: `array` is a numpy array. Its base is null or an object that it keeps alive.
                next = unsafe {
                    let base = (*_PyArray_GET_ITEM_DATA(array.as_array_ptr())).base;
                    Bound::from_borrowed_ptr_or_opt(array.py(), base)
                };
            }
        }
        Ok(Held(held))
    }
}

/// A 2-D array of float32 or float64 whose rows are contiguous. `'a` keeps the Python object alive.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    source: Source<'a>,
    /// Asked before rows are read.
    watch: Option<&'a Watch>,
}

impl<'a> Table<'a> {
    /// Reads the header of `any`. Errors name it `argument`.
    pub(crate) fn new(argument: &str, any: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        let expected = "a 2-D array of float32 or float64 in native byte order with contiguous rows";
        let error = || mismatch(argument, expected, any);
        let (array, dtype) = array(any).ok_or_else(error)?;
        let (&[rows, columns], &[stride, step]) = (array.shape(), array.strides()) else {
            return Err(error());
        };
        let contiguous = rows == 0 || columns <= 1 || usize::try_from(step) == Ok(dtype.size());
        if !contiguous {
            return Err(error());
        }
        let start = data(array);
        // SAFETY: the header allows these rows. They are aligned (`array`), contiguous, and numbers of that dtype.
        let source = unsafe {
            match dtype {
                Dtype::F32 => Source::from_raw(start.cast::<f32>(), rows, columns, stride),
                Dtype::F64 => Source::from_raw(start.cast::<f64>(), rows, columns, stride),
                Dtype::I64 => return Err(error()),
            }
        };
        Ok(Table { source, watch: None })
    }

    /// The same, which stops core where `watch` says so.
    pub(crate) fn watched(self, watch: Option<&'a Watch>) -> Self {
        Table { watch, ..self }
    }

    pub(crate) fn rows(&self) -> usize {
        self.source.rows()
    }
}

impl<T: Real> Rows<T> for Table<'_> {
    fn rows(&self) -> usize {
        self.source.rows()
    }

    fn columns(&self) -> usize {
        self.source.columns()
    }

    fn read(&self, row: usize, into: &mut [T]) {
        self.source.read(row, into);
    }

    fn keep_going(&self, rows: usize) -> bool {
        self.watch.is_none_or(|watch| watch.keep_going(rows))
    }

    fn source(&self) -> Option<&Source<'_>> {
        Some(&self.source)
    }
}

/// A 1-D array of `T` with any stride.
pub(crate) struct Column<'a, T> {
    data: *const u8,
    len: usize,
    stride: isize,
    alive: PhantomData<&'a T>,
}

impl<'a, T: Element> Column<'a, T> {
    /// Reads the header of `any`. Errors name it `argument`.
    pub(crate) fn new(argument: &str, any: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        match array(any) {
            Some((array, dtype)) if dtype == T::DTYPE && array.ndim() == 1 => {
                Ok(Column { data: data(array), len: array.shape()[0], stride: array.strides()[0], alive: PhantomData })
            }
            _ => {
                let name = T::DTYPE.name();
                let expected = format!("a 1-D array of {name} in native byte order");
                Err(mismatch(argument, &expected, any))
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The value at index `i`.
    pub(crate) fn get(&self, i: usize) -> T {
        assert!(i < self.len);
        // SAFETY: `i` is inside the shape (asserted), so its address is one that the header allows; it is aligned
        // (checked by `new`).
        unsafe { self.data.offset(i as isize * self.stride).cast::<T>().read() }
    }

    /// Copies all values to `into` and drops what it held.
    pub(crate) fn copy_to(&self, into: &mut Vec<T>) -> PyResult<()> {
        self.map_to(into, |value| value)
    }

    /// Writes `f` of each value to `into` and drops what it held.
    pub(crate) fn map_to<U>(&self, into: &mut Vec<U>, mut f: impl FnMut(T) -> U) -> PyResult<()> {
        reserve(into, self.len)?;
        if usize::try_from(self.stride) == Ok(size_of::<T>()) {
            // SAFETY: `len` contiguous, aligned values start there (checked by `new` and by the condition).
            into.extend((0..self.len).map(|i| f(unsafe { self.data.cast::<T>().add(i).read() })));
        } else {
            into.extend((0..self.len).map(|i| f(self.get(i))));
        }
        Ok(())
    }
}

/// Empties `vec` and makes room for `len` values.
pub(crate) fn reserve<T>(vec: &mut Vec<T>, len: usize) -> PyResult<()> {
    vec.clear();
    vec.try_reserve_exact(len).map_err(|_| no_memory(len as u128 * size_of::<T>() as u128))
}

/// Whether `any` is an array of int64. Those are labels.
pub(crate) fn is_labels(any: &Bound<'_, PyAny>) -> bool {
    array(any).is_some_and(|(_, dtype)| dtype == Dtype::I64)
}

/// The array that a caller passed for the result: (rows, columns) of `T`, C-contiguous and writable.
pub(crate) struct Out<'a, T> {
    data: *mut T,
    len: usize,
    alive: PhantomData<&'a ()>,
}

impl<'a, T: Element> Out<'a, T> {
    /// Reads the header of `any`.
    pub(crate) fn new(any: &'a Bound<'_, PyAny>, rows: usize, columns: usize) -> PyResult<Self> {
        let Some((array, _)) = array(any).filter(|&(_, dtype)| dtype == T::DTYPE) else {
            let name = T::DTYPE.name();
            let expected = format!("a C-contiguous, writable array of {name}, the network's dtype");
            return Err(mismatch("out", &expected, any));
        };
        if array.shape() != [rows, columns] {
            let shape = tuple(array.shape());
            return Err(PyValueError::new_err(format!(
                "out has shape {shape} but the result has shape ({rows}, {columns})"
            )));
        }
        // SAFETY: `array` is a numpy array, alive while it is borrowed.
        let flags = unsafe { (*_PyArray_GET_ITEM_DATA(array.as_array_ptr())).flags };
        if flags & NPY_ARRAY_WRITEABLE == 0 || !array.is_c_contiguous() {
            return Err(PyValueError::new_err("out must be C-contiguous and writable"));
        }
        Ok(Out { data: data(array).cast(), len: rows * columns, alive: PhantomData })
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Copies `values` to the array.
    ///
    /// # Panics
    /// If there are not `len()` of them.
    pub(crate) fn write(&self, _py: Python<'_>, values: &[T]) {
        assert_eq!(values.len(), self.len);
        // SAFETY: `new` checked that `len` values may be written there; `values` is memory of Rust, so the two do not
        // overlap.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), self.data, self.len) };
    }
}

/// A new C-contiguous array. Python code cannot see it before `finish`.
pub(crate) struct Fresh<'py> {
    array: Bound<'py, PyUntypedArray>,
    dtype: Dtype,
    len: usize,
}

impl<'py> Fresh<'py> {
    /// Allocates the array. The error is MemoryError if its size cannot be had, however absurd the shape.
    pub(crate) fn new(py: Python<'py>, dtype: Dtype, shape: &[usize]) -> PyResult<Self> {
        let bytes = shape.iter().fold(dtype.size() as u128, |b, &n| b.saturating_mul(n as u128));
        let dims: Result<Vec<npy_intp>, _> = shape.iter().map(|&n| n.try_into()).collect();
        let (Ok(mut dims), true) = (dims, bytes <= isize::MAX as u128) else {
            return Err(no_memory(bytes));
        };
        let descr = match dtype {
            Dtype::F32 => numpy::dtype::<f32>(py),
            Dtype::F64 => numpy::dtype::<f64>(py),
            Dtype::I64 => numpy::dtype::<i64>(py),
        };
        // SAFETY: `dims` holds as many lengths as its own length says, and numpy takes over the reference to `descr`.
        // The result is a new reference to an array, or null with an exception set. PyArray_Zeros would release the GIL;
        // until Python 3.14, a thread that then asks for it while the interpreter ends is unwound, and Rust aborts.
        let array = unsafe {
            let any = PY_ARRAY_API.PyArray_Empty(py, dims.len() as c_int, dims.as_mut_ptr(), descr.into_dtype_ptr(), 0);
            Bound::from_owned_ptr_or_err(py, any)?.cast_into_unchecked()
        };
        Ok(Fresh { array, dtype, len: bytes as usize / dtype.size() })
    }

    /// The values in C order: any numbers, until all of them have been written. To set a large array to zero first would
    /// take longer than many a prediction.
    ///
    /// # Panics
    /// If `T` is not the dtype.
    pub(crate) fn values<T: Element>(&mut self) -> &mut [T] {
        assert_eq!(self.dtype, T::DTYPE);
        // SAFETY: numpy allocated `len` values of this dtype. The memory is foreign code's, so it holds some bytes, and
        // any bytes are a number. No Python code has seen the array, so `self` is the only way to its memory.
        unsafe { std::slice::from_raw_parts_mut(data(&self.array).cast(), self.len) }
    }

    /// The values as bytes.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: as in `values`; every byte of a number may be read and written.
        unsafe { std::slice::from_raw_parts_mut(data(&self.array), self.len * self.dtype.size()) }
    }

    /// The array, handed over to Python.
    pub(crate) fn finish(self) -> Bound<'py, PyAny> {
        self.array.into_any()
    }
}

/// A C-contiguous array of any shape, read as bytes to be written to a file.
pub(crate) struct Bytes<'a> {
    data: *const u8,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    len: usize,
    alive: PhantomData<&'a ()>,
}

// SAFETY: as for `Table`: this only reads memory of an array that `'a` keeps alive.
unsafe impl Send for Bytes<'_> {}
// SAFETY: as above.
unsafe impl Sync for Bytes<'_> {}

impl<'a> Bytes<'a> {
    /// Reads the header of `any`. Errors name it tensor `name`.
    pub(crate) fn new(name: &str, any: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        match array(any) {
            Some((array, dtype)) if array.is_c_contiguous() => Ok(Bytes {
                data: data(array),
                dtype,
                shape: array.shape().to_vec(),
                len: array.len() * dtype.size(),
                alive: PhantomData,
            }),
            _ => {
                let expected = "a C-contiguous array of float32, float64 or int64";
                Err(mismatch(&format!("tensor {name:?}"), expected, any))
            }
        }
    }

    /// Copies `into.len()` bytes to `into`, from byte `offset` on.
    pub(crate) fn read(&self, offset: usize, into: &mut [u8]) {
        assert!(offset <= self.len && into.len() <= self.len - offset);
        // SAFETY: the bytes are inside the array (asserted), which is contiguous (checked by `new`); `into` is memory of
        // Rust, so the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(self.data.add(offset), into.as_mut_ptr(), into.len()) };
    }
}
