//! The endpoints of an issuer, as Python gets them.

use portcullis_resource_server::Metadata;
use pyo3::types::{PyAnyMethods as _, PyDict};
use pyo3::{Bound, PyResult, Python};

/// The endpoints that a page needs to sign in.
pub(super) fn of_browsers<'py>(
    py: Python<'py>,
    metadata: &Metadata,
) -> PyResult<Bound<'py, PyDict>> {
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
