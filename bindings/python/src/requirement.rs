//! The words of requirements. They are checked when a requirement is made: no request ever finds a
//! fault in one.

use crate::json;
use portcullis_core::Requirement as Demand;
use portcullis_core::token::Scopes;
use pyo3::exceptions::PyValueError;
use pyo3::types::PyTuple;
use pyo3::types::{PyAnyMethods as _, PyTupleMethods as _};
use pyo3::{Bound, PyAny, PyRef, PyResult, pyclass, pyfunction, pymethods};
use std::sync::Arc;
use std::time::Duration;

/// What a route demands of a valid token.
#[pyclass(frozen, module = "portcullis_auth")]
pub(crate) struct Requirement(Arc<Demand>);

impl Requirement {
    fn of(demand: Demand) -> Self {
        Self(Arc::new(demand))
    }

    pub(crate) fn demand(&self) -> Arc<Demand> {
        Arc::clone(&self.0)
    }

    fn copy(&self) -> Demand {
        (*self.0).clone()
    }
}

#[pymethods]
impl Requirement {
    fn __and__(&self, other: &Self) -> Self {
        Self::of(Demand::all([self.copy(), other.copy()]))
    }

    fn __or__(&self, other: &Self) -> Self {
        Self::of(Demand::any([self.copy(), other.copy()]))
    }

    fn __invert__(&self) -> Self {
        Self::of(Demand::not(self.copy()))
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        self.0.to_string().hash(&mut hasher);
        hasher.finish()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Requirement: {}>", self.0)
    }
}

/// Demands a scope.
#[pyfunction]
pub(crate) fn scope(name: &str) -> PyResult<Requirement> {
    if !Scopes::is_token(name) {
        let message = format!("expected one scope, such as \"orders:read\"; found {name:?}");
        return Err(PyValueError::new_err(message));
    }
    Ok(Requirement::of(Demand::scope(name)))
}

/// Demands a role.
#[pyfunction]
pub(crate) fn role(name: &str) -> PyResult<Requirement> {
    Ok(Requirement::of(Demand::role(text("a role", name)?)))
}

/// Demands that the caller is in a group.
#[pyfunction]
pub(crate) fn group(name: &str) -> PyResult<Requirement> {
    Ok(Requirement::of(Demand::group(text("a group", name)?)))
}

/// Demands a token that was issued for a user.
#[pyfunction]
pub(crate) fn user() -> Requirement {
    Requirement::of(Demand::user())
}

/// Demands a token that was issued for an application in its own name.
#[pyfunction]
pub(crate) fn application() -> Requirement {
    Requirement::of(Demand::application())
}

/// Demands that the claim of this name is this value, or an array that holds it.
#[pyfunction]
pub(crate) fn claim(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Requirement> {
    let name = text("the name of a claim", name)?;
    Ok(Requirement::of(Demand::claim(name, json::scalar(value)?)))
}

/// Demands that the user signed in in one of these ways, in order of preference.
#[pyfunction]
#[pyo3(signature = (*values))]
pub(crate) fn acr(values: &Bound<'_, PyTuple>) -> PyResult<Requirement> {
    let values: Vec<String> = values.extract::<Vec<String>>()?;
    for value in &values {
        // The challenge lists them with spaces between.
        if value.is_empty() || value.contains(' ') {
            let message = format!("expected a value of `acr` without spaces, found {value:?}");
            return Err(PyValueError::new_err(message));
        }
    }
    check_any("acr", values.len())?;
    Ok(Requirement::of(Demand::acr(values)))
}

/// Demands that the user signed in no longer ago than this, in seconds.
#[pyfunction]
pub(crate) fn max_age(seconds: u64) -> Requirement {
    Requirement::of(Demand::max_age(Duration::from_secs(seconds)))
}

/// Demands all of these.
#[pyfunction]
#[pyo3(signature = (*requirements))]
pub(crate) fn all_of(requirements: &Bound<'_, PyTuple>) -> PyResult<Requirement> {
    Ok(Requirement::of(Demand::all(demands(
        "all_of",
        requirements,
    )?)))
}

/// Demands at least one of these.
#[pyfunction]
#[pyo3(signature = (*requirements))]
pub(crate) fn any_of(requirements: &Bound<'_, PyTuple>) -> PyResult<Requirement> {
    Ok(Requirement::of(Demand::any(demands(
        "any_of",
        requirements,
    )?)))
}

/// Demands the opposite.
#[pyfunction]
pub(crate) fn not_(requirement: &Requirement) -> Requirement {
    requirement.__invert__()
}

fn demands(word: &str, requirements: &Bound<'_, PyTuple>) -> PyResult<Vec<Demand>> {
    let mut demands = Vec::new();
    for requirement in requirements.iter() {
        let requirement: PyRef<'_, Requirement> = requirement.extract()?;
        demands.push(requirement.copy());
    }
    check_any(word, demands.len())?;
    Ok(demands)
}

/// Refuses an empty list: all of nothing would be met by everybody.
fn check_any(word: &str, count: usize) -> PyResult<()> {
    if count == 0 {
        let message = format!("expected at least one argument of `{word}`, found none");
        return Err(PyValueError::new_err(message));
    }
    Ok(())
}

fn text<'t>(expected: &str, text: &'t str) -> PyResult<&'t str> {
    if text.trim().is_empty() {
        let message = format!("expected {expected}, found {text:?}");
        return Err(PyValueError::new_err(message));
    }
    Ok(text)
}
