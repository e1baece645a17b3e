//! What the environment says about the token store.

use super::folder::Folder;
use super::open::{StoreKind, open};
use super::tokens::TokenStore;
use crate::exit::Failure;
use portcullis_core::rejection::quote;
use std::io::IsTerminal as _;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What is needed to open a store.
pub(super) struct StoreEnvironment {
    pub(super) folder: Folder,
    /// `PORTCULLIS_PASSPHRASE`.
    pub(super) passphrase: Option<Zeroizing<String>>,
    /// Whether this is a CI machine.
    pub(super) ci: bool,
    /// Asks the person at the terminal, if any, for the passphrase.
    pub(super) prompt: fn() -> Option<Zeroizing<String>>,
}

impl StoreEnvironment {
    fn read() -> Result<Self, Failure> {
        let ci = std::env::var_os("CI").unwrap_or_default();
        Ok(Self {
            folder: state_folder()?,
            passphrase: passphrase()?,
            ci: !ci.is_empty() && ci != "false",
            prompt: prompt_for_passphrase,
        })
    }
}

/// Opens the store that the argument names, or else `PORTCULLIS_TOKEN_STORE`; none if tokens are
/// not stored.
///
/// # Errors
///
/// A variable without meaning, a named store that cannot be used, and an existing one that cannot
/// be read.
pub(crate) async fn open_store(
    argument: Option<StoreKind>,
) -> Result<Option<Arc<TokenStore>>, Failure> {
    let (kind, environment) = (store_kind(argument)?, StoreEnvironment::read()?);
    // On a thread that may block: a keyring may ask its user to unlock it.
    let opened = tokio::task::spawn_blocking(move || open(kind, &environment)).await;
    match opened {
        Ok(store) => Ok(store?.map(Arc::new)),
        Err(error) => Err(Failure::could_not_run(error.to_string())),
    }
}

/// The folder of the store: `PORTCULLIS_STATE_DIR`, or the usual one.
///
/// # Errors
///
/// A user without a home folder.
pub(crate) fn state_folder() -> Result<Folder, Failure> {
    match std::env::var_os("PORTCULLIS_STATE_DIR") {
        Some(path) if !path.is_empty() => Ok(Folder::at(path)),
        _ => Folder::of_this_user(),
    }
}

fn passphrase() -> Result<Option<Zeroizing<String>>, Failure> {
    let Ok(passphrase) = std::env::var("PORTCULLIS_PASSPHRASE") else {
        return Ok(None);
    };
    if passphrase.trim().is_empty() {
        // Taken as unset, the key would silently end up in a file next to the tokens.
        let message = "PORTCULLIS_PASSPHRASE: expected a passphrase, found an empty value";
        return Err(Failure::could_not_run(message).help("set it to the passphrase, or unset it"));
    }
    Ok(Some(Zeroizing::new(passphrase)))
}

fn store_kind(argument: Option<StoreKind>) -> Result<StoreKind, Failure> {
    if let Some(kind) = argument {
        return Ok(kind);
    }
    let Ok(text) = std::env::var("PORTCULLIS_TOKEN_STORE") else {
        return Ok(StoreKind::default());
    };
    match <StoreKind as clap::ValueEnum>::from_str(text.trim(), true) {
        Ok(kind) => Ok(kind),
        Err(_) => Err(Failure::could_not_run(format!(
            "PORTCULLIS_TOKEN_STORE: expected auto, keyring, file or none, found {}",
            quote(&text)
        ))),
    }
}

fn prompt_for_passphrase() -> Option<Zeroizing<String>> {
    // Without a terminal the prompt would block a script for ever.
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let answer = rpassword::prompt_password("Passphrase of the token store: ").ok()?;
    let passphrase = Zeroizing::new(answer);
    (!passphrase.trim().is_empty()).then_some(passphrase)
}
