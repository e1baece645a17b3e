//! `portcullis idp`: the development identity provider alone, and what can be done to a running
//! one.

mod init;
mod page;
mod running;

use crate::args::{IdpAction, IdpArguments};
use crate::command::config::failure;
use crate::exit::{CommandError, Exit};
use crate::files;
use crate::output::{QUIET, paint, print};
use crate::stop::StopSignal;
use page::{addresses, page};
use portcullis_core::{ConfigErrors, Faults};
use portcullis_idp::{Dialect, Idp, IdpConfig};
use portcullis_resource_server::config::Document;
use std::net::Ipv4Addr;
use std::path::Path;

pub(crate) async fn run(arguments: IdpArguments) -> Result<Exit, CommandError> {
    match &arguments.action {
        Some(IdpAction::Rotate {
            overlap,
            same_kid,
            target,
        }) => running::rotate(target, *overlap, *same_kid).await,
        Some(IdpAction::Fault {
            switch,
            position,
            target,
        }) => running::fault(target, switch.as_deref(), position.as_deref()).await,
        Some(IdpAction::Init { config }) => init::run(config),
        Some(IdpAction::Schema) => {
            print(&portcullis_idp::schema())?;
            Ok(Exit::Fine)
        }
        None => start(arguments).await,
    }
}

async fn start(arguments: IdpArguments) -> Result<Exit, CommandError> {
    let has_own_config = arguments.config.is_some();
    let mut config = read_config(arguments.config.as_deref(), arguments.dialect)?;
    // An address that somebody chose is used, or is an error.
    config.free_port_if_taken &= arguments.listen.is_none();
    config.listen = arguments.listen.unwrap_or(config.listen);
    config.algorithm = arguments.algorithm.unwrap_or(config.algorithm);
    config.console_file = arguments.keep.or(config.console_file);
    let idp = Idp::start(config).await?;
    // Heard before the page says how to stop it.
    let stop = StopSignal::listen()?;
    if arguments.json {
        // A program reads it: one line, and nothing after it.
        print(&format!("{}\n", addresses(&idp)))?;
        stop.wait().await;
        return Ok(Exit::Fine);
    }
    print(&page(&idp, has_own_config))?;
    stop.wait().await;
    drop(idp);
    print(&format!("\n  {}\n", paint(QUIET, "Stopped.")))?;
    Ok(Exit::Fine)
}

/// The settings of a file, or the default ones; at the default port, unless the file has another.
/// An argument overrides the provider to imitate.
///
/// # Errors
///
/// A file that cannot be read, and its faults.
pub(crate) fn read_config(
    file: Option<&Path>,
    dialect: Option<Dialect>,
) -> Result<IdpConfig, CommandError> {
    let mut config = match file {
        None => at_default_port(IdpConfig::default()),
        Some(file) => {
            let text = files::read_text(file)?;
            let config = read_document(&text);
            let config = config.map_err(|errors| failure(file, &text, &errors))?;
            match has_address(&text) {
                true => config,
                false => at_default_port(config),
            }
        }
    };
    config.dialect = dialect.unwrap_or(config.dialect);
    Ok(config)
}

/// The settings of a document, or every fault of them: of form and of meaning.
pub(crate) fn read_document(text: &str) -> Result<IdpConfig, ConfigErrors> {
    let part = Document::parse(text)?.read_other::<IdpConfig>("portcullis idp schema");
    let faults = Faults::default();
    faults.note(part.value.check());
    // A fault of meaning that only follows from a fault of form is left out.
    part.origin.judge(&faults)?;
    Ok(part.value)
}

/// Whether a file says where to listen. Port 0 is an address that somebody may choose.
fn has_address(text: &str) -> bool {
    let table = text.parse::<toml::Table>();
    table.is_ok_and(|table| table.contains_key("listen"))
}

fn at_default_port(config: IdpConfig) -> IdpConfig {
    IdpConfig {
        listen: (Ipv4Addr::LOCALHOST, 9000).into(),
        free_port_if_taken: true,
        ..config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_address_gets_the_default_port() {
        let folder = std::env::temp_dir().join(format!("idp-address-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("idp.toml");
        for (text, port, may_move) in [
            ("", 9000, true),
            ("algorithm = \"ES256\"", 9000, true),
            ("listen = \"127.0.0.1:0\"", 0, false),
            ("listen = \"127.0.0.1:9001\"", 9001, false),
        ] {
            std::fs::write(&file, text).unwrap();
            let config = read_config(Some(&file), None).unwrap();
            let found = (config.listen.port(), config.free_port_if_taken);
            assert_eq!(found, (port, may_move), "{text}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
