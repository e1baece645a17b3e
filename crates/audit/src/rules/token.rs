//! A sample token (RFC 9068, RFC 9700). No evidence shows the token itself.

use crate::evidence::{format_duration, quote_list, when};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use crate::sample::{SampleJwt, SampleToken};
use portcullis_core::jose::json::Json;
use portcullis_core::rejection::{Code, Facts, quote};
use std::time::Duration;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.token_refused",
        severity: Severity::Error,
        section: "RFC 8725, section 3.1",
        title: "the token cannot be read",
        cure: "pass an access token exactly as the provider issues it; `portcullis explain` \
            shows each check",
        check: RuleCheck::Issuer(malformed_token),
    },
    Rule {
        id: "audit.token_unsigned",
        severity: Severity::Error,
        section: "RFC 8725, section 3.1",
        title: "the token is not signed with a private key of the issuer",
        cure: "if the provider issues it so, have it sign with an asymmetric algorithm such as \
            RS256: anybody can write a token with `none`, and with HMAC every API that verifies \
            tokens can; if it does not, somebody forged this one",
        check: RuleCheck::Issuer(no_signature),
    },
    Rule {
        id: "audit.token_opaque",
        severity: Severity::Note,
        section: "RFC 7662, section 1",
        title: "the token is opaque",
        cure: "configure `[issuer.introspection]`, or have the provider issue JWTs for this API",
        check: RuleCheck::Issuer(opaque),
    },
    Rule {
        id: "audit.token_encrypted",
        severity: Severity::Warning,
        section: "RFC 9068, section 2.1",
        title: "the token is encrypted",
        cure: "have the provider issue signed access tokens for this API, not encrypted ones: only \
            the holder of the key can read those, and a server of ours has none",
        check: RuleCheck::Issuer(encryption),
    },
    Rule {
        id: "audit.token_issuer",
        severity: Severity::Error,
        section: "RFC 9068, section 4",
        title: "the token belongs to another issuer",
        cure: "audit the issuer exactly as its `iss` spells it",
        check: RuleCheck::Issuer(other_issuer),
    },
    Rule {
        id: "audit.token_signature",
        severity: Severity::Error,
        section: "RFC 9068, section 4",
        title: "no published key verifies the token",
        cure: "check whether the token is for the provider itself, or signed by a key that is no \
            longer published",
        check: RuleCheck::Issuer(unverified_token),
    },
    Rule {
        id: "audit.token_id_token",
        severity: Severity::Error,
        section: "RFC 9068, section 5",
        title: "the token is an ID token",
        cure: "pass an access token: an ID token is for the client, and no API may accept it",
        check: RuleCheck::Issuer(id_token),
    },
    Rule {
        id: "audit.token_endless",
        severity: Severity::Error,
        section: "RFC 9068, section 2.2",
        title: "the token never expires",
        cure: "have the provider put `exp` into access tokens",
        check: RuleCheck::Issuer(endless),
    },
    Rule {
        id: "audit.token_lifetime",
        severity: Severity::Warning,
        section: "RFC 6750, section 5.3",
        title: "the token lives long",
        cure: "have access tokens expire within the hour; longer ones need binding, \
            introspection or our revocations",
        check: RuleCheck::Issuer(long_lived),
    },
    Rule {
        id: "audit.token_audience_missing",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.3",
        title: "the token has no audience",
        cure: "have the provider put this API into `aud`: a token without it works at every API",
        check: RuleCheck::Issuer(no_audience),
    },
    Rule {
        id: "audit.token_kid_missing",
        severity: Severity::Warning,
        section: "RFC 7515, section 4.1.4",
        title: "the token does not name its key",
        cure: "have the provider put `kid` into the header: without it every key is tried, and \
            new ones are not fetched",
        check: RuleCheck::Issuer(no_kid),
    },
    Rule {
        id: "audit.token_typ",
        severity: Severity::Note,
        section: "RFC 9068, section 2.1",
        title: "the type of the token is not that of an access token",
        cure: "enable `at+jwt` if the provider supports it; then set `profile = \"rfc9068\"`",
        check: RuleCheck::Issuer(typ),
    },
    Rule {
        id: "audit.token_claims_missing",
        severity: Severity::Note,
        section: "RFC 9068, section 2.2",
        title: "the token lacks claims of the profile for access tokens",
        cure: "have the provider add them: `sub` and `client_id` name the caller, `jti` allows a \
            revocation",
        check: RuleCheck::Issuer(claims_missing),
    },
    Rule {
        id: "audit.token_bearer",
        severity: Severity::Note,
        section: "RFC 9700, section 2.2.1",
        title: "the token is not bound to a key",
        cure: "have clients use DPoP or certificates if the provider supports them: a thief can \
            use this token",
        check: RuleCheck::Issuer(bearer),
    },
    Rule {
        id: "audit.token_large",
        severity: Severity::Warning,
        section: "RFC 9110, section 5.4",
        title: "the token is large",
        cure: "leave out claims that no API needs: many servers accept 8 kB for all header \
            fields together",
        check: RuleCheck::Issuer(large),
    },
];

