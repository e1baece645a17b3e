//! The algorithms that are offered (RFC 8725; OpenID Connect Discovery 1.0).

use crate::evidence::{quote_list, when};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use portcullis_core::jose::Algorithm;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.algorithms_unusable",
        severity: Severity::Error,
        section: "RFC 8725, section 3.1",
        title: "no algorithm is offered that a server can verify with a public key",
        cure: "sign with RS256, PS256, ES256 or EdDSA: who can verify an HMAC can forge it too",
        check: RuleCheck::Issuer(unusable),
    },
    Rule {
        id: "audit.id_token_none",
        severity: Severity::Warning,
        section: "RFC 8725, section 3.2",
        title: "ID tokens without a signature are offered",
        cure: "take `none` out of the list, or see that no client is registered for it",
        check: RuleCheck::Issuer(none),
    },
    Rule {
        id: "audit.id_token_hmac",
        severity: Severity::Note,
        section: "RFC 8725, section 3.5",
        title: "ID tokens can be signed with the client's secret",
        cure: "see that clients use an asymmetric algorithm: a secret that people chose can be \
            guessed from one token",
        check: RuleCheck::Issuer(hmac),
    },
    Rule {
        id: "audit.id_token_rs256_missing",
        severity: Severity::Note,
        section: "OpenID Connect Discovery 1.0, section 3",
        title: "RS256 is not among the algorithms of ID tokens",
        cure: "nothing, if every client knows another one; the standard requires RS256 to be \
            listed",
        check: RuleCheck::Issuer(no_rs256),
    },
    Rule {
        id: "audit.encryption_rsa1_5",
        severity: Severity::Note,
        section: "RFC 8725, section 3.2",
        title: "encryption by RSA1_5 is offered",
        cure: "use RSA-OAEP-256 or ECDH-ES for clients that have their ID tokens encrypted",
        check: RuleCheck::Issuer(rsa1_5),
    },
];

fn offered(observation: &Observation) -> Vec<&str> {
    observation
        .list("id_token_signing_alg_values_supported")
        .unwrap_or_default()
}

fn unusable(observation: &Observation) -> Vec<String> {
    let offered = offered(observation);
    let wrong = !offered.is_empty()
        && !offered
            .iter()
            .any(|name| Algorithm::from_name(name).is_some());
    when(wrong, || {
        format!(
            "`id_token_signing_alg_values_supported` holds {}",
            quote_list(offered)
        )
    })
}

fn none(observation: &Observation) -> Vec<String> {
    when(offered(observation).contains(&"none"), || {
        "`id_token_signing_alg_values_supported` holds `none`".to_owned()
    })
}

fn hmac(observation: &Observation) -> Vec<String> {
    let hmac: Vec<&str> = offered(observation)
        .into_iter()
        .filter(|name| name.starts_with("HS"))
        .collect();
    when(!hmac.is_empty(), || {
        format!(
            "`id_token_signing_alg_values_supported` holds {}",
            quote_list(hmac)
        )
    })
}

fn no_rs256(observation: &Observation) -> Vec<String> {
    let offered = offered(observation);
    let wrong = !offered.is_empty() && !offered.contains(&"RS256");
    when(wrong, || {
        format!(
            "`id_token_signing_alg_values_supported` holds {}",
            quote_list(offered)
        )
    })
}

fn rsa1_5(observation: &Observation) -> Vec<String> {
    let lists = ["id_token", "userinfo", "request_object"]
        .map(|what| format!("{what}_encryption_alg_values_supported"));
    let wrong: Vec<&str> = lists
        .iter()
        .map(String::as_str)
        .filter(|list| observation.lists(list, "RSA1_5"))
        .collect();
    when(!wrong.is_empty(), || format!("in {}", quote_list(wrong)))
}
