//! `portcullis idp`: the development identity provider alone, and what can be done to a running
//! one.

mod page;
mod running;

use crate::args::{IdpAction, IdpArguments};
use crate::exit::{CommandError, Exit};
use crate::files;
use crate::output::{QUIET, paint, print};
use crate::stop::StopSignal;
use page::page;
use portcullis_idp::{Dialect, Idp, IdpConfig};
use std::net::Ipv4Addr;
use std::path::Path;

pub(crate) async fn run(arguments: IdpArguments) -> Result<Exit, CommandError> {
    match &arguments.action {
        Some(IdpAction::Rotate {
            overlap,
            same_kid,
            issuer,
        }) => running::rotate(issuer, *overlap, *same_kid).await,
        Some(IdpAction::Fault {
            switch,
            position,
            issuer,
        }) => running::fault(issuer, switch.as_deref(), position.as_deref()).await,
        None => start(arguments).await,
    }
}

async fn start(arguments: IdpArguments) -> Result<Exit, CommandError> {
    let has_own_config = arguments.config.is_some();
    let mut config = read_config(arguments.config.as_deref(), arguments.dialect)?;
    // An address that somebody chose is used, or is an error.
    config.free_port_if_taken |= arguments.listen.is_none() && !has_own_config;
    config.listen = arguments.listen.unwrap_or(config.listen);
    config.algorithm = arguments.algorithm.unwrap_or(config.algorithm);
    let idp = Idp::start(config).await?;
    // Heard before the page says how to stop it.
    let stop = StopSignal::listen()?;
    print(&page(&idp, has_own_config))?;
    stop.wait().await;
    drop(idp);
    print(&format!("\n  {}\n", paint(QUIET, "Stopped.")))?;
    Ok(Exit::Fine)
}

/// The settings of a file, or the default ones at the default port. An argument overrides the
/// provider to imitate.
///
/// # Errors
///
/// A file that cannot be read, and its faults.
pub(crate) fn read_config(
    file: Option<&Path>,
    dialect: Option<Dialect>,
) -> Result<IdpConfig, CommandError> {
    let config = match file {
        None => IdpConfig {
            listen: (Ipv4Addr::LOCALHOST, 9000).into(),
            ..IdpConfig::default()
        },
        Some(file) => {
            let text = files::read_text(file)?;
            IdpConfig::from_toml(&text).map_err(|errors| CommandError::in_file(file, errors))?
        }
    };
    Ok(IdpConfig {
        dialect: dialect.unwrap_or(config.dialect),
        ..config
    })
}
