//! A server whose keys and time are fixed, for the conformance corpus.

use crate::denial;
use crate::server::Server;
use portcullis_core::Limits;
use portcullis_core::jose::Jwks;
use portcullis_core::token::NumericDate;
use portcullis_gateway::{Config, Settings};
use portcullis_resource_server::clock::TestClock;
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
    let config = Config::for_application(settings);
    let config = config.map_err(|errors| denial::config_error(py, &errors))?;
    let mut fixed = Vec::new();
    for (issuer, keys) in key_sets {
        let keys = Jwks::parse(keys.as_bytes(), &Limits::default())
            .map_err(|fault| PyValueError::new_err(fault.to_string()))?;
        fixed.push((issuer, keys));
    }
    let settings = move || {
        let mut settings = Settings::for_application(config.clone())?;
        for (issuer, keys) in &fixed {
            settings = settings.with_fixed_keys_of(issuer, keys);
        }
        Ok(settings)
    };
    let clock = TestClock::at(NumericDate::from_seconds(now));
    let server = Server::with_clock(Box::new(settings), Arc::new(clock));
    server.map_err(|errors| denial::config_error(py, &errors))
}
