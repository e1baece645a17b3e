//! Reloads the settings, the policies and the certificates: read every two seconds and on SIGHUP.
//!
//! Comparing contents needs no notifications, and sees what they miss: a mounted volume whose links
//! are swapped, a network file system, an editor that writes a new file. A file that cannot be used
//! changes nothing, and the log says why; the gateway goes on as before.

use crate::config::{Config, Overrides};
use crate::decision::cedar::{PolicyFile, policy_files};
use crate::run::gateway::{Handle, notify_systemd};
use crate::settings::Settings;
use crate::transport::file_setting::cure_of_io;
use portcullis_core::{ConfigError, ConfigErrors};
use sd_notify::NotifyState;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

const PAUSE: Duration = Duration::from_secs(2);
/// How often the log names a certificate that nobody renews.
const REMINDER: Duration = Duration::from_secs(24 * 60 * 60);
/// A larger file is refused before it is read.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Reads settings from a file.
///
/// # Errors
///
/// Returns that the file cannot be read, or all faults in it.
pub fn read(path: &Path) -> Result<Settings, ConfigErrors> {
    Config::from_toml(&text(path)?)?.try_into()
}

/// Reads the text of a settings file.
///
/// # Errors
///
/// Returns that the file cannot be read, or is too large.
pub fn text(path: &Path) -> Result<String, ConfigErrors> {
    match read_bounded(path) {
        Ok(text) => Ok(text),
        Err(error) => {
            let problem = format!("cannot read the settings file: {error}");
            Err(ConfigError::wrong(path.display().to_string(), problem)
                .help(cure(&error))
                .into())
        }
    }
}

/// What to do about a settings file that cannot be read.
fn cure(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => {
            "name a file with `--config`; `portcullis config init` writes a first one"
        }
        ErrorKind::InvalidData => "save the file as UTF-8, without a byte order mark",
        ErrorKind::FileTooLarge => "name the settings file with `--config`: this is another one",
        _ => cure_of_io(error),
    }
}

fn read_bounded(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > MOST_BYTES {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            "it is larger than 4 MiB",
        ));
    }
    std::fs::read_to_string(path)
}

/// Watches the settings file and the TLS files while the gateway runs. Needs a Tokio runtime.
///
/// SIGHUP is caught from this call on, not only once the future is polled. A supervisor may ask for
/// a reload as soon as the gateway is ready, and an uncaught SIGHUP would end the process.
pub fn watch(handle: Handle, path: PathBuf) -> impl Future<Output = ()> + Send + 'static {
    watch_with(handle, Some(path), Overrides::default())
}

/// The same, with settings in place of the file's. Without a file, the certificates are watched
/// alone, and SIGHUP reads them again.
pub fn watch_with(
    handle: Handle,
    path: Option<PathBuf>,
    overrides: Overrides,
) -> impl Future<Output = ()> + Send + 'static {
    // Without signals, changes of the file are still found.
    let hangup = signal(SignalKind::hangup()).ok();
    follow(hangup, FileWatcher::new(handle, path, overrides))
}

async fn follow(mut hangup: Option<Signal>, mut watcher: FileWatcher) {
    let clock = Arc::clone(watcher.handle.state().clock());
    loop {
        tokio::select! {
            () = clock.sleep(PAUSE) => {
                watcher.check(false).await;
                watcher.remind();
            }
            () = wait_for(hangup.as_mut()) => watcher.reload_on_signal().await,
        }
    }
}

