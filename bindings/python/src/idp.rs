//! The development identity provider inside the process: for tests, never for production.

use crate::background::background;
use crate::denial;
use crate::process::ProcessValue;
use crate::server::renew_servers;
use portcullis_idp::{Idp as RustIdp, IdpConfig};
use pyo3::{PyResult, Python, pyclass, pymethods};
use std::sync::{Mutex, PoisonError};

/// A development identity provider, on loopback.
#[pyclass(frozen, module = "portcullis_auth", name = "_Idp")]
pub(crate) struct Idp {
    issuer: String,
    audience: String,
    running: Mutex<Option<ProcessValue<RustIdp>>>,
}

#[pymethods]
impl Idp {
    /// Starts a provider with these settings, and waits until it listens.
    #[new]
    fn new(py: Python<'_>, settings: &str) -> PyResult<Self> {
        let runtime = background(py)?.runtime;
        let started = py.detach(|| {
            let config = IdpConfig::from_toml(settings)?;
            runtime.block_on(RustIdp::start(config))
        });
        let idp = started.map_err(|errors| denial::config_error(py, &errors))?;
        Ok(Self {
            issuer: idp.issuer().as_str().to_owned(),
            audience: idp.audience().to_owned(),
            running: Mutex::new(Some(ProcessValue::new(idp))),
        })
    }

    /// The issuer identifier.
    #[getter]
    fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The audience of tokens for which none is asked.
    #[getter]
    fn audience(&self) -> &str {
        &self.audience
    }

    /// Has the servers of this process that trust it begin anew, as after a restart.
    fn renew_servers(&self, _py: Python<'_>) {
        renew_servers(&self.issuer);
    }

    /// Stops it. In a child of a fork nothing happens: the parent's goes on.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(idp) = running.and_then(ProcessValue::into_inner) {
            let runtime = background(py)?.runtime;
            py.detach(|| runtime.block_on(idp.shutdown()));
        }
        Ok(())
    }
}
