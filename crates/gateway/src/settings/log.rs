//! What is written down, from as written to as meant.

use super::faults::Faults;
use crate::config::LogConfig;
use std::path::PathBuf;

/// What is written down, where and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogSettings {
    pub(crate) format: Format,
    pub(crate) audit: Destination,
    pub(crate) audit_subject: SubjectSetting,
    pub(crate) audit_peer: bool,
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

pub(super) fn settings(written: LogConfig, faults: &mut Faults) -> LogSettings {
    let format = match written.format.as_deref() {
        None | Some("auto") => Format::Auto,
        Some("json") => Format::Json,
        Some("text") => Format::Text,
        Some(_) => {
            faults.add(
                "log.format",
                "`auto`, `json` or `text`",
                "leave it out for `auto`",
            );
            Format::Auto
        }
    };
    let audit = match written.audit.as_deref() {
        None | Some("stdout") => Destination::Stdout,
        Some("none") => Destination::None,
        Some("") => {
            faults.add(
                "log.audit",
                "`stdout`, `none` or a path",
                "leave it out for `stdout`",
            );
            Destination::None
        }
        Some(path) => Destination::File(path.into()),
    };
    if written.audit_key.is_some() && written.audit_subject.as_deref() != Some("hashed") {
        let cure = "leave it out, or write `audit_subject = \"hashed\"`";
        faults.add("log.audit_key", "hashed subjects beside it", cure);
    }
    let audit_subject = match written.audit_subject.as_deref() {
        None | Some("plain") => SubjectSetting::Plain,
        Some("hashed") => SubjectSetting::Hashed(written.audit_key),
        Some("none") => SubjectSetting::None,
        Some(_) => {
            faults.add(
                "log.audit_subject",
                "`plain`, `hashed` or `none`",
                "leave it out for `plain`",
            );
            SubjectSetting::None
        }
    };
    let audit_peer = written.audit_peer.unwrap_or(true);
    LogSettings {
        format,
        audit,
        audit_subject,
        audit_peer,
        begin_traces: written.begin_traces,
    }
}
