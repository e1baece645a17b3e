//! The key set (RFC 7517, RFC 7518), by the code that a server reads it with.

use crate::evidence::{format_duration, quote_list, when};
use crate::key::PublishedKey;
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use portcullis_core::jose::{Algorithm, JwkFault};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.keys_unusable",
        severity: Severity::Error,
        section: "RFC 7517, section 5",
        title: "there is no key set that a server could use",
        cure: "publish a JSON object whose array `keys` holds a public key for signatures, by \
            https and without a redirect",
        check: RuleCheck::Issuer(unusable_set),
    },
    Rule {
        id: "audit.key_private",
        severity: Severity::Error,
        section: "RFC 7517, section 9.2",
        title: "a private key is published",
        cure: "withdraw the key at once, make a new one, and take every token that it signed for \
            forged",
        check: RuleCheck::Issuer(private),
    },
    Rule {
        id: "audit.key_symmetric",
        severity: Severity::Error,
        section: "RFC 7517, section 9.2",
        title: "a symmetric key is published",
        cure: "withdraw it at once: whoever reads it can sign tokens",
        check: RuleCheck::Issuer(symmetric),
    },
    Rule {
        id: "audit.key_rsa_size",
        severity: Severity::Error,
        section: "RFC 7518, section 3.3",
        title: "the size of an RSA key is out of bounds",
        cure: "make one of 2048 to 8192 bits; we do not use others",
        check: RuleCheck::Issuer(rsa_size),
    },
    Rule {
        id: "audit.key_rsa_exponent",
        severity: Severity::Warning,
        section: "RFC 8017, section 3.1",
        title: "the exponent of an RSA key is unusual",
        cure: "use 65537: we refuse exponents that are even, 1 or beyond 64 bits, and small ones \
            make faults elsewhere worse",
        check: RuleCheck::Issuer(rsa_exponent),
    },
    Rule {
        id: "audit.key_certificate_mismatch",
        severity: Severity::Error,
        section: "RFC 7517, section 4.7",
        title: "a key and its certificate are not the same key",
        cure: "make `x5c` of the key that the other members describe: some servers read the one, \
            some the other",
        check: RuleCheck::Issuer(certificate_mismatch),
    },
    Rule {
        id: "audit.key_certificate_expired",
        severity: Severity::Note,
        section: "RFC 7517, section 4.7",
        title: "the certificate of a key has ended, or ends soon",
        cure: "rotate the key, or publish it without `x5c`: servers that look at the certificate \
            refuse its tokens",
        check: RuleCheck::Issuer(certificate_expired),
    },
    Rule {
        id: "audit.key_kid_repeated",
        severity: Severity::Warning,
        section: "RFC 7517, section 4.5",
        title: "several keys have the same `kid`",
        cure: "give every key a name of its own: servers that take the first fail for tokens of \
            the others",
        check: RuleCheck::Issuer(kid_repeated),
    },
    Rule {
        id: "audit.key_kid_missing",
        severity: Severity::Warning,
        section: "RFC 7517, section 4.5",
        title: "a key has no `kid`",
        cure: "name it, and name it in the tokens: otherwise a rotation cannot be told from a \
            forgery",
        check: RuleCheck::Issuer(kid_missing),
    },
    Rule {
        id: "audit.key_repeated",
        severity: Severity::Note,
        section: "RFC 7517, section 4.5",
        title: "one key is published under several names",
        cure: "see whether a rotation changed the name only",
        check: RuleCheck::Issuer(repeated),
    },
    Rule {
        id: "audit.key_use_missing",
        severity: Severity::Note,
        section: "RFC 7517, section 4.2",
        title: "keys do not say what they are for",
        cure: "write `\"use\": \"sig\"`",
        check: RuleCheck::Issuer(use_missing),
    },
    Rule {
        id: "audit.key_alg_missing",
        severity: Severity::Note,
        section: "RFC 8725, section 3.1",
        title: "keys do not say which algorithm they are for",
        cure: "write `alg`; until then, name the algorithms in our settings (`algorithms`)",
        check: RuleCheck::Issuer(alg_missing),
    },
    Rule {
        id: "audit.key_unsupported",
        severity: Severity::Note,
        section: "RFC 7517, section 5",
        title: "keys of a type or an algorithm that we do not support are left out",
        cure: "nothing, as long as tokens for us are signed with another one",
        check: RuleCheck::Issuer(unsupported),
    },
    Rule {
        id: "audit.key_malformed",
        severity: Severity::Warning,
        section: "RFC 7518, section 6",
        title: "a key is malformed, and left out",
        cure: "publish it as RFC 7518 and RFC 8037 have it: canonical base64url, full length, a \
            point of its curve",
        check: RuleCheck::Issuer(malformed),
    },
    Rule {
        id: "audit.keys_for_other_algorithms",
        severity: Severity::Warning,
        section: "OpenID Connect Discovery 1.0, section 3",
        title: "no key fits an algorithm that the metadata offers",
        cure: "publish the key that signs, or list the algorithms that are in use",
        check: RuleCheck::Issuer(no_fitting_key),
    },
];

