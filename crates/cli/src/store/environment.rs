//! What the environment says about the token store.

use super::folder::Folder;
use super::open::{StoreEnvironment, StoreKind, open};
use super::tokens::TokenStore;
use crate::exit::CommandError;
use portcullis_core::rejection::quote;
use std::io::IsTerminal as _;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Opens the store that the argument names, or else `PORTCULLIS_TOKEN_STORE`; none if tokens are
/// not stored.
///
/// # Errors
///
/// A variable without meaning, a named store that cannot be used, and an existing one that cannot
/// be read.
pub(crate) async fn open_store(
    argument: Option<StoreKind>,
) -> Result<Option<Arc<TokenStore>>, CommandError> {
    let (kind, environment) = (store_kind(argument)?, read_environment()?);
    // On a thread that may block: a keyring may ask its user to unlock it.
    let opened = tokio::task::spawn_blocking(move || open(kind, &environment)).await;
    match opened {
        Ok(store) => Ok(store?.map(Arc::new)),
        Err(error) => Err(CommandError::could_not_run(error.to_string())),
    }
}

/// The folder of the store: `PORTCULLIS_STATE_DIR`, or the usual one.
///
/// # Errors
///
/// A user without a home folder.
pub(crate) fn state_folder() -> Result<Folder, CommandError> {
    match std::env::var_os("PORTCULLIS_STATE_DIR") {
        Some(path) if !path.is_empty() => Ok(Folder::at(path)),
        _ => Folder::of_this_user(),
    }
}

fn read_environment() -> Result<StoreEnvironment, CommandError> {
    let ci = std::env::var_os("CI").unwrap_or_default();
    Ok(StoreEnvironment {
        folder: state_folder()?,
        passphrase: passphrase()?,
        // Every CI service sets it; `false` is how one opts out.
        ci: !ci.is_empty() && ci != "false",
        prompt: prompt_for_passphrase,
    })
}

fn passphrase() -> Result<Option<Zeroizing<String>>, CommandError> {
    let Ok(passphrase) = std::env::var("PORTCULLIS_PASSPHRASE") else {
        return Ok(None);
    };
    if passphrase.trim().is_empty() {
        // Taken as unset, the key would silently end up in a file next to the tokens.
        let message = "PORTCULLIS_PASSPHRASE: expected a passphrase, found an empty value";
        return Err(
            CommandError::could_not_run(message).help("set it to the passphrase, or unset it")
        );
    }
    Ok(Some(Zeroizing::new(passphrase)))
}

fn store_kind(argument: Option<StoreKind>) -> Result<StoreKind, CommandError> {
    if let Some(kind) = argument {
        return Ok(kind);
    }
    let Ok(text) = std::env::var("PORTCULLIS_TOKEN_STORE") else {
        return Ok(StoreKind::default());
    };
    match <StoreKind as clap::ValueEnum>::from_str(text.trim(), true) {
        Ok(kind) => Ok(kind),
        Err(_) => Err(CommandError::could_not_run(format!(
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
