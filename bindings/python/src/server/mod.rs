//! The server, as Python has it.

mod construction;
mod endpoints;
mod questions;
mod renewal;

pub(crate) use renewal::renew_servers;

use crate::background::background;
use crate::denial;
use crate::pending::{answer_or_future, wait};
use crate::process::PerProcess;
use crate::receiver::{self, ResponseTuple, SentRequest};
use crate::request::{self, RoutedRequest};
use crate::requirement::Requirement;
use crate::token::Token;
use http::{HeaderMap, Method};
use portcullis_core::ConfigErrors;
use portcullis_gateway::{Config, EmbeddedGateway, Settings, excerpts, text};
use portcullis_resource_server::clock::Clock;
use portcullis_resource_server::{Config as TokenConfig, DenialResponse, IssuerConfig};
use pyo3::types::{PyAnyMethods as _, PyDict};
use pyo3::{Bound, PyAny, PyResult, Python, pyclass, pymethods};
use std::path::PathBuf;
use std::sync::Arc;

/// Makes the settings once more, for another process.
type MakeSettings = Box<dyn Fn() -> Result<Settings, ConfigErrors> + Send + Sync>;

/// The gateway of each process.
type LiveGateway = PerProcess<Arc<EmbeddedGateway>>;

/// A protected resource server: it trusts some issuers and decides about requests.
#[pyclass(frozen, module = "portcullis_auth")]
pub(crate) struct Server {
    settings: MakeSettings,
    clock: Arc<dyn Clock>,
    warnings: Vec<String>,
    live: Arc<LiveGateway>,
}

#[pymethods]
impl Server {
    /// A server that trusts one issuer and accepts one audience.
    #[new]
    fn new(py: Python<'_>, issuer: &str, audience: &str) -> PyResult<Self> {
        let issuer = IssuerConfig {
            url: issuer.to_owned(),
            audience: vec![audience.to_owned()],
            ..IssuerConfig::default()
        };
        let config = TokenConfig {
            issuer: vec![issuer],
            ..TokenConfig::default()
        };
        Self::with_config(Ok(config.into())).map_err(|errors| denial::config_error(py, &errors))
    }

    /// A server as the environment and `.env` describe it.
    #[staticmethod]
    fn from_env(py: Python<'_>) -> PyResult<Self> {
        Self::with_config(TokenConfig::from_env().map(Config::from))
            .map_err(|errors| denial::config_error(py, &errors))
    }

    /// A server as a TOML document describes it.
    #[staticmethod]
    fn from_toml(py: Python<'_>, text: &str) -> PyResult<Self> {
        Self::with_config(Config::for_application(text))
            .map_err(|errors| denial::config_error(py, &errors))
    }

