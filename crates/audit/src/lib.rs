//! The audit of an identity provider, and of the settings of a gateway: one table of rules over
//! what was observed.
//!
//! [`gather`] asks the provider, [`Observation`] holds the responses, and every [`Rule`] is a pure
//! function from there to evidence. The audit does not examine what only an account would show
//! (redirect addresses, what a user is asked, rotation of refresh tokens), TLS before 1.2, which
//! this program cannot speak, or whether a provider keeps the promises of its metadata.
//!
//! ```
//! use portcullis_audit::{Severity, SettingsFile, examine_settings};
//!
//! let text = r#"
//! [[issuer]]
//! url = "https://idp.example"
//! audience = "api"
//! leeway = 300
//! [gateway]
//! listen = "127.0.0.1:8080"
//! upstream = "http://127.0.0.1:3000"
//! "#;
//! // The settings name no file, so nobody is asked for a mode.
//! let settings = SettingsFile::read("portcullis.toml".as_ref(), text.to_owned(), |_| None)?;
//! let findings = examine_settings(&settings);
//! assert!(findings.iter().any(|finding| finding.rule.id == "audit.ours_leeway"));
//! assert!(findings.iter().all(|finding| finding.rule.severity < Severity::Error));
//! # Ok::<(), portcullis_core::ConfigErrors>(())
//! ```

mod certified_key;
pub mod clock;
mod evidence;
mod finding;
mod gather;
pub mod handshake;
mod key;
mod observation;
mod place;
mod probe;
mod probing;
pub mod report;
mod resource;
mod rule;
mod rules;
pub mod sample;
mod settings_file;
mod transmitter;

pub use evidence::format_duration;
pub use finding::{
    Finding, examine_issuer, examine_resource, examine_settings, examine_transmitter,
};
pub use gather::gather;
pub use key::{KeyCertificate, PublishedKey};
pub use observation::{KeySetResponse, MetadataResponse, Observation};
pub use place::{SettingEvidence, SettingPlace};
pub use probe::{Probe, ProbeCredential};
pub use probing::probe_resource;
pub use resource::{ResourceObservation, gather_resource};
pub use rule::{Rule, RuleCheck, Severity};
pub use rules::{GROUPS, all, find, group_of};
pub use settings_file::SettingsFile;
pub use transmitter::{TransmitterObservation, gather_transmitter};
