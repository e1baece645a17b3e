//! The algorithms that are offered (RFC 8725; OpenID Connect Discovery 1.0).

use super::super::evidence::{listed, when};
use super::super::{Check, Rule, Seen, Severity};
use portcullis_core::jose::Algorithm;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.algorithms_unusable",
        severity: Severity::Error,
        section: "RFC 8725, section 3.1",
        title: "no algorithm is offered that a server can verify with a public key",
        cure: "sign with RS256, PS256, ES256 or EdDSA: who can verify an HMAC can forge it too",
        check: Check::Issuer(unusable),
    },
    Rule {
        id: "audit.id_token_none",
        severity: Severity::Warning,
        section: "RFC 8725, section 3.2",
        title: "ID tokens without a signature are offered",
        cure: "take `none` out of the list, or see that no client is registered for it",
        check: Check::Issuer(none),
    },
    Rule {
        id: "audit.id_token_hmac",
        severity: Severity::Note,
        section: "RFC 8725, section 3.5",
        title: "ID tokens can be signed with the client's secret",
        cure: "see that clients use an asymmetric algorithm: a secret that people chose can be \
            guessed from one token",
        check: Check::Issuer(hmac),
    },
    Rule {
        id: "audit.id_token_rs256_missing",
        severity: Severity::Note,
        section: "OpenID Connect Discovery 1.0, section 3",
        title: "RS256 is not among the algorithms of ID tokens",
        cure: "nothing, if every client knows another one; the standard requires RS256 to be \
            listed",
        check: Check::Issuer(no_rs256),
    },
    Rule {
        id: "audit.encryption_rsa1_5",
        severity: Severity::Note,
        section: "RFC 8725, section 3.2",
        title: "encryption by RSA1_5 is offered",
        cure: "use RSA-OAEP-256 or ECDH-ES for clients that have their ID tokens encrypted",
        check: Check::Issuer(rsa1_5),
    },
];

fn offered(seen: &Seen) -> Vec<&str> {
    seen.list("id_token_signing_alg_values_supported")
        .unwrap_or_default()
}

fn unusable(seen: &Seen) -> Vec<String> {
    let offered = offered(seen);
    let wrong = !offered.is_empty()
        && !offered
            .iter()
            .any(|name| Algorithm::from_name(name).is_some());
    when(wrong, || {
        format!(
            "`id_token_signing_alg_values_supported` holds {}",
            listed(offered)
        )
    })
}

fn none(seen: &Seen) -> Vec<String> {
    when(offered(seen).contains(&"none"), || {
        "`id_token_signing_alg_values_supported` holds `none`".to_owned()
    })
}

fn hmac(seen: &Seen) -> Vec<String> {
    let hmac: Vec<&str> = offered(seen)
        .into_iter()
        .filter(|name| name.starts_with("HS"))
        .collect();
    when(!hmac.is_empty(), || {
        format!(
            "`id_token_signing_alg_values_supported` holds {}",
            listed(hmac)
        )
    })
}

fn no_rs256(seen: &Seen) -> Vec<String> {
    let offered = offered(seen);
    let wrong = !offered.is_empty() && !offered.contains(&"RS256");
    when(wrong, || {
        format!(
            "`id_token_signing_alg_values_supported` holds {}",
            listed(offered)
        )
    })
}

fn rsa1_5(seen: &Seen) -> Vec<String> {
    let lists = ["id_token", "userinfo", "request_object"]
        .map(|what| format!("{what}_encryption_alg_values_supported"));
    let wrong: Vec<&str> = lists
        .iter()
        .map(String::as_str)
        .filter(|list| seen.lists(list, "RSA1_5"))
        .collect();
    when(!wrong.is_empty(), || format!("in {}", listed(wrong)))
}