    /// A server as a settings file describes it.
    #[staticmethod]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "Python's paths are read into one"
    )]
    fn from_file(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let text = text(&path).map_err(|errors| denial::config_error(py, &errors))?;
        Self::with_config(Config::for_application(&text)).map_err(|errors| {
            // As `portcullis config check` shows them.
            let shown = excerpts(&path.display().to_string(), &text, &errors);
            denial::config_error_of(py, shown)
        })
    }

    /// Decides about a request: the token if that is known at once, else a future of the running
    /// loop.
    #[pyo3(signature = (headers, query=None, requirement=None, *, method=None, websocket=false))]
    fn decide<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyAny>,
        query: Option<&str>,
        requirement: Option<&Requirement>,
        method: Option<&str>,
        websocket: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let decision = self.decision(headers, query, requirement, method, websocket)?;
        answer_or_future(py, decision)
    }

    /// Decides about a request, and waits for that. Not for the thread of an event loop.
    #[pyo3(signature = (headers, query=None, requirement=None, *, method=None))]
    fn decide_blocking<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyAny>,
        query: Option<&str>,
        requirement: Option<&Requirement>,
        method: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        wait(
            py,
            self.decision(headers, query, requirement, method, false)?,
        )
    }

    /// Decides about a token that came by other means than a request, such as a message of a queue:
    /// the token if that is known at once, else a future of the running loop.
    #[pyo3(signature = (token, requirement=None))]
    fn verify<'py>(
        &self,
        py: Python<'py>,
        token: &str,
        requirement: Option<&Requirement>,
    ) -> PyResult<Bound<'py, PyAny>> {
        answer_or_future(py, self.verification(py, token, requirement)?)
    }

    /// Like `verify`, but waits. Not for the thread of an event loop.
    #[pyo3(signature = (token, requirement=None))]
    fn verify_blocking<'py>(
        &self,
        py: Python<'py>,
        token: &str,
        requirement: Option<&Requirement>,
    ) -> PyResult<Bound<'py, PyAny>> {
        wait(py, self.verification(py, token, requirement)?)
    }

    /// Decides what the caller of a verified token may do: the token, which then knows the groups
    /// that the requirement hangs on; or a future of the running loop.
    fn permit<'py>(
        &self,
        py: Python<'py>,
        token: &Token,
        requirement: &Requirement,
    ) -> PyResult<Bound<'py, PyAny>> {
        answer_or_future(py, self.permission(py, token, requirement)?)
    }

    /// Like `permit`, but waits. Not for the thread of an event loop.
    fn permit_blocking<'py>(
        &self,
        py: Python<'py>,
        token: &Token,
        requirement: &Requirement,
    ) -> PyResult<Bound<'py, PyAny>> {
        wait(py, self.permission(py, token, requirement)?)
    }

    /// Decides about a request by its route: the admission, or a future of the running loop.
    #[pyo3(signature = (method, target, headers, client=None, *, sent_as=None, websocket=false))]
    #[expect(
        clippy::too_many_arguments,
        reason = "half of them are named, and optional"
    )]
    fn admit<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        target: String,
        headers: &Bound<'py, PyAny>,
        client: Option<&str>,
        sent_as: Option<String>,
        websocket: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = RoutedRequest {
            method,
            target,
            headers,
            client,
            sent_as,
            websocket,
        };
        answer_or_future(py, self.admission(py, request)?)
    }

    /// Like `admit`, but waits. Not for the thread of an event loop.
    #[pyo3(signature = (method, target, headers, client=None, *, sent_as=None))]
    fn admit_blocking<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        target: String,
        headers: &Bound<'py, PyAny>,
        client: Option<&str>,
        sent_as: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = RoutedRequest {
            method,
            target,
            headers,
            client,
            sent_as,
            websocket: false,
        };
        wait(py, self.admission(py, request)?)
    }

    /// The metadata of a resource (RFC 9728), if the request is for such a document: status, fields
    /// and body. `path` is the one on the wire.
    #[pyo3(signature = (method, path, host=None))]
    fn describe<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        path: &str,
        host: Option<&str>,
    ) -> PyResult<Option<ResponseTuple<'py>>> {
        // A method that HTTP does not know is none of the three that are answered.
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::TRACE);
        let Some(response) = self.live(py)?.describe(&method, host, path) else {
            return Ok(None);
        };
        Ok(Some(receiver::describe(py, response)))
    }

    /// Takes what a provider sends to a receiver: status, fields and body of the answer, or a
    /// future of the running loop. `path` is the part below the receivers' own.
    #[pyo3(signature = (path, method, headers, body, client=None))]
    fn answer_receiver<'py>(
        &self,
        py: Python<'py>,
        path: &str,
        method: &str,
        headers: &Bound<'py, PyAny>,
        body: &[u8],
        client: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = SentRequest::read(path, method, headers, body, client)?;
        answer_or_future(py, request.send_to(self.live(py)?))
    }

    /// Like `answer_receiver`, but waits. Not for the thread of an event loop.
    #[pyo3(signature = (path, method, headers, body, client=None))]
    fn answer_receiver_blocking<'py>(
        &self,
        py: Python<'py>,
        path: &str,
        method: &str,
        headers: &Bound<'py, PyAny>,
        body: &[u8],
        client: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = SentRequest::read(path, method, headers, body, client)?;
        wait(py, request.send_to(self.live(py)?))
    }

    /// A future of the running loop that is done when the token is no longer good. Its result is
    /// the reason.
    fn wait_for_end<'py>(&self, py: Python<'py>, token: &Token) -> PyResult<Bound<'py, PyAny>> {
        let (gateway, token) = (self.live(py)?, token.access_token());
        answer_or_future(
            py,
            Box::pin(async move { gateway.wait_for_end(token).await }),
        )
    }

    /// Checks a verified token once more: whether it expired or was revoked since, or its issuer or
    /// its key is gone. Nothing is waited for but the store of revocations.
    fn recheck<'py>(&self, py: Python<'py>, token: &Token) -> PyResult<Bound<'py, PyAny>> {
        let (server, token) = (self.resource_server(py)?, token.access_token());
        wait(
            py,
            Box::pin(async move {
                let checked = server.recheck(&token).await;
                checked.map_err(|it| DenialResponse::new(it, &server, &HeaderMap::new()))
            }),
        )
    }

    /// Revokes tokens, in every replica that shares the store: `None`, or a future of the running
    /// loop.
    #[pyo3(signature = (
        *, token=None, issuer=None, subject=None, session=None, client=None, key=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "the keywords of Python")]
    fn revoke<'py>(
        &self,
        py: Python<'py>,
        token: Option<&Token>,
        issuer: Option<&str>,
        subject: Option<&str>,
        session: Option<&str>,
        client: Option<&str>,
        key: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let target = [subject, session, client, key];
        answer_or_future(py, self.revocation(py, token, issuer, target)?)
    }

    /// Like `revoke`, but waits. Not for the thread of an event loop.
    #[pyo3(signature = (
        *, token=None, issuer=None, subject=None, session=None, client=None, key=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "the keywords of Python")]
    fn revoke_blocking<'py>(
        &self,
        py: Python<'py>,
        token: Option<&Token>,
        issuer: Option<&str>,
        subject: Option<&str>,
        session: Option<&str>,
        client: Option<&str>,
        key: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let target = [subject, session, client, key];
        wait(py, self.revocation(py, token, issuer, target)?)
    }

    /// Whether a request carries any credential, good or bad.
    #[pyo3(signature = (headers, *, method=None, websocket=false))]
    fn sees_credential(
        &self,
        headers: &Bound<'_, PyAny>,
        method: Option<&str>,
        websocket: bool,
    ) -> PyResult<bool> {
        let server = self.resource_server(headers.py())?;
        let headers = request::headers(headers, method, websocket, &server)?;
        Ok(server.sees_credential(&headers))
    }

    /// Begins to fetch keys, so that the first request finds them.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let runtime = background(py)?.runtime;
        let _runtime = runtime.enter();
        self.resource_server(py)?.start();
        Ok(())
    }

    /// Whether the server can decide: for readiness probes.
    fn is_ready(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.resource_server(py)?.is_ready())
    }

    /// The figures of this process, in Prometheus' text format.
    fn metrics(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.live(py)?.metrics())
    }

    /// The endpoints of each issuer, from its metadata; without those that could not be had.
    fn endpoints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (server, runtime) = (self.resource_server(py)?, background(py)?.runtime);
        let metadata = py.detach(|| runtime.block_on(server.metadata()));
        let endpoints = PyDict::new(py);
        for (issuer, metadata) in metadata {
            if let Ok(metadata) = metadata {
                endpoints.set_item(issuer.as_str(), endpoints::of_browsers(py, &metadata)?)?;
            }
        }
        Ok(endpoints)
    }

    /// The trusted issuers.
    #[getter]
    fn issuers(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let status = self.resource_server(py)?.status();
        let issuers = status.keys.iter();
        Ok(issuers
            .map(|(issuer, _)| issuer.as_str().to_owned())
            .collect())
    }

    /// The `realm` of challenges.
    #[getter]
    fn realm(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.resource_server(py)?.realm().to_owned())
    }

    /// The names of the routes; the last one is for requests that no other matches.
    #[getter]
    fn routes(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.live(py)?.routes().map(str::to_owned).collect())
    }

    /// What can be used, but is hardly meant.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<Server for {}>", self.issuers(py)?.join(", ")))
    }
}
