//! A request that may not go on, as an exception. The caller's words are in the exception; the
//! operator's are in the log `portcullis_auth`, under the same request id.

use bytes::Bytes;
use http::Response;
use portcullis_core::rejection::quote;
use portcullis_core::{ConfigError, ConfigErrors, Denial};
use portcullis_gateway::TurnedAway;
use portcullis_resource_server::DenialResponse;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAnyMethods as _, PyBytes, PyDict};
use pyo3::{Bound, Py, PyAny, PyErr, PyResult, Python};

pub(crate) const ERRORS: &str = "portcullis_auth._errors";
/// The levels of Python's `logging`.
const DEBUG: u8 = 10;
pub(crate) const INFO: u8 = 20;
pub(crate) const WARNING: u8 = 30;

/// What is told about a denial.
struct Account {
    is_outage: bool,
    code: &'static str,
    detail: &'static str,
    facts: String,
    cure: &'static str,
    /// The verified caller, as further members of the line; empty if nobody is known.
    caller: String,
    /// Whether an audit record says the same, or a line about the whole outage.
    is_told: bool,
    response: Response<Bytes>,
}

/// The exception for a denied token.
pub(crate) fn of_response(py: Python<'_>, response: DenialResponse) -> PyErr {
    let (is_outage, detail, facts, cure) = match response.denial() {
        Denial::Rejection(rejection) => {
            let entry = rejection.code().entry();
            (
                false,
                entry.phrase,
                rejection.facts().to_string(),
                entry.cure,
            )
        }
        Denial::Outage(outage) => {
            let facts = outage.facts().to_owned();
            (true, outage.code().phrase(), facts, outage.cure())
        }
    };
    let account = Account {
        is_outage,
        code: response.denial().code(),
        detail,
        facts,
        cure,
        caller: caller(response.denial()),
        is_told: is_logged(response.denial()),
        response: response.into_response(),
    };
    exception(py, &account)
}

/// The exception for a request that its route turns away.
pub(crate) fn of_turned_away(py: Python<'_>, turned_away: TurnedAway) -> PyErr {
    let is_outage = matches!(turned_away.denial(), Some(Denial::Outage(_)));
    let account = Account {
        is_outage,
        code: turned_away.code(),
        detail: turned_away.phrase(),
        facts: turned_away.facts(),
        cure: turned_away.cure().unwrap_or("the request is at fault"),
        // Names of people go into the audit records only, as the settings say.
        caller: String::new(),
        is_told: turned_away.is_recorded() || turned_away.denial().is_some_and(is_logged),
        response: turned_away.into_response(),
    };
    exception(py, &account)
}

/// The exception for settings that cannot be used: all their faults.
pub(crate) fn config_error(py: Python<'_>, errors: &ConfigErrors) -> PyErr {
    config_error_of(py, errors.to_string())
}

/// The exception for one fault.
pub(crate) fn config_fault(py: Python<'_>, fault: &ConfigError) -> PyErr {
    config_error_of(py, fault.to_string())
}

pub(crate) fn config_error_of(py: Python<'_>, text: String) -> PyErr {
    static CONFIG_ERROR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = CONFIG_ERROR.import(py, ERRORS, "ConfigError");
    match class.and_then(|class| class.call1((text,))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

fn exception(py: Python<'_>, account: &Account) -> PyErr {
    match build(py, account) {
        Ok(exception) => PyErr::from_value(exception),
        // Whatever it is, it is an exception: nobody gets in.
        Err(error) => error,
    }
}

fn build<'py>(py: Python<'py>, account: &Account) -> PyResult<Bound<'py, PyAny>> {
    static REFUSAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static OUTAGE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = match account.is_outage {
        true => OUTAGE.import(py, ERRORS, "Outage")?,
        false => REFUSAL.import(py, ERRORS, "Refusal")?,
    };
    let headers = PyDict::new(py);
    let mut request_id = "";
    for (name, value) in account.response.headers() {
        let text = value.to_str().unwrap_or_default();
        match name.as_str() {
            // These belong to the body and to the connection, which are the framework's.
            "content-type" | "connection" => continue,
            "x-request-id" => request_id = text,
            _ => {}
        }
        headers.set_item(name.as_str(), text)?;
    }
    log(py, account, request_id)?;
    let status = account.response.status().as_u16();
    let problem = PyBytes::new(py, account.response.body());
    class.call1((status, account.code, account.detail, headers, problem))
}

/// The caller of a request that was refused after its token was verified.
fn caller(denial: &Denial) -> String {
    let mut text = String::new();
    if let Denial::Rejection(rejection) = denial
        && let Some(caller) = rejection.caller()
    {
        text.push_str(&format!(" issuer={}", quote(&caller.issuer)));
        for (name, value) in [("subject", &caller.subject), ("client", &caller.client)] {
            if let Some(value) = value {
                text.push_str(&format!(" {name}={}", quote(value)));
            }
        }
    }
    text
}

/// Whether the source of an outage logs it: as it begins, now and then, and as it ends.
fn is_logged(denial: &Denial) -> bool {
    matches!(denial, Denial::Outage(outage) if outage.is_logged())
}

/// Tells the operator why, as the other doors do.
fn log(py: Python<'_>, account: &Account, request_id: &str) -> PyResult<()> {
    static LOGGER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let logger = LOGGER.import(py, ERRORS, "logger")?;
    let (level, outcome) = match account.is_outage {
        true => (WARNING, "no decision"),
        false => (INFO, "refused"),
    };
    // Once is enough.
    let level = if account.is_told { DEBUG } else { level };
    // Most logs leave refusals out.
    if !logger
        .call_method1("isEnabledFor", (level,))?
        .is_truthy()?
    {
        return Ok(());
    }
    let format = "%s: code=%s request_id=%s facts=%s cure=%s%s";
    let (code, facts, cure) = (account.code, &*account.facts, account.cure);
    let caller = &*account.caller;
    let arguments = (
        level, format, outcome, code, request_id, facts, cure, caller,
    );
    logger.call_method1("log", arguments)?;
    Ok(())
}
