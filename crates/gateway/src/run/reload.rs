//! Files that change: the settings, the policies and the certificates, looked at every two seconds
//! and on SIGHUP.
//!
//! Looking at the content needs no notification, and sees what notifications miss: a mounted volume
//! whose links are exchanged, a network file system, an editor that writes a new file. A file that
//! cannot be used changes nothing, and the log says why; the gateway goes on as before.

use crate::config::Config;
use crate::decision::cedar::{PolicyFile, policy_files};
use crate::run::gateway::{Handle, supervisor};
use crate::settings::Settings;
use portcullis_core::{ConfigError, ConfigErrors};
use sd_notify::NotifyState;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

const PAUSE: Duration = Duration::from_secs(2);
/// No settings are larger.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Reads settings from a file.
///
/// # Errors
///
/// A file that cannot be read, and everything that is wrong with what it says.
pub fn read(path: &Path) -> Result<Settings, ConfigErrors> {
    Config::from_toml(&text(path)?)?.try_into()
}

/// The text of a settings file.
///
/// # Errors
///
/// A file that cannot be read, or is too large.
pub fn text(path: &Path) -> Result<String, ConfigErrors> {
    let fault = |problem: &str| {
        let help = "name a file with `--config`; `portcullis config init` writes one to begin with";
        let problem = format!("the settings file cannot be read: {problem}");
        ConfigErrors::from(ConfigError::wrong(path.display().to_string(), problem).help(help))
    };
    match std::fs::metadata(path) {
        Ok(found) if found.len() > MOST_BYTES => Err(fault("it is larger than 4 MiB")),
        Ok(_) => std::fs::read_to_string(path).map_err(|error| fault(&error.to_string())),
        Err(error) => Err(fault(&error.to_string())),
    }
}

/// Watches the settings file and the files of TLS for as long as the gateway runs. Needs a Tokio
/// runtime.
///
/// SIGHUP is caught from the call on, not only once the future is polled: whoever is told that the
/// gateway is ready may ask it to reload at once, and an uncaught SIGHUP would end it.
pub fn watch(handle: Handle, path: PathBuf) -> impl Future<Output = ()> + Send + 'static {
    // Without signals there is still the file to look at.
    let hangup = signal(SignalKind::hangup()).ok();
    watch_with(hangup, handle, path)
}

async fn watch_with(mut hangup: Option<Signal>, handle: Handle, path: PathBuf) {
    let settings = text(&path).ok().map(Written::read);
    let mut watched = Watched {
        settings,
        certificates: Vec::new(),
        handle,
        path,
    };
    watched.certificates = watched.contents();
    let clock = Arc::clone(watched.handle.shared().clock());
    loop {
        let forced = tokio::select! {
            () = clock.sleep(PAUSE) => false,
            () = hung_up(hangup.as_mut()) => true,
        };
        if forced && let Ok(now) = NotifyState::monotonic_usec_now() {
            supervisor(&[NotifyState::Reloading, now]);
        }
        watched.look(forced).await;
        if let Some(audit) = watched
            .handle
            .shared()
            .telemetry()
            .audit
            .as_ref()
            .filter(|_| forced)
        {
            audit.reopen();
        }
        if forced {
            supervisor(&[NotifyState::Ready]);
        }
    }
}

async fn hung_up(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            _ = signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

struct Watched {
    handle: Handle,
    path: PathBuf,
    /// What was last tried, good or bad.
    settings: Option<Written>,
    certificates: Vec<Option<Vec<u8>>>,
}

/// The settings, and the policies that they name.
#[derive(PartialEq, Eq)]
struct Written {
    text: String,
    policies: Vec<PolicyFile>,
}

impl Written {
    fn read(text: String) -> Self {
        let config = Config::from_toml(&text).ok();
        let cedar = config
            .as_ref()
            .and_then(|config| config.gateway.cedar.as_ref());
        let policies = cedar
            .map(|cedar| policy_files(&cedar.policies))
            .unwrap_or_default();
        Self { text, policies }
    }
}

impl Watched {
    /// Looks at the files, and takes what has changed into use; all of it if `forced`.
    async fn look(&mut self, forced: bool) {
        match text(&self.path).map(Written::read) {
            Ok(written) if forced || self.settings.as_ref() != Some(&written) => {
                let applied = match Config::from_toml(&written.text).and_then(Settings::try_from) {
                    Ok(settings) => self.handle.reload(settings).await,
                    Err(errors) => Err(errors),
                };
                self.said("settings", applied);
                self.settings = Some(written);
            }
            Ok(_) => {}
            // Said once: an editor may be at it.
            Err(errors) if forced || self.settings.take().is_some() => {
                self.said("settings", Err(errors));
            }
            Err(_) => {}
        }
        let certificates = self.contents();
        if forced || certificates != self.certificates {
            self.certificates = certificates;
            if !self.handle.shared().tls().is_empty() {
                self.said("certificates", self.handle.reload_certificates());
            }
        }
    }

    fn said(&self, what: &str, result: Result<(), ConfigErrors>) {
        self.handle
            .shared()
            .telemetry()
            .meters
            .reloaded(what, result.is_ok());
        match result {
            Ok(()) => tracing::info!("the {what} were read again and are in use"),
            Err(errors) => {
                tracing::error!(%errors, "the {what} cannot be used; the ones before stay in use");
            }
        }
    }

    fn contents(&self) -> Vec<Option<Vec<u8>>> {
        let settings = self.handle.shared().tls().iter().map(|tls| tls.settings());
        let files = settings.flat_map(|settings| {
            [
                Some(&settings.certificate),
                Some(&settings.key),
                settings.client_authorities.as_ref(),
            ]
        });
        files
            .flatten()
            .map(|file| std::fs::read(file).ok())
            .collect()
    }
}
