//! The key set (RFC 7517, RFC 7518), by the code that a server reads it with.

use crate::evidence::{format_duration, quote_list, when};
use crate::key::PublishedKey;
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use portcullis_core::jose::{Algorithm, JwkFault};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.keys_unusable",
        severity: Severity::Error,
        section: "RFC 7517, section 5",
        title: "no server can use the key set",
        cure: "publish a JSON object whose array `keys` holds a public key for signatures, over \
            https and without a redirect",
        check: RuleCheck::Issuer(unusable_set),
    },
    Rule {
        id: "audit.key_private",
        severity: Severity::Error,
        section: "RFC 7517, section 9.2",
        title: "a private key is published",
        cure: "withdraw the key at once, create a new one, and treat every token that it signed \
            as forged",
        check: RuleCheck::Issuer(private),
    },
    Rule {
        id: "audit.key_symmetric",
        severity: Severity::Error,
        section: "RFC 7517, section 9.2",
        title: "a symmetric key is published",
        cure: "withdraw it at once: everybody who reads it can sign tokens",
        check: RuleCheck::Issuer(symmetric),
    },
    Rule {
        id: "audit.key_rsa_size",
        severity: Severity::Error,
        section: "RFC 7518, section 3.3",
        title: "the size of an RSA key is out of bounds",
        cure: "create one of 2048 to 8192 bits; we refuse others",
        check: RuleCheck::Issuer(rsa_size),
    },
    Rule {
        id: "audit.key_rsa_exponent",
        severity: Severity::Warning,
        section: "RFC 8017, section 3.1",
        title: "the exponent of an RSA key is unusual",
        cure: "use 65537: we refuse exponents that are even, 1 or longer than 64 bits, and small \
            ones make other mistakes worse",
        check: RuleCheck::Issuer(rsa_exponent),
    },
    Rule {
        id: "audit.key_certificate_mismatch",
        severity: Severity::Error,
        section: "RFC 7517, section 4.7",
        title: "a key and its certificate are not the same key",
        cure: "create `x5c` from the key in the other members: some servers read one, some the \
            other",
        check: RuleCheck::Issuer(certificate_mismatch),
    },
    Rule {
        id: "audit.key_certificate_expired",
        severity: Severity::Note,
        section: "RFC 7517, section 4.7",
        title: "the certificate of a key has expired, or expires soon",
        cure: "rotate the key, or publish it without `x5c`: servers that read the certificate \
            refuse its tokens",
        check: RuleCheck::Issuer(certificate_expired),
    },
    Rule {
        id: "audit.key_kid_repeated",
        severity: Severity::Warning,
        section: "RFC 7517, section 4.5",
        title: "several keys have the same `kid`",
        cure: "give every key its own `kid`: servers that take the first one refuse tokens of \
            the others",
        check: RuleCheck::Issuer(kid_repeated),
    },
    Rule {
        id: "audit.key_kid_missing",
        severity: Severity::Warning,
        section: "RFC 7517, section 4.5",
        title: "a key has no `kid`",
        cure: "give it a `kid`, and put that into the tokens: otherwise a rotation looks like a \
            forgery",
        check: RuleCheck::Issuer(kid_missing),
    },
    Rule {
        id: "audit.key_repeated",
        severity: Severity::Note,
        section: "RFC 7517, section 4.5",
        title: "one key is published under several names",
        cure: "check whether a rotation changed only the name",
        check: RuleCheck::Issuer(repetitions),
    },
    Rule {
        id: "audit.key_use_missing",
        severity: Severity::Note,
        section: "RFC 7517, section 4.2",
        title: "keys do not state their use",
        cure: "write `\"use\": \"sig\"`",
        check: RuleCheck::Issuer(use_missing),
    },
    Rule {
        id: "audit.key_alg_missing",
        severity: Severity::Note,
        section: "RFC 8725, section 3.1",
        title: "keys do not state their algorithm",
        cure: "write `alg`; until then, name the algorithms in our settings (`algorithms`)",
        check: RuleCheck::Issuer(alg_missing),
    },
    Rule {
        id: "audit.key_unsupported",
        severity: Severity::Note,
        section: "RFC 7517, section 5",
        title: "keys of an unsupported type or algorithm are left out",
        cure: "ignore this if tokens for us are signed with another key",
        check: RuleCheck::Issuer(unsupported_keys),
    },
    Rule {
        id: "audit.key_malformed",
        severity: Severity::Warning,
        section: "RFC 7518, section 6",
        title: "a key is malformed, and left out",
        cure: "publish it as RFC 7518 and RFC 8037 define it: canonical base64url, full length, \
            a point on its curve",
        check: RuleCheck::Issuer(malformed_keys),
    },
    Rule {
        id: "audit.keys_for_other_algorithms",
        severity: Severity::Warning,
        section: "OpenID Connect Discovery 1.0, section 3",
        title: "no key fits an algorithm that the metadata offers",
        cure: "publish the key that signs, or list only the algorithms in use",
        check: RuleCheck::Issuer(no_fitting_key),
    },
];