/// Waits for a signal; for ever, if it cannot be received.
async fn wait_for(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            _ = signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Compares the files with the ones last read.
struct FileWatcher {
    handle: Handle,
    /// None where the settings are in no file.
    path: Option<PathBuf>,
    overrides: Overrides,
    /// The last settings that were tried, good or bad.
    settings: Option<SettingsText>,
    certificates: Vec<Option<Vec<u8>>>,
    /// When the log named certificates that expire.
    reminded: Duration,
}

/// The text of the settings, and of the policies that they name.
#[derive(PartialEq, Eq)]
struct SettingsText {
    text: String,
    policies: Vec<PolicyFile>,
}

impl SettingsText {
    fn read(path: &Path) -> Result<Self, ConfigErrors> {
        let text = text(path)?;
        // Faults are reported when the settings are applied. Until then there are no policies.
        let policies = match Config::from_toml(&text) {
            Ok(config) => match &config.gateway.cedar {
                Some(cedar) => policy_files(&cedar.policies),
                None => Vec::new(),
            },
            Err(_) => Vec::new(),
        };
        Ok(Self { text, policies })
    }
}

impl FileWatcher {
    fn new(handle: Handle, path: Option<PathBuf>, overrides: Overrides) -> Self {
        let read = path.as_deref().map(SettingsText::read);
        let certificates = read_certificates(&handle);
        let reminded = handle.state().clock().elapsed();
        Self {
            handle,
            path,
            overrides,
            settings: read.and_then(Result::ok),
            certificates,
            reminded,
        }
    }

    /// Reads everything again, and keeps systemd informed (`Type=notify-reload`).
    async fn reload_on_signal(&mut self) {
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            notify_systemd(&[NotifyState::Reloading, now]);
        }
        self.check(true).await;
        // `logrotate` sends SIGHUP after it moved the file.
        if let Some(audit) = &self.handle.state().telemetry().audit {
            audit.reopen();
        }
        notify_systemd(&[NotifyState::Ready]);
    }

    /// Names certificates that expire, once a day.
    fn remind(&mut self) {
        let now = self.handle.state().clock().elapsed();
        if now.saturating_sub(self.reminded) >= REMINDER {
            self.handle.state().warn_of_expiry();
            self.reminded = now;
        }
    }

    /// Reads the files, and takes what has changed into use; all of it if `forced`.
    async fn check(&mut self, forced: bool) {
        match self.path.as_deref().map(SettingsText::read) {
            Some(Ok(settings)) if forced || self.settings.as_ref() != Some(&settings) => {
                self.report("settings", self.apply(&settings).await);
                self.settings = Some(settings);
            }
            // Reported once: an editor may be about to replace the file.
            Some(Err(errors)) if forced || self.settings.take().is_some() => {
                self.report("settings", Err(errors));
            }
            Some(_) | None => {}
        }
        let certificates = read_certificates(&self.handle);
        if forced || certificates != self.certificates {
            self.certificates = certificates;
            if !self.handle.state().tls().is_empty() {
                self.report("certificates", self.handle.reload_certificates());
            }
        }
    }

    async fn apply(&self, settings: &SettingsText) -> Result<(), ConfigErrors> {
        // With the overrides: a reload must not fall back to the address in the file.
        let config = Config::from_toml_with(&settings.text, &self.overrides)?;
        self.handle.reload(Settings::try_from(config)?).await
    }

    /// Counts and logs the result of a reload.
    fn report(&self, what: &str, result: Result<(), ConfigErrors>) {
        let meters = &self.handle.state().telemetry().meters;
        meters.count_reload(what, result.is_ok());
        match result {
            Ok(()) => tracing::info!("reloaded the {what}"),
            Err(errors) => {
                // A fault of the settings names a line; faults of certificates name their files.
                let path = self.path.as_deref();
                let path = path.map(|it| it.display().to_string());
                tracing::error!(path, %errors, "cannot reload the {what}: the old ones stay");
            }
        }
    }
}

/// The contents of the TLS files; `None` for one that cannot be read.
fn read_certificates(handle: &Handle) -> Vec<Option<Vec<u8>>> {
    let mut contents = Vec::new();
    for tls in handle.state().tls() {
        let settings = tls.settings();
        let authorities = settings.client_authorities.as_ref();
        for file in [&settings.certificate, &settings.key]
            .into_iter()
            .chain(authorities)
        {
            contents.push(std::fs::read(file).ok());
        }
    }
    contents
}
