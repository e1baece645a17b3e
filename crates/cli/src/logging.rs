//! The log on standard error.

use std::io::IsTerminal as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// The log of a command: errors; with `--verbose`, what this program itself says about its work,
/// such as the causes of an error.
pub(crate) fn start_command(verbose: bool) {
    if !verbose || std::env::var_os("RUST_LOG").is_some_and(|wanted| !wanted.is_empty()) {
        return start(LevelFilter::ERROR, false);
    }
    // Not the libraries': theirs would bury it.
    let filter = Targets::new().with_target("portcullis", LevelFilter::DEBUG);
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // A person reads it at once: times and modules would only push the text aside.
        .without_time()
        .with_target(false);
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
}

/// Logs to standard error from this level on, unless `RUST_LOG` says otherwise: a server logs what
/// it does, a command only errors.
pub(crate) fn start(default_level: LevelFilter, json: bool) {
    // A wrong `RUST_LOG` is no reason to refuse to start, so it counts as unset.
    let wanted = std::env::var("RUST_LOG").ok();
    let filter = wanted
        .filter(|text| !text.is_empty())
        .and_then(|text| text.parse().ok());
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(default_level));
    // Standard output carries the result alone, so that it can be piped.
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = if json {
        lines.json().boxed()
    } else {
        lines.boxed()
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
}
