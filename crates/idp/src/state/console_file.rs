//! The file in which the console keeps users and clients that were added, changed or removed by
//! hand.
//!
//! It is read on top of the settings, and written as a whole. The settings themselves are never
//! written, because they belong to whoever wrote them, with their comments.

use crate::config::client::RegisteredClient;
use crate::config::toml_text::list;
use crate::config::user::User;
use crate::state::IdpState;
use crate::state::origin::Origin;
use portcullis_core::{ConfigError, ConfigErrors};
use serde::Deserialize;
use std::fs::OpenOptions;
use std::io;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

const HEAD: &str = "\
    # Written by the console of the development identity provider: users and clients\n\
    # that were added, changed or removed there. Read on top of the settings.\n";

/// What was changed by hand.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConsoleChanges {
    removed_users: Vec<String>,
    removed_clients: Vec<String>,
    #[serde(rename = "user")]
    users: Vec<User>,
    #[serde(rename = "client")]
    clients: Vec<RegisteredClient>,
}

impl ConsoleChanges {
    /// The changes in a file; none if it is missing.
    pub(crate) fn read(file: &Path) -> Result<Self, ConfigErrors> {
        let fault = |problem: String, cure: &str| {
            let problem = format!("{}: {problem}", file.display());
            ConfigError::wrong("console_file", problem)
                .help(cure)
                .into()
        };
        match std::fs::read_to_string(file) {
            Ok(text) => toml::from_str(&text).map_err(|error: toml::de::Error| {
                let cure = "correct the file, or remove it to begin with the settings alone";
                fault(error.message().to_owned(), cure)
            }),
            // The first start: the file comes with the first change.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(fault(error.to_string(), "name a file that can be read")),
        }
    }

    pub(crate) fn apply(self, state: &IdpState) {
        // Removed ones first: a name may have been removed, and added again later.
        for username in &self.removed_users {
            state.users.remove(username);
        }
        for id in &self.removed_clients {
            state.clients.remove(id);
        }
        for user in self.users {
            state.users.add(user);
        }
        for client in self.clients {
            state.clients.add(client, Origin::Console);
        }
    }
}

/// Held while the file is written.
static WRITING: Mutex<()> = Mutex::new(());

/// Writes the changes into the file of the settings, if they name one.
pub(crate) fn keep(state: &IdpState) -> Result<(), String> {
    let Some(file) = &state.config.console_file else {
        return Ok(());
    };
    // Read under the lock too: of two forms at once, the later write has the changes of both.
    let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let written = replace(file, &changes(state));
    written.map_err(|error| format!("{}: {error}", file.display()))
}

/// The changes as TOML.
fn changes(state: &IdpState) -> String {
    let mut text = HEAD.to_owned();
    // By name: the settings have them again at the next start.
    let configured = state.config.users.iter().map(|user| &user.username);
    let removed_users = configured.filter(|name| state.user(name).is_none());
    let configured = state.config.clients.iter().map(|client| &client.id);
    let removed_clients = configured.filter(|id| state.clients.get(id).is_none());
    for (name, removed) in [
        ("removed_users", removed_users.cloned().collect::<Vec<_>>()),
        ("removed_clients", removed_clients.cloned().collect()),
    ] {
        if !removed.is_empty() {
            text.push_str(&format!("{name} = {}\n", list(&removed)));
        }
    }
    for (user, origin) in state.users.all() {
        if origin == Origin::Console {
            text.push_str(&format!("\n{}", user.toml()));
        }
    }
    for (client, origin) in state.clients.with_origins() {
        if origin == Origin::Console {
            text.push_str(&format!("\n{}", client.toml()));
        }
    }
    text
}

/// All users and clients of the settings and the console, as the settings write them.
pub(crate) fn settings(state: &IdpState) -> String {
    let mut tables: Vec<String> = state
        .users
        .all()
        .iter()
        .map(|(user, _)| user.toml())
        .collect();
    for (client, origin) in state.clients.with_origins() {
        // A client that registers itself does so again.
        if origin != Origin::Registration {
            tables.push(client.toml());
        }
    }
    // The command reads `${` as a variable of the environment.
    tables.join("\n").replace("${", "$${")
}

/// Replaces a file as a whole, so that a crash leaves the old one or the new one.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    // In the same folder: a rename works within one file system only.
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    // One that a crash left behind goes first. The mode below counts for new files alone, and a
    // link of that name must not lead the passwords elsewhere.
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    // It has passwords and secrets: for its owner only.
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.open(&new)?;
    written.write_all(text.as_bytes())?;
    // Before the rename, or a crash could leave an empty file under the name of the good one.
    written.sync_all()?;
    std::fs::rename(new, file)
}