/// A certificate that ends within this time is told of.
const SOON: i64 = 14 * 86_400;

fn keys(observation: &Observation) -> &[PublishedKey] {
    observation.keys.as_ref().map_or(&[], |set| &set.keys)
}

/// One piece of evidence for all keys of which this is true.
fn all_that(observation: &Observation, wrong: impl Fn(&PublishedKey) -> bool) -> Vec<String> {
    let names: Vec<String> = keys(observation)
        .iter()
        .filter(|key| wrong(key))
        .map(PublishedKey::name)
        .collect();
    when(!names.is_empty(), || names.join(", "))
}

/// For each key with this fault, what is told of it.
fn each_with(
    observation: &Observation,
    wrong: impl Fn(JwkFault) -> bool,
    told: impl Fn(&PublishedKey, JwkFault) -> String,
) -> Vec<String> {
    let faulty = keys(observation)
        .iter()
        .filter_map(|key| Some((key, *key.verdict.as_ref().err()?)));
    faulty
        .filter(|(_, fault)| wrong(*fault))
        .map(|(key, fault)| told(key, fault))
        .collect()
}

fn unusable_set(observation: &Observation) -> Vec<String> {
    let set = observation.keys.as_ref();
    set.and_then(|set| {
        Some(format!(
            "{}: {}",
            set.inspection.url,
            set.jwks.as_ref().err()?
        ))
    })
    .into_iter()
    .collect()
}

fn is_symmetric(key: &PublishedKey) -> bool {
    key.text("kty") == Some("oct") || (key.has("k") && !key.has("d"))
}

fn private(observation: &Observation) -> Vec<String> {
    all_that(observation, |key| {
        key.verdict.as_ref().err() == Some(&JwkFault::Secret) && !is_symmetric(key)
    })
}

fn symmetric(observation: &Observation) -> Vec<String> {
    all_that(observation, |key| key.verdict.is_err() && is_symmetric(key))
}

fn rsa_size(observation: &Observation) -> Vec<String> {
    each_with(
        observation,
        |fault| fault == JwkFault::RsaSize,
        |key, _| match key.bits() {
            Some(bits) if !(2_048..=8_192).contains(&bits) => {
                format!("{}: {bits} bits", key.name())
            }
            _ => format!("{}: the modulus is even, or cannot be used", key.name()),
        },
    )
}

fn rsa_exponent(observation: &Observation) -> Vec<String> {
    let exponent = |key: &PublishedKey| key.number("e").filter(|_| key.text("kty") == Some("RSA"));
    let small = |key: &PublishedKey| exponent(key).is_some_and(|e| e.len() < 3);
    let refused = |key: &PublishedKey| key.verdict.as_ref().err() == Some(&JwkFault::RsaExponent);
    all_that(observation, |key| {
        refused(key) || (key.verdict.is_ok() && small(key))
    })
}

fn certificate_mismatch(observation: &Observation) -> Vec<String> {
    all_that(observation, |key| {
        key.certificate.is_some_and(|certificate| !certificate.fits)
    })
}

