//! `portcullis keys`: the key set of an identity provider as a server sees it.

use crate::api_metadata;
use crate::args::KeysArguments;
use crate::command::audit::{issuer, plain_http};
use crate::exit::{CommandError, Exit};
use crate::keys::{KeySetView, KeyWatch, json, page};
use crate::output::print;
use crate::reporter::Reporter;
use crate::stop::StopSignal;
use portcullis_core::Limits;
use portcullis_provider::inspect::Inspector;
use portcullis_resource_server::IssuerConfig;
use portcullis_resource_server::clock::{Clock, SystemClock};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) async fn run(arguments: KeysArguments) -> Result<Exit, CommandError> {
    let named = arguments.issuer.or(arguments.issuer_option);
    let url = match &arguments.resource_url {
        Some(api) => of_api(api, named.as_deref(), arguments.ca_file.as_deref()).await?,
        None => issuer(named)?,
    };
    let config = IssuerConfig {
        url,
        profile: arguments.profile,
        ca_file: arguments.ca_file,
        metadata_url: arguments.metadata_url,
        jwks_uri: arguments.jwks_uri,
        danger_plain_http: plain_http()?,
        ..IssuerConfig::default()
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let inspector = config.inspector(Limits::default(), Arc::clone(&clock))?;
    let view = KeySetView::fetch(&inspector).await;
    if arguments.watch {
        return watch(&inspector, view, arguments.every, arguments.json).await;
    }
    let usable = view.is_usable();
    print(&if arguments.json {
        format!("{:#}\n", json::document(&view))
    } else {
        page::page(&view)
    })?;
    Ok(if usable { Exit::Fine } else { Exit::Outage })
}

/// The provider that an API names. Of several, somebody has to choose one.
async fn of_api(
    api: &str,
    named: Option<&str>,
    ca_file: Option<&Path>,
) -> Result<String, CommandError> {
    let metadata = api_metadata::discover(api, ca_file).await?;
    let issuer = api_metadata::choose(&metadata, named)?;
    let note = format!("{} takes tokens of {issuer}.", metadata.resource);
    Reporter { quiet: false }.note(&note);
    Ok(issuer)
}

/// Prints the keys, and then a line for each change, until a signal stops it.
async fn watch(
    inspector: &Inspector,
    first: KeySetView,
    every: Option<Duration>,
    json: bool,
) -> Result<Exit, CommandError> {
    // Pinned outside the loop: a signal during a fetch must not be lost.
    let mut stopped = std::pin::pin!(StopSignal::listen()?.wait());
    let mut watch = KeyWatch::default();
    let mut view = first;
    loop {
        let wait = every.unwrap_or_else(|| view.next_fetch());
        for event in watch.step(&view) {
            print(&if json {
                format!("{}\n", event.as_json())
            } else {
                event.line()
            })?;
        }
        tokio::select! {
            () = inspector.clock().sleep(wait) => {}
            () = &mut stopped => return Ok(Exit::Fine),
        }
        view = KeySetView::fetch(inspector).await;
    }
}
