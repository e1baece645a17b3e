//! A request that may go on by its route, as Python has it.

use crate::denial;
use crate::pending::Answer;
use crate::token::Token;
use portcullis_gateway::{Admission as RustAdmission, TurnedAway};
use pyo3::types::{PyBytes, PyList};
use pyo3::{Bound, IntoPyObjectExt as _, Py, PyAny, PyResult, Python, pyclass, pymethods};

/// What an application may go on with.
#[pyclass(frozen, module = "portcullis_auth")]
pub(crate) struct Admission {
    token: Option<Py<Token>>,
    admission: RustAdmission,
}

impl Answer for Result<RustAdmission, TurnedAway> {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let mut admission = self.map_err(|away| denial::of_turned_away(py, away))?;
        let token = match admission.token.take() {
            Some(token) => Some(Py::new(py, Token::from(token))?),
            None => None,
        };
        Admission { token, admission }.into_bound_py_any(py)
    }
}

#[pymethods]
impl Admission {
    /// The caller's token; `None` where the route needs none.
    #[getter]
    fn token(&self, py: Python<'_>) -> Option<Py<Token>> {
        self.token.as_ref().map(|token| token.clone_ref(py))
    }

    /// The name of the route.
    #[getter]
    fn route(&self) -> &str {
        &self.admission.route
    }

    /// The name of the request in the log.
    #[getter]
    fn request_id(&self) -> &str {
        &self.admission.request_id
    }

    /// The headers that the application must not see, in small letters.
    #[getter(removed)]
    fn list_removed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let names = self.admission.removed.iter();
        PyList::new(
            py,
            names.map(|name| PyBytes::new(py, name.as_str().as_bytes())),
        )
    }

    /// The headers that tell who calls.
    #[getter]
    fn identity<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let headers = self.admission.identity.iter();
        PyList::new(
            py,
            headers.map(|(name, value)| {
                let name = PyBytes::new(py, name.as_str().as_bytes());
                (name, PyBytes::new(py, value.as_bytes()))
            }),
        )
    }

    fn __repr__(&self) -> String {
        format!("<Admission by {}>", self.admission.route)
    }
}