/// A certificate that ends within this time, in seconds, is worth a finding.
const SOON: i64 = 14 * 86_400;

fn keys(observation: &Observation) -> &[PublishedKey] {
    match &observation.keys {
        Some(set) => &set.keys,
        None => &[],
    }
}

/// One piece of evidence for all keys that are wrong in this way.
fn keys_that(observation: &Observation, is_wrong: fn(&PublishedKey) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    for key in keys(observation) {
        if is_wrong(key) {
            names.push(key.name());
        }
    }
    when(!names.is_empty(), names.join(", "))
}

/// The keys that a server leaves out, each with the fault.
fn unusable_keys(observation: &Observation) -> Vec<(&PublishedKey, JwkFault)> {
    let mut unusable = Vec::new();
    for key in keys(observation) {
        if let Err(fault) = &key.verdict {
            unusable.push((key, *fault));
        }
    }
    unusable
}

fn unusable_set(observation: &Observation) -> Vec<String> {
    let Some(set) = &observation.keys else {
        return Vec::new();
    };
    match &set.jwks {
        Err(reason) => vec![format!("{}: {reason}", set.inspection.url)],
        Ok(_) => Vec::new(),
    }
}

fn is_symmetric(key: &PublishedKey) -> bool {
    // RFC 7518, section 6.4.1: `k` is the secret itself, even where `kty` is wrong or missing.
    key.text("kty") == Some("oct") || (key.has("k") && !key.has("d"))
}

fn private(observation: &Observation) -> Vec<String> {
    keys_that(observation, |key| {
        // A symmetric key is a secret too, but its cure differs, so it has a rule of its own.
        has_fault(key, JwkFault::Secret) && !is_symmetric(key)
    })
}

fn has_fault(key: &PublishedKey, fault: JwkFault) -> bool {
    key.verdict.as_ref().err() == Some(&fault)
}

fn symmetric(observation: &Observation) -> Vec<String> {
    keys_that(observation, |key| key.verdict.is_err() && is_symmetric(key))
}

fn rsa_size(observation: &Observation) -> Vec<String> {
    let mut evidence = Vec::new();
    for (key, fault) in unusable_keys(observation) {
        if fault != JwkFault::RsaSize {
            continue;
        }
        // The size may be right, and the modulus still not the product of two odd primes.
        let problem = match key.bits() {
            Some(bits) if !(2_048..=8_192).contains(&bits) => format!("{bits} bits"),
            _ => "the modulus is even, or cannot be used".to_owned(),
        };
        evidence.push(format!("{}: {problem}", key.name()));
    }
    evidence
}

fn rsa_exponent(observation: &Observation) -> Vec<String> {
    keys_that(observation, |key| {
        has_fault(key, JwkFault::RsaExponent) || (key.verdict.is_ok() && has_small_exponent(key))
    })
}

/// Below 65,537: a server takes it, but no standard recommends it (SP 800-56B, section 6.2).
fn has_small_exponent(key: &PublishedKey) -> bool {
    match key.number("e") {
        Some(exponent) => key.text("kty") == Some("RSA") && exponent.len() < 3,
        None => false,
    }
}

fn certificate_mismatch(observation: &Observation) -> Vec<String> {
    // A client that trusts the certificate would verify with another key than we do.
    keys_that(observation, |key| match key.certificate {
        Some(certificate) => !certificate.fits,
        None => false,
    })
}

