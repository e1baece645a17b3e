//! `portcullis keys`: the key set of an identity provider as a server sees it.

use crate::args::KeysArguments;
use crate::command::audit::{issuer, plain_http};
use crate::exit::{Exit, Failure};
use crate::keys::{Look, Watch, page, table};
use crate::output::print;
use crate::stop::StopSignal;
use portcullis_core::Limits;
use portcullis_provider::inspect::Inspector;
use portcullis_resource_server::IssuerConfig;
use portcullis_resource_server::clock::{Clock, SystemClock};
use std::sync::Arc;
use std::time::Duration;

pub(crate) async fn run(arguments: KeysArguments) -> Result<Exit, Failure> {
    let written = IssuerConfig {
        url: issuer(arguments.issuer)?,
        profile: arguments.profile,
        ca_file: arguments.ca_file,
        metadata_url: arguments.metadata_url,
        jwks_uri: arguments.jwks_uri,
        danger_plain_http: plain_http()?,
        ..IssuerConfig::default()
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let inspector = written.inspector(Limits::default(), Arc::clone(&clock))?;
    let look = Look::at(&inspector).await;
    if arguments.watch {
        return watch(&inspector, look, arguments.every, arguments.json).await;
    }
    let usable = look.is_usable();
    print(&if arguments.json {
        format!("{:#}\n", table::document(&look))
    } else {
        page::page(&look)
    })?;
    Ok(if usable { Exit::Fine } else { Exit::Outage })
}

/// The keys, and then a line for each change, until it is told to stop.
async fn watch(
    inspector: &Inspector,
    first: Look,
    every: Option<Duration>,
    json: bool,
) -> Result<Exit, Failure> {
    let mut stopped = std::pin::pin!(StopSignal::listen()?.wait());
    let mut watch = Watch::default();
    let mut look = first;
    loop {
        let wait = every.unwrap_or_else(|| look.next_fetch());
        for event in watch.step(&look) {
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
        look = Look::at(inspector).await;
    }
}
