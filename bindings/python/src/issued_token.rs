//! What a provider issued to a client, or why it did not.

use crate::denial;
use crate::pending::Answer;
use portcullis_client::{
    Error, IssuedToken as RustIssuedToken, RefreshToken, TokenKind,
    TokenResponse as RustTokenResponse,
};
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAnyMethods as _, PyFrozenSet};
use pyo3::{Bound, IntoPyObjectExt as _, Py, PyAny, PyErr, PyResult, Python, pyclass, pymethods};

/// An access token that a provider issued to this client.
#[pyclass(frozen, module = "portcullis_auth.client")]
pub(crate) struct IssuedToken(pub(crate) RustIssuedToken);

#[pymethods]
impl IssuedToken {
    /// The text of the token. The caller has to protect it from here on.
    #[getter]
    fn text(&self) -> &str {
        self.0.expose()
    }

    /// The value of the header `Authorization`.
    #[getter]
    fn authorization(&self) -> String {
        format!("{} {}", self.0.kind().scheme(), self.0.expose())
    }

    /// Whether the token is bound to a key, so that it needs a proof as well.
    #[getter]
    fn is_bound(&self) -> bool {
        self.0.kind() != TokenKind::Bearer
    }

    /// The time when it expires, in seconds since 1970, by this machine's clock.
    #[getter]
    fn expires(&self) -> i64 {
        self.0.expires_at().seconds()
    }

    /// Nothing of the token: it does not go to logs.
    fn __repr__(&self) -> &'static str {
        "<IssuedToken>"
    }
}

/// The response of a token endpoint.
#[pyclass(frozen, module = "portcullis_auth.client")]
pub(crate) struct TokenResponse(RustTokenResponse);

#[pymethods]
impl TokenResponse {
    /// The access token.
    #[getter]
    fn access_token(&self) -> IssuedToken {
        IssuedToken(self.0.access_token().clone())
    }

    /// The refresh token to keep in place of the one before.
    #[getter]
    fn refresh_token(&self) -> Option<&str> {
        self.0.refresh_token().map(RefreshToken::expose)
    }

    /// The granted scopes.
    #[getter]
    fn scopes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyFrozenSet>> {
        PyFrozenSet::new(py, self.0.scope().iter())
    }

    /// Nothing of the tokens: they do not go to logs.
    fn __repr__(&self) -> &'static str {
        "<TokenResponse>"
    }
}

impl Answer for Result<RustIssuedToken, Error> {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let token = self.map_err(|error| exception(py, &error))?;
        IssuedToken(token).into_bound_py_any(py)
    }
}

impl Answer for Result<RustTokenResponse, Error> {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let tokens = self.map_err(|error| exception(py, &error))?;
        TokenResponse(tokens).into_bound_py_any(py)
    }
}

/// The exception for a token that cannot be had.
fn exception(py: Python<'_>, error: &Error) -> PyErr {
    match build(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

fn build<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    static REFUSED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static UNAVAILABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static INVALID: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let text = error.to_string();
    match error {
        Error::Config(fault) => Ok(denial::config_fault(py, fault).into_bound_py_any(py)?),
        Error::Refusal(refusal) => {
            let class = REFUSED.import(py, denial::ERRORS, "TokenRefused")?;
            class.call1((text, refusal.error(), refusal.status()))
        }
        Error::Outage(outage) => {
            let class = UNAVAILABLE.import(py, denial::ERRORS, "TokenUnavailable")?;
            class.call1((text, outage.retry_after().as_secs_f64()))
        }
        _ => {
            let class = INVALID.import(py, denial::ERRORS, "InvalidTokenResponse")?;
            class.call1((text,))
        }
    }
}