fn certificate_expired(observation: &Observation) -> Vec<String> {
    // Servers do not read the certificate of a key, but its end often is the end of the key.
    let now = observation.now.seconds();
    let mut evidence = Vec::new();
    for key in keys(observation) {
        let Some(certificate) = key.certificate else {
            continue;
        };
        let left = certificate.expires.saturating_sub(now);
        let distance = format_duration(Duration::from_secs(left.unsigned_abs()));
        if left < 0 {
            evidence.push(format!("{}: {distance} ago", key.name()));
        } else if left < SOON {
            evidence.push(format!("{}: in {distance}", key.name()));
        }
    }
    evidence
}

fn kid_repeated(observation: &Observation) -> Vec<String> {
    // Keys of another type or for another use may share a name: a server never confuses them.
    let mut counts: BTreeMap<(&str, String, bool), usize> = BTreeMap::new();
    for key in keys(observation) {
        if let Some(kid) = key.text("kid") {
            let place = (kid, key.kind(), key.is_for_others());
            *counts.entry(place).or_default() += 1;
        }
    }
    counts.retain(|_, count| *count > 1);
    let kids: Vec<&str> = counts.keys().map(|(kid, ..)| *kid).collect();
    when(!kids.is_empty(), quote_list(kids))
}

fn kid_missing(observation: &Observation) -> Vec<String> {
    keys_that(observation, |key| {
        key.verdict.is_ok() && key.text("kid").is_none()
    })
}

fn repetitions(observation: &Observation) -> Vec<String> {
    // One key under several names looks like a rotation, and is none.
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for key in keys(observation) {
        if let (Some(thumbprint), Some(kid)) = (key.thumbprint(), key.text("kid")) {
            let kids = names.entry(thumbprint).or_default();
            if !kids.contains(&kid) {
                kids.push(kid);
            }
        }
    }
    names.retain(|_, kids| kids.len() > 1);
    names.into_values().map(quote_list).collect()
}

fn use_missing(observation: &Observation) -> Vec<String> {
    keys_that(observation, |key| {
        key.verdict.is_ok() && !key.has("use") && !key.has("key_ops")
    })
}

fn alg_missing(observation: &Observation) -> Vec<String> {
    keys_that(observation, |key| key.verdict.is_ok() && !key.has("alg"))
}

fn unsupported_keys(observation: &Observation) -> Vec<String> {
    let mut evidence = Vec::new();
    for (key, fault) in unusable_keys(observation) {
        if matches!(fault, JwkFault::KeyType | JwkFault::Algorithm) {
            evidence.push(format!("{} ({}): {fault}", key.name(), key.kind()));
        }
    }
    evidence
}

/// The faults without a rule of their own.
fn malformed_keys(observation: &Observation) -> Vec<String> {
    let mut evidence = Vec::new();
    for (key, fault) in unusable_keys(observation) {
        let has_rule = matches!(
            fault,
            JwkFault::Secret
                | JwkFault::NotForSignatures
                | JwkFault::KeyType
                | JwkFault::Algorithm
                | JwkFault::RsaSize
                | JwkFault::RsaExponent
        );
        if !has_rule {
            evidence.push(format!("{}: {fault}", key.name()));
        }
    }
    evidence
}

fn no_fitting_key(observation: &Observation) -> Vec<String> {
    let mut offered = Vec::new();
    for name in observation
        .list("id_token_signing_alg_values_supported")
        .unwrap_or_default()
    {
        // Names that we do not know, `none` and HMAC among them, say nothing about published keys.
        offered.extend(Algorithm::from_name(name));
    }
    // Tokens need not be signed like ID tokens, but most providers use one key for both.
    let mut published = Vec::new();
    for key in keys(observation) {
        if let Ok(key) = &key.verdict {
            published.extend(key.algorithms());
        }
    }
    let fits = offered.iter().any(|it| published.contains(it));
    when(
        // A set without usable keys has a rule of its own; one cause makes one finding.
        !offered.is_empty() && !published.is_empty() && !fits,
        format!("offered {}, keys for {}", names(offered), names(published)),
    )
}

fn names(algorithms: Vec<Algorithm>) -> String {
    let names: BTreeSet<&str> = algorithms.into_iter().map(Algorithm::name).collect();
    quote_list(names)
}
