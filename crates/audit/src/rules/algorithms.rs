//! The algorithms that are offered (RFC 8725; OpenID Connect Discovery 1.0).

use crate::evidence::{holds, only, quote_list};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use portcullis_core::jose::Algorithm;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.algorithms_unusable",
        severity: Severity::Error,
        section: "RFC 8725, section 3.1",
        title: "no offered algorithm can be verified with a public key",
        cure: "sign with RS256, PS256, ES256 or EdDSA: everybody who can verify an HMAC can also \
            forge it",
        check: RuleCheck::Issuer(unusable),
    },
    Rule {
        id: "audit.id_token_none",
        severity: Severity::Warning,
        section: "RFC 8725, section 3.2",
        title: "ID tokens without a signature are offered",
        cure: "remove `none` from the list, or check that no client is registered for it",
        check: RuleCheck::Issuer(none),
    },
    Rule {
        id: "audit.id_token_hmac",
        severity: Severity::Note,
        section: "RFC 8725, section 3.5",
        title: "ID tokens can be signed with the client's secret",
        cure: "have clients use an asymmetric algorithm: one token is enough to guess a weak \
            secret",
        check: RuleCheck::Issuer(hmac),
    },
    Rule {
        id: "audit.id_token_rs256_missing",
        severity: Severity::Note,
        section: "OpenID Connect Discovery 1.0, section 3",
        title: "RS256 is not among the algorithms of ID tokens",
        cure: "ignore this if every client knows another algorithm; the standard requires RS256 \
            in the list",
        check: RuleCheck::Issuer(no_rs256),
    },
    Rule {
        id: "audit.encryption_rsa1_5",
        severity: Severity::Note,
        section: "RFC 8725, section 3.2",
        title: "encryption by RSA1_5 is offered",
        cure: "use RSA-OAEP-256 or ECDH-ES for clients with encrypted ID tokens",
        check: RuleCheck::Issuer(rsa1_5),
    },
];

const OFFERED: &str = "id_token_signing_alg_values_supported";

fn unusable(observation: &Observation) -> Vec<String> {
    let offered = observation.list(OFFERED).unwrap_or_default();
    // One algorithm that a server of ours verifies is enough.
    for name in &offered {
        if Algorithm::from_name(name).is_some() {
            return Vec::new();
        }
    }
    holds(OFFERED, offered)
}

fn none(observation: &Observation) -> Vec<String> {
    let offered = observation.list(OFFERED).unwrap_or_default();
    holds(OFFERED, only(offered, is_none))
}

fn is_none(name: &str) -> bool {
    name == "none"
}

fn hmac(observation: &Observation) -> Vec<String> {
    // A client verifies such an ID token with its own secret, so its secret can also forge one.
    let offered = observation.list(OFFERED).unwrap_or_default();
    holds(OFFERED, only(offered, is_hmac))
}

fn is_hmac(name: &str) -> bool {
    name.starts_with("HS")
}

fn no_rs256(observation: &Observation) -> Vec<String> {
    let offered = observation.list(OFFERED).unwrap_or_default();
    // Every client of OpenID Connect knows this one, and some know no other.
    if offered.contains(&"RS256") {
        return Vec::new();
    }
    holds(OFFERED, offered)
}

fn rsa1_5(observation: &Observation) -> Vec<String> {
    // Its padding can be attacked through error messages and timing (RFC 8725, section 3.2).
    let mut lists = Vec::new();
    for list in [
        "id_token_encryption_alg_values_supported",
        "userinfo_encryption_alg_values_supported",
        "request_object_encryption_alg_values_supported",
    ] {
        if observation.lists(list, "RSA1_5") {
            lists.push(list);
        }
    }
    if lists.is_empty() {
        return Vec::new();
    }
    vec![format!("in {}", quote_list(lists))]
}