/// A longer lifetime of a bearer token, in seconds, is worth a finding: an hour, and the scatter
/// that providers add.
const LONG: i64 = 5_400;
/// Half of the room that nginx, Apache and Node have for a header, in bytes.
const LARGE: usize = 4_096;

/// Evidence in a sample that is a JWT.
fn in_jwt(observation: &Observation, find: fn(&SampleJwt) -> Option<String>) -> Vec<String> {
    match observation.sample.as_ref().and_then(SampleToken::jwt) {
        Some(token) => Vec::from_iter(find(token)),
        None => Vec::new(),
    }
}

fn malformed_token(observation: &Observation) -> Vec<String> {
    match &observation.sample {
        Some(SampleToken::Malformed { code, facts }) if !is_unsigned(*code, facts) => {
            vec![format!("{code}: {facts}")]
        }
        _ => Vec::new(),
    }
}

fn no_signature(observation: &Observation) -> Vec<String> {
    match &observation.sample {
        Some(SampleToken::Malformed { code, facts }) if is_unsigned(*code, facts) => {
            vec![format!("its `alg` is {}", facts.found())]
        }
        _ => Vec::new(),
    }
}

/// Whether the refusal is of `none`, or of HMAC (RFC 7518, sections 3.2 and 3.6).
fn is_unsigned(code: Code, facts: &Facts) -> bool {
    let name = facts.found().trim_matches('`');
    let is_none = name.eq_ignore_ascii_case("none");
    code == Code::TokenAlgorithm && (is_none || ["HS256", "HS384", "HS512"].contains(&name))
}

fn opaque(observation: &Observation) -> Vec<String> {
    let is_opaque = matches!(observation.sample, Some(SampleToken::Opaque));
    when(is_opaque, "it is not a JWT")
}

fn encryption(observation: &Observation) -> Vec<String> {
    let is_encrypted = matches!(observation.sample, Some(SampleToken::Encrypted));
    when(
        is_encrypted,
        "it is a JWE: five parts, with `enc` in its header",
    )
}

fn other_issuer(observation: &Observation) -> Vec<String> {
    let Some(token) = observation.sample.as_ref().and_then(SampleToken::jwt) else {
        return Vec::new();
    };
    match token.claims.issuer() {
        Some(issuer) if issuer == observation.issuer.as_str() => Vec::new(),
        Some(issuer) => vec![format!("its `iss` is {}", quote(issuer))],
        None => vec!["its `iss` is not there".to_owned()],
    }
}

fn unverified_token(observation: &Observation) -> Vec<String> {
    in_jwt(observation, |token| {
        if token.verified != Some(false) {
            return None;
        }
        // The names of key and algorithm show whether the wrong key set was asked.
        let algorithm = token.header.algorithm;
        Some(match token.header.kid.as_deref() {
            Some(kid) => format!("its `kid` is {}, its `alg` {algorithm}", quote(kid)),
            None => format!("it names no `kid`; its `alg` is {algorithm}"),
        })
    })
}

