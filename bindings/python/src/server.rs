//! The resource server, as Python has it.

use crate::background::background;
use crate::denial;
use crate::pending::{self, Answer, PendingDecision};
use crate::request::{self, AccessRequest};
use crate::requirement::Requirement;
use crate::token::Token;
use portcullis_core::{ConfigErrors, Requirement as Demand};
use portcullis_resource_server::clock::{Clock, SystemClock};
use portcullis_resource_server::{Config, Metadata, ResourceServer, Settings};
use pyo3::types::{PyAnyMethods as _, PyDict};
use pyo3::{Bound, IntoPyObjectExt as _, PyAny, PyResult, Python, pyclass, pymethods};
use std::mem;
use std::process;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::runtime::Handle;

/// How long a blocking call waits before it looks for signals such as Ctrl-C.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(200);

static VALID_TOKEN: LazyLock<Arc<Demand>> = LazyLock::new(|| Arc::new(Demand::ValidToken));

/// A protected resource server: it trusts some issuers and decides about requests.
#[pyclass(frozen, module = "portcullis_auth")]
pub(crate) struct Server {
    settings: Settings,
    clock: Arc<dyn Clock>,
    live: Mutex<Option<LiveServer>>,
}

/// The server of one process.
struct LiveServer {
    process: u32,
    server: ResourceServer,
}

impl Server {
    pub(crate) fn with_clock(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self {
            settings,
            clock,
            live: Mutex::new(None),
        }
    }

    fn from_settings(py: Python<'_>, settings: Result<Settings, ConfigErrors>) -> PyResult<Self> {
        match settings {
            Ok(settings) => Ok(Self::with_clock(settings, Arc::new(SystemClock::new()))),
            Err(errors) => Err(denial::config_error(py, &errors)),
        }
    }

    /// The server of this process. After a fork it is another one: that of the parent may hold
    /// locks and connections of threads that do not exist here.
    fn live(&self) -> ResourceServer {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let process = process::id();
        match &*live {
            Some(own) if own.process == process => return own.server.clone(),
            _ => {}
        }
        let server = ResourceServer::with_clock(self.settings.clone(), Arc::clone(&self.clock));
        let own = LiveServer {
            process,
            server: server.clone(),
        };
        mem::forget(live.replace(own));
        server
    }

    fn request(
        &self,
        headers: &Bound<'_, PyAny>,
        query: Option<&str>,
        requirement: Option<&Requirement>,
        method: Option<&str>,
    ) -> PyResult<PendingDecision> {
        let server = self.live();
        let request = AccessRequest {
            headers: request::headers(headers, method, &server)?,
            server,
            query: query.map(str::to_owned),
            requirement: match requirement {
                Some(requirement) => requirement.demand(),
                None => Arc::clone(&VALID_TOKEN),
            },
        };
        Ok(Box::pin(request.decide()))
    }
}

#[pymethods]
impl Server {
    /// A server that trusts one issuer and accepts one audience.
    #[new]
    fn new(py: Python<'_>, issuer: &str, audience: &str) -> PyResult<Self> {
        Self::from_settings(py, Settings::new(issuer, audience))
    }

    /// A server as the environment and `.env` describe it.
    #[staticmethod]
    fn from_env(py: Python<'_>) -> PyResult<Self> {
        Self::from_settings(py, Config::from_env().and_then(Settings::try_from))
    }

    /// A server as a TOML document describes it.
    #[staticmethod]
    fn from_toml(py: Python<'_>, text: &str) -> PyResult<Self> {
        Self::from_settings(py, Config::from_toml(text).and_then(Settings::try_from))
    }

