//! A verified token, as Python has it.

use crate::json;
use portcullis_core::jose::json::Json;
use portcullis_core::token::{AccessToken, Kind, Membership};
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFrozenSet};
use pyo3::{Bound, Py, PyResult, Python, pyclass, pymethods};

/// A verified access token: who calls.
#[pyclass(frozen, module = "portcullis_auth")]
pub(crate) struct Token {
    token: AccessToken,
    /// Converted on first use: most handlers read two claims, or none.
    claims: PyOnceLock<Py<PyDict>>,
}

impl From<AccessToken> for Token {
    fn from(token: AccessToken) -> Self {
        let claims = PyOnceLock::new();
        Self { token, claims }
    }
}

impl Token {
    pub(crate) fn access_token(&self) -> AccessToken {
        self.token.clone()
    }
}

#[pymethods]
impl Token {
    /// `sub`.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.token.subject()
    }

    /// The stable identifier of the caller at this issuer.
    #[getter]
    fn user_id(&self) -> Option<&str> {
        self.token.user_id()
    }

    /// A name to show. It is no identifier: people choose it.
    #[getter]
    fn name(&self) -> &str {
        self.token.name()
    }

    /// The client that the token was issued to.
    #[getter]
    fn client(&self) -> Option<&str> {
        self.token.client()
    }

    #[getter]
    fn issuer(&self) -> &str {
        self.token.issuer().as_str()
    }

    /// The audiences of the token.
    #[getter]
    fn audience(&self) -> Vec<&str> {
        match self.token.claims().audience() {
            Some(Json::String(text)) => vec![text],
            Some(Json::Array(texts)) => texts.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        }
    }

    #[getter]
    fn tenant(&self) -> Option<&str> {
        self.token.identity().tenant()
    }

    /// Whether the token was issued for a `user` or an `application`; `None` if that is unknown.
    #[getter]
    fn kind(&self) -> Option<&'static str> {
        match self.token.identity().kind() {
            Kind::User => Some("user"),
            Kind::Application => Some("application"),
            Kind::Unknown => None,
        }
    }

    #[getter]
    fn scopes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyFrozenSet>> {
        PyFrozenSet::new(py, self.token.scopes().iter())
    }

    /// The roles; `None` if they are unknown.
    #[getter]
    fn roles<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyFrozenSet>>> {
        names(py, self.token.identity().roles())
    }

    /// The groups; `None` if they are unknown.
    #[getter]
    fn groups<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyFrozenSet>>> {
        names(py, self.token.identity().groups())
    }

    /// `exp`, in seconds since 1970.
    #[getter]
    fn expires(&self) -> Option<i64> {
        Some(self.token.expires()?.seconds())
    }

    /// All claims, as the issuer wrote them.
    #[getter]
    fn claims(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let object = self.token.claims().object();
        let claims = self
            .claims
            .get_or_try_init(py, || json::dict(py, object).map(Bound::unbind))?;
        Ok(claims.clone_ref(py))
    }

    /// Whether this scope was granted.
    fn has_scope(&self, scope: &str) -> bool {
        self.token.has_scope(scope)
    }

    /// Whether the caller has this role. False if that is unknown.
    fn has_role(&self, role: &str) -> bool {
        self.token.has_role(role)
    }

    /// The issuer only: claims do not go to logs.
    fn __repr__(&self) -> String {
        format!("<Token of {}>", self.token.issuer().as_str())
    }
}

fn names<'py>(
    py: Python<'py>,
    membership: &Membership,
) -> PyResult<Option<Bound<'py, PyFrozenSet>>> {
    if membership.is_unknown() {
        return Ok(None);
    }
    PyFrozenSet::new(py, membership.iter()).map(Some)
}
