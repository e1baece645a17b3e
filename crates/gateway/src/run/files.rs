//! The files of this machine that a start needs, read before it: exactly as the start reads them.
//!
//! Nothing is created, and nothing is listened on. Not checked is whether an address is free.

use crate::settings::{Settings, TlsSettings};
use crate::telemetry::audit::{Audit, check_writable};
use crate::telemetry::record::Privacy;
use crate::transport::tls::{ServerTls, client_config};
use portcullis_core::{ConfigError, ConfigErrors, Faults};

impl Settings {
    /// Reads the certificates, keys and authorities that the settings name, and sees whether audit
    /// records can be written where they belong. [`Gateway::bind`](crate::Gateway::bind) reads the
    /// same files by the same functions.
    ///
    /// # Errors
    ///
    /// Every file that a start would fail by.
    pub fn check_files(&self) -> Result<(), ConfigErrors> {
        let faults = Faults::default();
        for tls in self.listener_tls() {
            let tls = ServerTls::read(tls.clone());
            faults.note(tls);
        }
        // Upstreams that have a table come first, in the order of the tables.
        for (index, upstream) in self.upstreams.iter().enumerate() {
            if let Some(file) = &upstream.authorities {
                let place = format!("upstream[{index}].authorities");
                let config = client_config(&place, Some(file));
                faults.note(config);
            }
        }
        faults.note(Audit::check(&self.listeners.log));
        faults.note(Privacy::read(&self.listeners.log));
        faults.check()
    }

    /// Files without which a start succeeds, but something that is configured does not work.
    pub fn file_warnings(&self) -> Vec<ConfigError> {
        let mut warnings = Vec::new();
        for (index, path) in self.resource_server.key_snapshots() {
            // A new file is moved over the old one, so the folder has to take one.
            if let Err(error) = check_writable(&path.with_extension("new")) {
                let place = format!("issuer[{index}].key_snapshot");
                let problem = format!("keys cannot be saved to {}: {error}", path.display());
                let help = "create its folder, for the user of this process to write in";
                warnings.push(ConfigError::wrong(place, problem).help(help));
            }
        }
        warnings
    }

    fn listener_tls(&self) -> impl Iterator<Item = &TlsSettings> {
        let it = &self.listeners;
        let doors = [&it.forward_auth, &it.ext_authz, &it.receivers];
        let doors = doors.into_iter().flatten();
        let doors = doors.filter_map(|door| door.tls.as_ref());
        it.tls.iter().chain(doors)
    }
}
