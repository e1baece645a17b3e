//! The log on standard error.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Logs to standard error from this level on, unless `RUST_LOG` says otherwise: a server logs what
/// it does, a command only errors.
pub(crate) fn start(default_level: &str, json: bool) {
    let filter = match EnvFilter::try_from_default_env() {
        Ok(filter) => filter,
        // A wrong `RUST_LOG` is no reason to refuse to start, so it counts as unset.
        Err(_) => EnvFilter::new(default_level),
    };
    // Standard output carries the result alone, so that it can be piped.
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter);
    if json {
        lines.json().init();
    } else {
        lines.init();
    }
}