    /// Decides about a request: the token if that is known at once, else a future of the running
    /// loop.
    #[pyo3(signature = (headers, query=None, requirement=None, *, method=None))]
    fn decide<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyAny>,
        query: Option<&str>,
        requirement: Option<&Requirement>,
        method: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut decision = self.request(headers, query, requirement, method)?;
        let background = background(py)?;
        match py.detach(|| poll(&background.runtime, &mut decision)) {
            Poll::Ready(answer) => pending::token(py, answer)?.into_bound_py_any(py),
            Poll::Pending => pending::future(py, background, decision),
        }
    }

    /// Decides about a request, and waits for that. Not for the thread of an event loop.
    #[pyo3(signature = (headers, query=None, requirement=None, *, method=None))]
    fn decide_blocking(
        &self,
        py: Python<'_>,
        headers: &Bound<'_, PyAny>,
        query: Option<&str>,
        requirement: Option<&Requirement>,
        method: Option<&str>,
    ) -> PyResult<Token> {
        let mut decision = self.request(headers, query, requirement, method)?;
        let runtime = background(py)?.runtime;
        loop {
            match py.detach(|| wait(&runtime, &mut decision)) {
                Some(answer) => return pending::token(py, answer),
                None => py.check_signals()?,
            }
        }
    }

    /// Whether a request carries any credential, good or bad.
    #[pyo3(signature = (headers, *, method=None))]
    fn sees_credential(&self, headers: &Bound<'_, PyAny>, method: Option<&str>) -> PyResult<bool> {
        let server = self.live();
        let headers = request::headers(headers, method, &server)?;
        Ok(server.sees_credential(&headers))
    }

    /// Begins to fetch keys, so that the first request finds them.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let runtime = background(py)?.runtime;
        let _runtime = runtime.enter();
        self.live().start();
        Ok(())
    }

    /// Whether the server can decide: for readiness probes.
    fn is_ready(&self) -> bool {
        self.live().is_ready()
    }

    /// The endpoints of each issuer, from its metadata; without those that could not be had.
    fn endpoints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (server, runtime) = (self.live(), background(py)?.runtime);
        let metadata = py.detach(|| runtime.block_on(server.metadata()));
        let endpoints = PyDict::new(py);
        for (issuer, metadata) in metadata {
            if let Ok(metadata) = metadata {
                endpoints.set_item(issuer.as_str(), browser_endpoints(py, &metadata)?)?;
            }
        }
        Ok(endpoints)
    }

    /// The trusted issuers.
    #[getter]
    fn issuers(&self) -> Vec<String> {
        let status = self.live().status();
        let issuers = status.keys.iter();
        issuers
            .map(|(issuer, _)| issuer.as_str().to_owned())
            .collect()
    }

    /// What can be used, but is hardly meant.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        let warnings = self.settings.warnings().iter();
        warnings.map(ToString::to_string).collect()
    }

    fn __repr__(&self) -> String {
        format!("<Server for {}>", self.issuers().join(", "))
    }
}

/// Polls a decision once. Most are made by then: the token is known, or at least its key.
fn poll(runtime: &Handle, decision: &mut PendingDecision) -> Poll<Answer> {
    // Fetches begin here, and need a runtime to run on.
    let _runtime = runtime.enter();
    // Nobody is woken: a task polls a pending decision again.
    let mut context = Context::from_waker(Waker::noop());
    decision.as_mut().poll(&mut context)
}

/// Waits for a decision; `None` if it is not made yet.
fn wait(runtime: &Handle, decision: &mut PendingDecision) -> Option<Answer> {
    runtime.block_on(async {
        let answer = tokio::time::timeout(SIGNAL_INTERVAL, decision.as_mut());
        answer.await.ok()
    })
}

/// The endpoints that a page needs to sign in.
fn browser_endpoints<'py>(py: Python<'py>, metadata: &Metadata) -> PyResult<Bound<'py, PyDict>> {
    let endpoints = PyDict::new(py);
    for (name, url) in [
        ("authorization_endpoint", &metadata.authorization_endpoint),
        ("token_endpoint", &metadata.token_endpoint),
    ] {
        if let Some(url) = url {
            endpoints.set_item(name, url.as_str())?;
        }
    }
    Ok(endpoints)
}
