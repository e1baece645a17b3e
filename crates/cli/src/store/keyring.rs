//! The key in the keyring of the operating system: Secret Service on Linux, Keychain on macOS, the
//! credential manager on Windows.
//!
//! What is kept there are 32 bytes, so no keyring's limit is met. A keyring may ask its user to
//! open it: for that there is a minute. It is asked on a thread of its own, as some block in ways
//! that an async runtime does not like.

use super::key::Key;
use crate::exit::{Exit, Failure};

/// Why the keyring did not give what was wanted.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There is none, or it cannot be reached from here.
    Unreachable(String),
    /// It answers, and there is no key of ours in it.
    #[cfg_attr(
        not(feature = "keyring"),
        expect(dead_code, reason = "without a keyring nothing is looked for")
    )]
    NoKey,
}

/// The key.
pub(super) fn find() -> Result<Key, Trouble> {
    let text = asked(platform::find)?;
    Key::from_text(&text)
        .ok_or_else(|| Trouble::Unreachable("what it holds is no key of ours".to_owned()))
}

/// Puts a key in.
pub(super) fn keep(key: &Key) -> Result<(), Trouble> {
    let text = key.to_text();
    asked(move || platform::keep(&text))
}

/// Takes the key out.
pub(super) fn forget() -> Result<(), Trouble> {
    asked(platform::forget)
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let (message, cure) = match trouble {
            Trouble::Unreachable(why) => (
                format!("the OS keyring cannot be used: {why}"),
                "open it in your desktop session; or pass `--store file`, or `--store none`",
            ),
            Trouble::NoKey => (
                "the OS keyring has lost the key of the token store".to_owned(),
                "restore the keyring; or `portcullis token clear --all` to begin anew",
            ),
        };
        Self::with_cure(Exit::CouldNotRun, message, cure)
    }
}

#[cfg(feature = "keyring")]
fn asked<T: Send + 'static>(
    question: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let (sender, answer) = std::sync::mpsc::channel();
    std::thread::spawn(move || _ = sender.send(question()));
    let late = |_| Trouble::Unreachable("it does not answer".to_owned());
    answer
        .recv_timeout(std::time::Duration::from_secs(60))
        .map_err(late)?
}

#[cfg(not(feature = "keyring"))]
fn asked<T>(question: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    question()
}

#[cfg(feature = "keyring")]
mod platform {
    use super::Trouble;
    use keyring_core::{Entry, Error};
    use zeroize::Zeroizing;

    pub(super) fn find() -> Result<Zeroizing<String>, Trouble> {
        entry()?.get_password().map(Zeroizing::new).map_err(trouble)
    }

    pub(super) fn keep(text: &str) -> Result<(), Trouble> {
        entry()?.set_password(text).map_err(trouble)
    }

    pub(super) fn forget() -> Result<(), Trouble> {
        entry()?.delete_credential().map_err(trouble)
    }

    fn entry() -> Result<Entry, Trouble> {
        if keyring_core::get_default_store().is_none() {
            #[cfg(all(unix, not(target_os = "macos")))]
            let store = zbus_secret_service_keyring_store::Store::new();
            #[cfg(target_os = "macos")]
            let store = apple_native_keyring_store::keychain::Store::new();
            #[cfg(windows)]
            let store = windows_native_keyring_store::Store::new();
            keyring_core::set_default_store(store.map_err(trouble)?);
        }
        Entry::new("portcullis", "token store").map_err(trouble)
    }

    fn trouble(error: Error) -> Trouble {
        match error {
            Error::NoEntry => Trouble::NoKey,
            // The others may hold what was found: only their kind is told.
            Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => {
                Trouble::Unreachable(cause.to_string())
            }
            _ => Trouble::Unreachable("it gives an answer that is not understood".to_owned()),
        }
    }
}

/// Built without any.
#[cfg(not(feature = "keyring"))]
mod platform {
    use super::Trouble;
    use zeroize::Zeroizing;

    pub(super) fn find() -> Result<Zeroizing<String>, Trouble> {
        Err(none())
    }

    pub(super) fn keep(_: &str) -> Result<(), Trouble> {
        Err(none())
    }

    pub(super) fn forget() -> Result<(), Trouble> {
        Err(none())
    }

    fn none() -> Trouble {
        Trouble::Unreachable("this program was built without it".to_owned())
    }
}
