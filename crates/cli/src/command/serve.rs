//! `portcullis serve`: runs the gateway until a signal stops it.

use crate::args::ServeArguments;
use crate::command::config::{SettingsSource, summary_page};
use crate::exit::{CommandError, Exit};
use crate::logging;
use crate::output::print_beside;
use crate::stop::StopSignal;
use portcullis_gateway::{Gateway, Overrides, Settings, watch_with};
use tracing::level_filters::LevelFilter;

pub(crate) async fn run(arguments: ServeArguments, verbose: bool) -> Result<Exit, CommandError> {
    let overrides = Overrides::default()
        .with_listen(arguments.listen)
        .with_upstream(arguments.upstream)
        .with_danger_plain_http(arguments.danger_plain_http);
    let source = SettingsSource::choose(arguments.config)?;
    let settings = source.read(&overrides)?;
    source.check_files(&settings)?;
    // Faults of the settings are for a person; the log, which may be JSON, begins after them.
    let level = if verbose {
        LevelFilter::DEBUG
    } else {
        LevelFilter::INFO
    };
    logging::start(level, settings.log_is_json());
    introduce(&source, &settings)?;
    let gateway = Gateway::bind(settings).await?;
    for (door, address) in [
        ("proxy", gateway.address()),
        ("forward-auth", gateway.forward_auth_address()),
        ("ext_authz", gateway.ext_authz_address()),
        ("receivers", gateway.receivers_address()),
        ("admin", gateway.admin_address()),
    ] {
        if let Some(address) = address {
            tracing::info!(door, %address, "the gateway listens");
        }
    }
    let stop = StopSignal::listen()?;
    let path = source.path().map(ToOwned::to_owned);
    let watching = tokio::spawn(watch_with(gateway.handle(), path, overrides));
    gateway.run(stop.wait()).await;
    watching.abort();
    tracing::info!("stopped");
    Ok(Exit::Fine)
}

/// Says by which settings the gateway goes: as a page, or as one event where the log is JSON.
fn introduce(source: &SettingsSource, settings: &Settings) -> Result<(), CommandError> {
    let from = match source.path() {
        Some(path) => path.display().to_string(),
        None => "the environment".to_owned(),
    };
    if settings.log_is_json() {
        // Counts and names, not the page: collectors index fields, and cut long ones.
        let summary = settings.summary();
        let labels = |title: &str| {
            let sections = summary.iter().filter(|section| section.title == title);
            let rows = sections.flat_map(|section| &section.rows);
            rows.map(|row| row.label.as_str()).collect::<Vec<_>>()
        };
        // The last one is the default, which nobody wrote.
        let routes = settings.routes().count().saturating_sub(1);
        tracing::info!(
            from,
            issuers = labels("Trusts").join(", "),
            outbound = labels("Leaves this machine").join(", "),
            routes,
            "settings"
        );
    } else {
        // Standard output is for audit records.
        print_beside(&format!("Settings of {from}\n{}\n", summary_page(settings)))?;
    }
    if let Some(warning) = source.ignored_variables() {
        tracing::warn!("{warning}");
    }
    Ok(())
}
