//! `portcullis serve`: runs the gateway until a signal stops it.

use crate::args::ServeArguments;
use crate::command::config::settings;
use crate::exit::{CommandError, Exit};
use crate::logging;
use crate::stop::StopSignal;
use portcullis_gateway::{Gateway, watch};

pub(crate) async fn run(arguments: ServeArguments) -> Result<Exit, CommandError> {
    let settings = settings(&arguments.config)?;
    // Faults of the settings are for a person; the log, which may be JSON, begins after them.
    logging::start(
        tracing::level_filters::LevelFilter::INFO,
        settings.log_is_json(),
    );
    let gateway = Gateway::bind(settings).await?;
    for (door, address) in [
        ("proxy", gateway.address()),
        ("forward-auth", gateway.forward_auth_address()),
        ("ext_authz", gateway.ext_authz_address()),
        ("admin", gateway.admin_address()),
    ] {
        if let Some(address) = address {
            tracing::info!(door, %address, "the gateway listens");
        }
    }
    let stop = StopSignal::listen()?;
    let watching = tokio::spawn(watch(gateway.handle(), arguments.config));
    gateway.run(stop.wait()).await;
    watching.abort();
    tracing::info!("stopped");
    Ok(Exit::Fine)
}
