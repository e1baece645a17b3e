//! The log of the Rust side as records of Python's `logging`: keys that cannot be fetched, settings
//! that weaken security, a store that is gone. Denials are logged where they become exceptions.

use crate::background::Delivery;
use crate::denial::{ERRORS, INFO, WARNING};
use arc_swap::ArcSwapOption;
use pyo3::Python;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyAnyMethods as _;
use pyo3::{Py, PyAny};
use std::fmt::{self, Write as _};
use std::process;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

const ERROR: u8 = 40;
/// Where denials are logged on the Rust side.
const DENIALS: [&str; 3] = [
    "portcullis_resource_server::respond",
    "portcullis_gateway::refusal",
    "portcullis_gateway::telemetry::denial_log",
];
/// Where the warnings of settings are logged on the Rust side, before anything is delivered.
const SETTINGS: &str = "portcullis_resource_server::server::construction";

/// The thread that takes the GIL, and the process that it belongs to.
static DELIVERIES: ArcSwapOption<(u32, Sender<Delivery>)> = ArcSwapOption::const_empty();

/// Begins to listen. Without a thread that delivers, nothing is written.
pub(crate) fn install() {
    // The extension module has a `tracing` of its own, so nobody else has set a subscriber.
    _ = tracing_subscriber::registry()
        .with(PythonLog)
        .try_init();
}

/// Lets this thread write from now on.
pub(crate) fn deliver_by(deliveries: Sender<Delivery>) {
    DELIVERIES.store(Some(Arc::new((process::id(), deliveries))));
}

struct PythonLog;

impl<S: Subscriber> Layer<S> for PythonLog {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_event()
            && *metadata.level() <= Level::INFO
            && metadata.target().starts_with("portcullis")
            && !DENIALS.contains(&metadata.target())
            && metadata.target() != SETTINGS
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let Some(deliveries) = DELIVERIES.load_full() else {
            return;
        };
        // A child of a fork has no such thread yet.
        if deliveries.0 != process::id() {
            return;
        }
        let level = match *event.metadata().level() {
            Level::ERROR => ERROR,
            Level::WARN => WARNING,
            _ => INFO,
        };
        let mut line = Line::default();
        event.record(&mut line);
        _ = deliveries
            .1
            .send(Box::new(move |py| write(py, level, &line.0)));
    }
}

/// Writes a record of the package's logger.
pub(crate) fn write(py: Python<'_>, level: u8, text: &str) {
    static LOGGER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    // A log that cannot be written must not stop anything.
    if let Ok(logger) = LOGGER.import(py, ERRORS, "logger") {
        _ = logger.call_method1("log", (level, "%s", text));
    }
}

/// The message, and its fields behind it.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        _ = if field.name() == "message" {
            let fields = std::mem::take(&mut self.0);
            write!(self.0, "{value:?}{fields}")
        } else {
            write!(self.0, " {}={value:?}", field.name())
        };
    }
}
