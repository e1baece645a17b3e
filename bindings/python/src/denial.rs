//! A denial as an exception. The caller's words are in the exception; the operator's are in the log
//! `portcullis_auth`, under the same request id.

use portcullis_core::{ConfigErrors, Denial};
use portcullis_resource_server::DenialResponse;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAnyMethods as _, PyDict};
use pyo3::{Bound, Py, PyAny, PyErr, PyResult, Python};

const ERRORS: &str = "portcullis_auth._errors";
/// The levels of Python's `logging`.
const INFO: u8 = 20;
const WARNING: u8 = 30;

/// The exception for a denial.
pub(crate) fn exception(py: Python<'_>, response: DenialResponse) -> PyErr {
    match build(py, response) {
        Ok(exception) => PyErr::from_value(exception),
        // Whatever it is, it is an exception: nobody gets in.
        Err(error) => error,
    }
}

/// The exception for settings that cannot be used: all their faults.
pub(crate) fn config_error(py: Python<'_>, errors: &ConfigErrors) -> PyErr {
    static CONFIG_ERROR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = CONFIG_ERROR.import(py, ERRORS, "ConfigError");
    match class.and_then(|class| class.call1((errors.to_string(),))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

fn build(py: Python<'_>, response: DenialResponse) -> PyResult<Bound<'_, PyAny>> {
    static REFUSAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static OUTAGE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let denial = response.denial().clone();
    let (class, detail) = match &denial {
        Denial::Rejection(rejection) => {
            let class = REFUSAL.import(py, ERRORS, "Refusal")?;
            (class, rejection.code().entry().phrase)
        }
        Denial::Outage(outage) => {
            let class = OUTAGE.import(py, ERRORS, "Outage")?;
            (class, outage.code().phrase())
        }
    };
    let response = response.into_response::<Vec<u8>>();
    let headers = PyDict::new(py);
    let mut request_id = "";
    for (name, value) in response.headers() {
        let text = value.to_str().unwrap_or_default();
        match name.as_str() {
            // The body is the framework's.
            "content-type" => continue,
            "x-request-id" => request_id = text,
            _ => {}
        }
        headers.set_item(name.as_str(), text)?;
    }
    log(py, &denial, request_id)?;
    let status = response.status().as_u16();
    class.call1((status, denial.code(), detail, headers))
}

/// Tells the operator why, as the other doors do.
fn log(py: Python<'_>, denial: &Denial, request_id: &str) -> PyResult<()> {
    static LOGGER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let logger = LOGGER.import(py, ERRORS, "logger")?;
    let level = match denial {
        Denial::Rejection(_) => INFO,
        Denial::Outage(_) => WARNING,
    };
    // Facts cost something to write, and most logs leave refusals out.
    if !logger.call_method1("isEnabledFor", (level,))?.is_truthy()? {
        return Ok(());
    }
    let (outcome, facts, cure) = match denial {
        Denial::Rejection(rejection) => (
            "refused",
            rejection.facts().to_string(),
            rejection.code().entry().cure,
        ),
        Denial::Outage(outage) => (
            "no decision",
            outage.facts().to_owned(),
            outage.code().cure(),
        ),
    };
    let format = "%s: code=%s request_id=%s facts=%s cure=%s";
    let arguments = (
        level,
        format,
        outcome,
        denial.code(),
        request_id,
        facts,
        cure,
    );
    logger.call_method1("log", arguments)?;
    Ok(())
}
