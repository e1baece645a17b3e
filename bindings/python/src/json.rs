//! JSON of the core as values of Python, and the values that a requirement may name.

use portcullis_core::jose::json::{Json, Number, Object};
use pyo3::exceptions::PyTypeError;
use pyo3::types::PyString;
use pyo3::types::{PyAnyMethods as _, PyBool, PyDict, PyFloat, PyInt, PyList, PyListMethods as _};
use pyo3::{Bound, IntoPyObjectExt as _, PyAny, PyResult, Python};

/// The members of an object. Its depth is bounded: it was read within the limits.
pub(crate) fn dict<'py>(py: Python<'py>, object: &Object) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in object.iter() {
        dict.set_item(name, python(py, value)?)?;
    }
    Ok(dict)
}

fn python<'py>(py: Python<'py>, value: &Json) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Json::Null => Ok(py.None().into_bound(py)),
        Json::Bool(value) => value.into_bound_py_any(py),
        Json::Number(Number::Integer(integer)) => integer.into_bound_py_any(py),
        Json::Number(Number::Unsigned(integer)) => integer.into_bound_py_any(py),
        Json::Number(Number::Float(float)) => float.into_bound_py_any(py),
        Json::String(text) => (**text).into_bound_py_any(py),
        Json::Array(elements) => {
            let list = PyList::empty(py);
            for element in elements {
                list.append(python(py, element)?)?;
            }
            Ok(list.into_any())
        }
        Json::Object(object) => Ok(dict(py, object)?.into_any()),
    }
}

/// A value that a requirement names: a text, a truth value or a number.
pub(crate) fn scalar(value: &Bound<'_, PyAny>) -> PyResult<Json> {
    if value.is_instance_of::<PyString>() {
        let text: String = value.extract()?;
        return Ok(Json::from(text.as_str()));
    }
    // In Python a truth value is an integer, so it is asked for first.
    if value.is_instance_of::<PyBool>() {
        return Ok(Json::Bool(value.extract()?));
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(Json::from(value.extract::<i64>()?));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Json::Number(Number::Float(value.extract()?)));
    }
    let message = "expected a value of type str, bool, int or float";
    Err(PyTypeError::new_err(message))
}