fn id_token(observation: &Observation) -> Vec<String> {
    let Some(token) = observation.sample.as_ref().and_then(SampleToken::jwt) else {
        return Vec::new();
    };
    // A type that says access token settles it (RFC 9068, section 2.1).
    if token.typ().as_deref() == Some("at+jwt") {
        return Vec::new();
    }
    let mut evidence = Vec::new();
    // OpenID Connect Core 1.0, sections 2 and 3.3.2.11: these claims bind an ID token to its
    // sign-in.
    let telling = present(token, &["nonce", "at_hash", "c_hash"], true);
    if !telling.is_empty() {
        evidence.push(format!("it holds {}", quote_list(telling)));
    }
    // Amazon Cognito writes `token_use`; Keycloak writes `typ` among the claims.
    if says(token, "token_use", "id") || says(token, "typ", "ID") {
        evidence.push("its own claim says so".to_owned());
    }
    evidence
}

fn says(token: &SampleJwt, name: &str, value: &str) -> bool {
    match token.claims.claim(name).and_then(Json::as_str) {
        Some(text) => text.eq_ignore_ascii_case(value),
        None => false,
    }
}

/// The claims of these that the token has, or has not.
fn present<'n>(token: &SampleJwt, names: &[&'n str], is_there: bool) -> Vec<&'n str> {
    let mut found = Vec::new();
    for name in names {
        if token.claims.has(name) == is_there {
            found.push(*name);
        }
    }
    found
}

fn endless(observation: &Observation) -> Vec<String> {
    in_jwt(observation, |token| {
        missing(token.claims.expires().as_ref(), "exp")
    })
}

/// Evidence that a claim or header parameter is missing.
fn missing<T>(value: Option<&T>, name: &str) -> Option<String> {
    match value {
        Some(_) => None,
        None => Some(format!("no `{name}`")),
    }
}

fn long_lived(observation: &Observation) -> Vec<String> {
    in_jwt(observation, |token| {
        // A thief cannot use a token that is bound to a key, however long it lives.
        if token.claims.confirmation().is_some() {
            return None;
        }
        let seconds = token.lifetime()?;
        let lifetime = Duration::from_secs(seconds.unsigned_abs());
        (seconds > LONG).then(|| format_duration(lifetime))
    })
}

fn no_audience(observation: &Observation) -> Vec<String> {
    in_jwt(observation, |token| {
        missing(token.claims.audience().as_ref(), "aud")
    })
}

fn no_kid(observation: &Observation) -> Vec<String> {
    in_jwt(observation, |token| {
        missing(token.header.kid.as_ref(), "kid")
    })
}

fn typ(observation: &Observation) -> Vec<String> {
    in_jwt(observation, |token| match token.typ().as_deref() {
        Some("at+jwt") => None,
        Some(typ) => Some(format!("its `typ` is {}", quote(typ))),
        None => Some("its `typ` is not there".to_owned()),
    })
}

fn claims_missing(observation: &Observation) -> Vec<String> {
    in_jwt(observation, |token| {
        // RFC 9068, section 2.2 demands `iss`, `exp` and `aud` as well: they have rules of their
        // own.
        let missing = present(token, &["sub", "client_id", "iat", "jti"], false);
        (!missing.is_empty()).then(|| format!("not there: {}", quote_list(missing)))
    })
}

fn bearer(observation: &Observation) -> Vec<String> {
    in_jwt(observation, |token| {
        missing(token.claims.confirmation().as_ref(), "cnf")
    })
}

fn large(observation: &Observation) -> Vec<String> {
    in_jwt(observation, |token| {
        (token.bytes > LARGE).then(|| format!("{} bytes", token.bytes))
    })
}
