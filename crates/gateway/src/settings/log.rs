//! What is written down, from as written to as meant.

use super::scalar::one_of;
use crate::config::LogConfig;
use portcullis_core::Faults;
use std::path::PathBuf;

/// What is written down, where and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogSettings {
    pub(crate) format: Format,
    pub(crate) audit: Destination,
    pub(crate) audit_subject: SubjectSetting,
    pub(crate) audit_peer: bool,
    pub(crate) audit_responses: bool,
    pub(crate) begin_traces: bool,
}

/// What lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Auto,
    Json,
    Text,
}

impl Format {
    /// Whether lines are JSON that go to a terminal, or not to one.
    pub(crate) const fn is_json(self, terminal: bool) -> bool {
        match self {
            Self::Auto => !terminal,
            Self::Json => true,
            Self::Text => false,
        }
    }
}

/// Where audit records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Stdout,
    File(PathBuf),
    None,
}

/// How the subject of a token is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SubjectSetting {
    Plain,
    /// With the key of this file, or with a random one.
    Hashed(Option<PathBuf>),
    None,
}

const FORMATS: [(&str, Format); 3] = [
    ("auto", Format::Auto),
    ("json", Format::Json),
    ("text", Format::Text),
];

/// `faults` are those of `[log]`.
pub(super) fn settings(written: LogConfig, faults: &Faults) -> LogSettings {
    let format = one_of("format", written.format.as_deref(), &FORMATS, faults);
    let audit = match written.audit.as_deref() {
        None | Some("stdout") => Destination::Stdout,
        Some("none") => Destination::None,
        Some("") => {
            faults
                .expected("audit", "`stdout`, `none` or a path")
                .found("")
                .help("leave it out for `stdout`");
            Destination::None
        }
        Some(path) => Destination::File(path.into()),
    };
    let audit_subject = subject(written.audit_subject.as_deref(), written.audit_key, faults);
    // Who asks for an access log and gets none would look for it elsewhere.
    if written.audit_responses && audit == Destination::None {
        faults
            .expected("audit_responses", "audit records")
            .found_as("`audit` as \"none\"".to_owned())
            .given(&["audit"])
            .help("leave one of the two out");
    }
    LogSettings {
        format: format.unwrap_or(Format::Auto),
        audit,
        audit_subject,
        audit_peer: written.audit_peer.unwrap_or(true),
        audit_responses: written.audit_responses,
        begin_traces: written.begin_traces,
    }
}

fn subject(written: Option<&str>, key: Option<PathBuf>, faults: &Faults) -> SubjectSetting {
    // A key shows that hashes are meant; otherwise subjects would be logged in plain text.
    if key.is_some() && written != Some("hashed") {
        faults
            .expected("audit_key", "hashed subjects beside it")
            .found_as(format!(
                "`audit_subject` as {:?}",
                written.unwrap_or("plain")
            ))
            .given(&["audit_subject"])
            .help("leave it out, or write `audit_subject = \"hashed\"`");
    }
    match written {
        None | Some("plain") => SubjectSetting::Plain,
        Some("hashed") => SubjectSetting::Hashed(key),
        Some("none") => SubjectSetting::None,
        Some(other) => {
            faults
                .expected("audit_subject", "`plain`, `hashed` or `none`")
                .found(other)
                .help("leave it out for `plain`");
            SubjectSetting::None
        }
    }
}
