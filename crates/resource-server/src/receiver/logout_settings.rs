//! The settings of logouts, as meant.

use super::ending::provider;
use crate::config::LogoutConfig;
use portcullis_core::dialect::SessionClaim;
use portcullis_core::event::LogoutTerms;
use portcullis_core::token::Issuer;
use portcullis_core::{Dialect, Faults};
use std::time::Duration;

/// How logouts of one issuer are received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogoutSettings {
    pub(crate) clients: Vec<String>,
    /// Whether all tokens of the person end, and not those of the session alone.
    pub(crate) ends_subject: bool,
    pub(crate) accepts_untyped: bool,
    pub(crate) accepts_endless: bool,
}

impl LogoutSettings {
    /// What logout tokens of this issuer must meet.
    pub(crate) fn terms(&self, issuer: &Issuer, leeway: Duration) -> LogoutTerms {
        let mut terms = LogoutTerms::new(issuer.clone(), self.clients.clone());
        terms.leeway = leeway;
        terms.accepts_untyped = self.accepts_untyped;
        terms.accepts_endless = self.accepts_endless;
        terms
    }
}

pub(crate) fn logout(
    written: LogoutConfig,
    dialect: &Dialect,
    faults: &Faults,
) -> Option<LogoutSettings> {
    let faults = &faults.at("logout");
    let clients = written.clients.into_vec();
    if clients.is_empty() || clients.iter().any(|client| client.trim().is_empty()) {
        faults
            .expected("clients", "the id of at least one client")
            .found_nothing()
            .help("write the ids of the clients that people sign in with");
    }
    let ends_subject = match written.ends.as_deref() {
        None | Some("session") => false,
        Some("subject") => true,
        Some(other) => {
            faults
                .expected("ends", "`session` or `subject`")
                .found(other)
                .help("write `subject` where access tokens have no `sid`");
            return None;
        }
    };
    if !ends_subject && dialect.session_claim == SessionClaim::Never {
        let title = provider(dialect);
        faults
            .as_warnings()
            .expected(
                "ends",
                format!("`subject`, as {title}'s access tokens have no `sid`"),
            )
            .found_as(match written.ends {
                Some(_) => "`session`",
                None => "`session`, the default",
            })
            .help("write `ends = \"subject\"`: else a logout that names a session ends nothing");
    }
    Some(LogoutSettings {
        clients,
        ends_subject,
        accepts_untyped: written.danger_untyped,
        accepts_endless: written.danger_without_exp,
    })
}
