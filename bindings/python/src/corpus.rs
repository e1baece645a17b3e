//! A server whose keys and time are fixed, for the conformance corpus.

use crate::denial;
use crate::server::Server;
use portcullis_core::jose::Jwks;
use portcullis_core::token::NumericDate;
use portcullis_core::{ConfigErrors, Limits};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, Settings};
use pyo3::exceptions::PyValueError;
use pyo3::{PyResult, Python, pyfunction};
use std::collections::HashMap;
use std::sync::Arc;

/// A server with these settings, with these key sets by issuer, at this time. For tests.
#[pyfunction(name = "_corpus_server")]
pub(crate) fn corpus_server(
    py: Python<'_>,
    settings: &str,
    key_sets: HashMap<String, String>,
    now: i64,
) -> PyResult<Server> {
    let settings: Result<Settings, ConfigErrors> =
        Config::from_toml(settings).and_then(Settings::try_from);
    let mut settings = settings.map_err(|errors| denial::config_error(py, &errors))?;
    for (issuer, keys) in key_sets {
        let keys = Jwks::parse(keys.as_bytes(), &Limits::default())
            .map_err(|fault| PyValueError::new_err(fault.to_string()))?;
        settings = settings.with_fixed_keys_of(&issuer, &keys);
    }
    let clock = TestClock::at(NumericDate::from_seconds(now));
    Ok(Server::with_clock(settings, Arc::new(clock)))
}
