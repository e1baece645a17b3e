//! The key in the keyring of the operating system: Secret Service on Linux, Keychain on macOS, the
//! credential manager on Windows.
//!
//! The entry holds 32 bytes, so no keyring's size limit matters. A keyring may ask its user to
//! unlock it; it gets a minute for that. It is called on a thread of its own, since some block in
//! ways that an async runtime cannot handle.

use super::key::StoreKey;
use crate::exit::CommandError;

/// Why the keyring did not do what it was asked to.
#[derive(Debug)]
pub(super) enum KeyringError {
    /// There is no keyring, or it cannot be reached from here.
    Unreachable(String),
    /// This program was built without that feature.
    #[cfg_attr(
        any(
            feature = "secret-service",
            all(feature = "keyring", any(target_os = "macos", windows))
        ),
        expect(dead_code, reason = "with a keyring nothing is missing")
    )]
    Missing(&'static str),
    /// It works, and our key is not in it.
    #[cfg_attr(
        not(any(
            feature = "secret-service",
            all(feature = "keyring", any(target_os = "macos", windows))
        )),
        expect(dead_code, reason = "without a keyring nothing is looked up")
    )]
    NoKey,
}

/// Looks up the key.
pub(super) fn find() -> Result<StoreKey, KeyringError> {
    let text = platform::run(platform::find)?;
    match StoreKey::from_text(&text) {
        Some(key) => Ok(key),
        // Treated as unreachable, so that an entry of another program is not overwritten.
        None => Err(KeyringError::Unreachable(
            "its entry for portcullis does not hold a key".to_owned(),
        )),
    }
}

/// Stores a key.
pub(super) fn keep(key: &StoreKey) -> Result<(), KeyringError> {
    let text = key.to_text();
    platform::run(move || platform::keep(&text))
}

/// Deletes the key.
pub(super) fn forget() -> Result<(), KeyringError> {
    platform::run(platform::forget)
}

impl From<KeyringError> for CommandError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::Unreachable(reason) => Self::could_not_run(format!(
                "the OS keyring cannot be used: {reason}"
            ))
            .help("unlock it in your desktop session, or pass `--store file` or `--store none`"),
            KeyringError::Missing(feature) => Self::could_not_run(format!(
                "the OS keyring cannot be used: this program was built without `{feature}`"
            ))
            .help(format!(
                "build it with `cargo install --locked --path crates/cli --features {feature}`, \
                 or pass `--store file` or `--store none`"
            )),
            KeyringError::NoKey => {
                Self::could_not_run("the OS keyring no longer has the key of the token store")
                    .help("restore the keyring, or start over with `portcullis token clear --all`")
            }
        }
    }
}

#[cfg(any(
    feature = "secret-service",
    all(feature = "keyring", any(target_os = "macos", windows))
))]
mod platform {
    use super::KeyringError;
    use keyring_core::{Entry, Error};
    use zeroize::Zeroizing;

    pub(super) fn run<T: Send + 'static>(
        task: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let (sender, result) = std::sync::mpsc::channel();
        // The thread is never joined: a keyring that hangs must not keep the command from ending.
        std::thread::spawn(move || _ = sender.send(task()));
        match result.recv_timeout(std::time::Duration::from_secs(60)) {
            Ok(result) => result,
            Err(_) => Err(KeyringError::Unreachable(
                "it did not respond within a minute".to_owned(),
            )),
        }
    }

    pub(super) fn find() -> Result<Zeroizing<String>, KeyringError> {
        let password = entry()?.get_password().map_err(convert)?;
        Ok(Zeroizing::new(password))
    }

    pub(super) fn keep(text: &str) -> Result<(), KeyringError> {
        entry()?.set_password(text).map_err(convert)
    }

    pub(super) fn forget() -> Result<(), KeyringError> {
        entry()?.delete_credential().map_err(convert)
    }

    fn entry() -> Result<Entry, KeyringError> {
        // The default is process-wide; connecting again would ask the user twice.
        if keyring_core::get_default_store().is_none() {
            #[cfg(all(unix, not(target_os = "macos")))]
            let store = zbus_secret_service_keyring_store::Store::new();
            #[cfg(target_os = "macos")]
            let store = apple_native_keyring_store::keychain::Store::new();
            #[cfg(windows)]
            let store = windows_native_keyring_store::Store::new();
            keyring_core::set_default_store(store.map_err(convert)?);
        }
        Entry::new("portcullis", "token store").map_err(convert)
    }

    fn convert(error: Error) -> KeyringError {
        match error {
            Error::NoEntry => KeyringError::NoKey,
            Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => {
                KeyringError::Unreachable(cause.to_string())
            }
            // The text of other errors may contain what the keyring holds.
            _ => KeyringError::Unreachable("it returned an unexpected result".to_owned()),
        }
    }
}

/// A program that was built without the keyring of its system.
#[cfg(not(any(
    feature = "secret-service",
    all(feature = "keyring", any(target_os = "macos", windows))
)))]
mod platform {
    use super::KeyringError;
    use zeroize::Zeroizing;

    pub(super) fn run<T>(
        task: impl FnOnce() -> Result<T, KeyringError>,
    ) -> Result<T, KeyringError> {
        task()
    }

    pub(super) fn find() -> Result<Zeroizing<String>, KeyringError> {
        Err(unsupported_here())
    }

    pub(super) fn keep(_: &str) -> Result<(), KeyringError> {
        Err(unsupported_here())
    }

    pub(super) fn forget() -> Result<(), KeyringError> {
        Err(unsupported_here())
    }

    fn unsupported_here() -> KeyringError {
        let feature = if cfg!(target_os = "linux") {
            "secret-service"
        } else {
            "keyring"
        };
        KeyringError::Missing(feature)
    }
}
