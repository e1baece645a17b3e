//! Tries everything outside that a server depends on, as a running server does: for
//! `portcullis config check --online`.
//!
//! Sends a random text to the introspection endpoints, and asks for a token of our own client where
//! groups are looked up. Changes nothing, and never says a secret.

use super::ResourceServer;
use crate::client_endpoint::ProbeFault;
use crate::issuers::TrustedIssuer;
use portcullis_core::jose::Jwks;
use portcullis_core::token::Issuer;
use portcullis_provider::keys::KeyCache;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

/// One thing outside that was tried.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceTrial {
    /// The issuer that it is of; none for the revocation store.
    pub issuer: Option<Issuer>,
    /// What it is: `metadata`, `keys`, `introspection`, `groups`, `revocation store`.
    pub service: &'static str,
    /// How it went.
    pub result: TrialResult,
}

/// How a trial went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrialResult {
    /// It works; with what was found.
    Working(String),
    /// It works, but hardly as it is meant.
    Doubtful {
        /// What was found.
        finding: String,
        /// What to do.
        help: &'static str,
    },
    /// It does not work.
    Failed {
        /// Why.
        reason: String,
        /// What to do.
        help: &'static str,
        /// Whether there was an answer, and it was no; else nothing useful was heard.
        refused: bool,
    },
}

impl ResourceServer {
    /// Tries every issuer and the revocation store, one after the other. Needs a Tokio runtime.
    pub async fn try_services(&self) -> Vec<ServiceTrial> {
        let mut trials = Vec::new();
        let mut keys: Vec<_> = self.0.issuers.key_caches().collect();
        // The issuers stand in a map, which has no order.
        keys.sort_by_key(|keys| keys.issuer());
        for keys in keys {
            let issuer = self.0.issuers.find(Some(keys.issuer().as_str())).ok();
            let mut add = |service, result| {
                trials.push(ServiceTrial {
                    issuer: Some(keys.issuer().clone()),
                    service,
                    result,
                });
            };
            let asks = issuer
                .as_ref()
                .is_some_and(|it| it.introspector.is_some());
            try_keys(keys, asks, &mut add).await;
            if let Some(issuer) = issuer {
                try_questions(&issuer, &mut add).await;
            }
        }
        if let Some(contact) = &self.0.revocations.contact {
            self.0.revocations.start();
            contact.first_attempt().await;
            let status = contact.status();
            trials.push(ServiceTrial {
                issuer: None,
                service: "revocation store",
                result: match status.in_step {
                    true => TrialResult::Working(format!("{} entries read", status.read)),
                    false => TrialResult::Failed {
                        reason: status
                            .last_failure
                            .unwrap_or_else(|| "no answer".to_owned()),
                        help: "correct `revocation.store`, or start the store; without it every \
                               answer is 503 after the grace",
                        refused: false,
                    },
                },
            });
        }
        trials
    }
}

async fn try_keys(
    keys: &Arc<KeyCache>,
    is_asked: bool,
    add: &mut impl FnMut(&'static str, TrialResult),
) {
    keys.refresh().await;
    if let Some((metadata, _)) = keys.known_metadata() {
        let found = format!("names the key set {}", metadata.jwks_uri);
        add("metadata", TrialResult::Working(found));
    }
    match keys.current() {
        Some(set) => {
            // An issuer that signs nothing has an empty set, and is asked about all its tokens.
            if !(set.jwks.keys().is_empty() && is_asked) {
                add("keys", judge_keys(&set.jwks));
            }
        }
        None => {
            let failure = keys.status().last_failure;
            add(
                "keys",
                TrialResult::Failed {
                    reason: failure.unwrap_or_else(|| "no answer".to_owned()),
                    help: "correct `url`, or say with `jwks_uri`, `metadata_url` or `ca_file` how \
                           the keys are found",
                    refused: false,
                },
            );
        }
    }
}

fn judge_keys(jwks: &Jwks) -> TrialResult {
    let algorithms: BTreeSet<&str> = jwks
        .keys()
        .iter()
        .flat_map(|key| key.algorithms())
        .map(|algorithm| algorithm.name())
        .collect();
    let algorithms: Vec<&str> = algorithms.into_iter().collect();
    let mut finding = format!("{} for {}", jwks.keys().len(), algorithms.join(", "));
    let skipped = jwks.skipped_keys().len();
    if skipped == 0 {
        return TrialResult::Working(finding);
    }
    // Writing to a string cannot fail.
    _ = write!(finding, "; {skipped} that cannot be used");
    TrialResult::Doubtful {
        finding,
        help: "`portcullis keys` says why; tokens signed by those are refused",
    }
}

async fn try_questions(issuer: &TrustedIssuer, add: &mut impl FnMut(&'static str, TrialResult)) {
    if let Some(introspector) = &issuer.introspector {
        let client = introspector.client();
        let text = random_text(introspector.prefix().unwrap_or_default());
        let result = match introspector.probe(&text).await {
            Ok(true) => TrialResult::Working(format!("answers the client `{client}`")),
            Ok(false) => TrialResult::Failed {
                reason: "it calls a random text an active token".to_owned(),
                help: "every caller would be let in: correct `introspection.endpoint`",
                refused: true,
            },
            Err(fault) => to_result(
                fault,
                "correct the client and its secret under `introspection`",
            ),
        };
        add("introspection", result);
    }
    if let Some(groups) = &issuer.groups {
        let client = groups.client();
        let result = match groups.probe().await {
            Ok(()) => TrialResult::Working(format!("gives the client `{client}` a token")),
            Err(fault) => to_result(
                fault,
                "correct the client and its secret under `groups_lookup`",
            ),
        };
        add("groups", result);
    }
}

fn to_result(fault: ProbeFault, help_for_client: &'static str) -> TrialResult {
    TrialResult::Failed {
        reason: fault.reason,
        help: match fault.refuses_client {
            true => help_for_client,
            false => "correct the address, or let the connection out",
        },
        refused: fault.refuses_client,
    }
}

/// A text that is no token of anybody.
fn random_text(prefix: &str) -> String {
    let mut bytes = [0; 16];
    // Without random numbers the text is still no token.
    _ = aws_lc_rs::rand::fill(&mut bytes);
    let mut text = format!("{prefix}portcullis-config-check-");
    for byte in bytes {
        _ = write!(text, "{byte:02x}");
    }
    text
}
