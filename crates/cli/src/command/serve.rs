//! `portcullis serve`: the gateway, until it is told to stop.

use crate::args::ServeArguments;
use crate::command::config::settings;
use crate::exit::{Exit, Failure};
use crate::stop::Stop;
use portcullis_gateway::{Gateway, watch};

pub(crate) async fn run(arguments: ServeArguments) -> Result<Exit, Failure> {
    let settings = settings(&arguments.config)?;
    crate::log("info", settings.log_is_json());
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
    let stop = Stop::listen()?;
    let watching = tokio::spawn(watch(gateway.handle(), arguments.config));
    gateway.run(stop.told()).await;
    watching.abort();
    tracing::info!("stopped");
    Ok(Exit::Fine)
}