fn certificate_expired(observation: &Observation) -> Vec<String> {
    let now = observation.now.seconds();
    let ending = keys(observation)
        .iter()
        .filter_map(|key| Some((key, key.certificate?.expires.saturating_sub(now))));
    let told = ending.filter(|(_, left)| *left < SOON).map(|(key, left)| {
        let far = format_duration(Duration::from_secs(left.unsigned_abs()));
        if left < 0 {
            format!("{}: {far} ago", key.name())
        } else {
            format!("{}: in {far}", key.name())
        }
    });
    told.collect()
}

/// Keys that are told apart by their type or by what they are for may share a name.
fn kid_repeated(observation: &Observation) -> Vec<String> {
    let mut count: BTreeMap<(&str, String, bool), usize> = BTreeMap::new();
    for key in keys(observation) {
        if let Some(kid) = key.text("kid") {
            *count
                .entry((kid, key.kind(), key.is_for_others()))
                .or_default() += 1;
        }
    }
    let repeated: Vec<&str> = count
        .iter()
        .filter(|(_, n)| **n > 1)
        .map(|((kid, ..), _)| *kid)
        .collect();
    when(!repeated.is_empty(), || quote_list(repeated))
}

fn kid_missing(observation: &Observation) -> Vec<String> {
    all_that(observation, |key| {
        key.verdict.is_ok() && key.text("kid").is_none()
    })
}

fn repeated(observation: &Observation) -> Vec<String> {
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for key in keys(observation) {
        if let (Some(thumbprint), Some(kid)) = (key.thumbprint(), key.text("kid")) {
            let known = names.entry(thumbprint).or_default();
            if !known.contains(&kid) {
                known.push(kid);
            }
        }
    }
    names
        .into_values()
        .filter(|kids| kids.len() > 1)
        .map(quote_list)
        .collect()
}

fn use_missing(observation: &Observation) -> Vec<String> {
    all_that(observation, |key| {
        key.verdict.is_ok() && !key.has("use") && !key.has("key_ops")
    })
}

fn alg_missing(observation: &Observation) -> Vec<String> {
    all_that(observation, |key| key.verdict.is_ok() && !key.has("alg"))
}

fn unsupported(observation: &Observation) -> Vec<String> {
    let unknown = |fault| matches!(fault, JwkFault::KeyType | JwkFault::Algorithm);
    each_with(observation, unknown, |key, fault| {
        format!("{} ({}): {fault}", key.name(), key.kind())
    })
}

/// Whatever fault has no rule of its own.
fn malformed(observation: &Observation) -> Vec<String> {
    let others = |fault| {
        !matches!(
            fault,
            JwkFault::Secret
                | JwkFault::NotForSignatures
                | JwkFault::KeyType
                | JwkFault::Algorithm
                | JwkFault::RsaSize
                | JwkFault::RsaExponent
        )
    };
    each_with(observation, others, |key, fault| {
        format!("{}: {fault}", key.name())
    })
}

fn no_fitting_key(observation: &Observation) -> Vec<String> {
    let offered = observation
        .list("id_token_signing_alg_values_supported")
        .unwrap_or_default();
    let offered: Vec<Algorithm> = offered
        .into_iter()
        .filter_map(Algorithm::from_name)
        .collect();
    let usable: Vec<_> = keys(observation)
        .iter()
        .filter_map(|key| key.verdict.as_ref().ok())
        .collect();
    let fits = usable
        .iter()
        .any(|key| offered.iter().any(|algorithm| key.allows(*algorithm)));
    when(!offered.is_empty() && !usable.is_empty() && !fits, || {
        let names = |algorithms: &mut dyn Iterator<Item = Algorithm>| {
            quote_list(
                algorithms
                    .map(Algorithm::name)
                    .collect::<std::collections::BTreeSet<_>>(),
            )
        };
        let published = names(&mut usable.iter().flat_map(|key| key.algorithms()));
        format!(
            "offered {}, keys for {published}",
            names(&mut offered.iter().copied())
        )
    })
}
