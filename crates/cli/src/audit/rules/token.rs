//! A sample token (RFC 9068, RFC 9700). It is never shown.

use super::super::evidence::{listed, spoken, when};
use super::super::sample::{Sample, Token};
use super::super::{Check, Rule, Seen, Severity};
use portcullis_core::rejection::shown;
use std::time::Duration;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.token_refused",
        severity: Severity::Error,
        section: "RFC 8725, section 3.1",
        title: "the token cannot be read",
        cure: "pass an access token as the provider gives it out; `portcullis explain` tells each \
            check",
        check: Check::Issuer(refused),
    },
    Rule {
        id: "audit.token_opaque",
        severity: Severity::Note,
        section: "RFC 7662, section 1",
        title: "the token is opaque",
        cure: "set up `[issuer.introspection]`, or have the provider give out JWTs for this API",
        check: Check::Issuer(opaque),
    },
    Rule {
        id: "audit.token_issuer",
        severity: Severity::Error,
        section: "RFC 9068, section 4",
        title: "the token is of another issuer",
        cure: "audit the issuer that its `iss` names, letter by letter",
        check: Check::Issuer(other_issuer),
    },
    Rule {
        id: "audit.token_signature",
        severity: Severity::Error,
        section: "RFC 9068, section 4",
        title: "no published key verifies the token",
        cure: "see whether the token is meant for the provider itself, or signed by a key that is \
            no longer published",
        check: Check::Issuer(unverified),
    },
    Rule {
        id: "audit.token_id_token",
        severity: Severity::Error,
        section: "RFC 9068, section 5",
        title: "the token is an ID token",
        cure: "pass an access token: an ID token is for the client, and no API may accept it",
        check: Check::Issuer(id_token),
    },
    Rule {
        id: "audit.token_endless",
        severity: Severity::Error,
        section: "RFC 9068, section 2.2",
        title: "the token has no end",
        cure: "have the provider put `exp` into access tokens",
        check: Check::Issuer(endless),
    },
    Rule {
        id: "audit.token_lifetime",
        severity: Severity::Warning,
        section: "RFC 6750, section 5.3",
        title: "the token lives long",
        cure: "have access tokens end within the hour; longer ones need binding, introspection or \
            our revocations",
        check: Check::Issuer(long_lived),
    },
    Rule {
        id: "audit.token_audience_missing",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.3",
        title: "the token names no audience",
        cure: "have the provider name this API in `aud`: a token for any API can be used at all of \
            them",
        check: Check::Issuer(no_audience),
    },
    Rule {
        id: "audit.token_kid_missing",
        severity: Severity::Warning,
        section: "RFC 7515, section 4.1.4",
        title: "the token does not name its key",
        cure: "have the provider write `kid` into the header: without it every key is tried, and a \
            new one is not fetched",
        check: Check::Issuer(no_kid),
    },
    Rule {
        id: "audit.token_typ",
        severity: Severity::Note,
        section: "RFC 9068, section 2.1",
        title: "the token's type does not say that it is an access token",
        cure: "switch `at+jwt` on where the provider can; then set `profile = \"rfc9068\"`",
        check: Check::Issuer(typ),
    },
    Rule {
        id: "audit.token_claims_missing",
        severity: Severity::Note,
        section: "RFC 9068, section 2.2",
        title: "the token lacks claims of the profile for access tokens",
        cure: "have the provider add them: who called is told by `sub` and `client_id`, and \
            revoked by `jti`",
        check: Check::Issuer(claims_missing),
    },
    Rule {
        id: "audit.token_bearer",
        severity: Severity::Note,
        section: "RFC 9700, section 2.2.1",
        title: "the token is bound to no key",
        cure: "have clients use DPoP or certificates where the provider offers it: whoever steals \
            the token can use it",
        check: Check::Issuer(bearer),
    },
    Rule {
        id: "audit.token_large",
        severity: Severity::Warning,
        section: "RFC 9110, section 5.4",
        title: "the token is large",
        cure: "leave claims out that no API needs: many servers take 8 kB for all header fields \
            together",
        check: Check::Issuer(large),
    },
];

/// A bearer token that lives longer than this is told of: an hour, and the scatter that providers
/// add.
const LONG: i64 = 5_400;
/// Half of what nginx, Apache and Node take for a header.
const LARGE: usize = 4_096;

fn token(seen: &Seen) -> Option<&Token> {
    seen.sample.as_ref().and_then(Sample::token)
}

fn refused(seen: &Seen) -> Vec<String> {
    match &seen.sample {
        Some(Sample::Refused { code, facts }) => vec![format!("{code}: {facts}")],
        _ => Vec::new(),
    }
}

fn opaque(seen: &Seen) -> Vec<String> {
    when(matches!(seen.sample, Some(Sample::Opaque)), || {
        "it is no JWT".to_owned()
    })
}

fn other_issuer(seen: &Seen) -> Vec<String> {
    let named = token(seen).map(|token| token.claims.issuer());
    let other = named.filter(|named| *named != Some(seen.issuer.as_str()));
    other
        .map(|named| {
            format!(
                "its `iss` is {}",
                named.map_or_else(|| "not there".to_owned(), shown)
            )
        })
        .into_iter()
        .collect()
}

fn unverified(seen: &Seen) -> Vec<String> {
    let wrong = token(seen).filter(|token| token.signed == Some(false));
    wrong
        .map(|token| match token.header.kid.as_deref() {
            Some(kid) => format!(
                "its `kid` is {}, its `alg` {}",
                shown(kid),
                token.header.algorithm
            ),
            None => format!("it names no `kid`; its `alg` is {}", token.header.algorithm),
        })
        .into_iter()
        .collect()
}

/// By its type, or by claims that only ID tokens have; a type that says otherwise is believed.
fn id_token(seen: &Seen) -> Vec<String> {
    let Some(token) = token(seen).filter(|token| token.typ().as_deref() != Some("at+jwt")) else {
        return Vec::new();
    };
    let telling: Vec<&str> = ["nonce", "at_hash", "c_hash"]
        .into_iter()
        .filter(|name| token.claims.has(name))
        .collect();
    let says = |name: &str, value: &str| {
        token
            .claims
            .claim(name)
            .and_then(|it| it.as_str())
            .is_some_and(|text| text.eq_ignore_ascii_case(value))
    };
    let said = says("token_use", "id") || says("typ", "ID");
    let mut told = when(!telling.is_empty(), || {
        format!("it holds {}", listed(telling))
    });
    told.extend(when(said, || "its own claim says so".to_owned()));
    told
}

fn endless(seen: &Seen) -> Vec<String> {
    when(
        token(seen).is_some_and(|token| token.claims.expires().is_none()),
        || "no `exp`".to_owned(),
    )
}

fn long_lived(seen: &Seen) -> Vec<String> {
    let unbound = token(seen).filter(|token| token.claims.confirmation().is_none());
    let life = unbound
        .and_then(Token::lifetime)
        .filter(|seconds| *seconds > LONG);
    life.map(|seconds| spoken(Duration::from_secs(seconds.unsigned_abs())))
        .into_iter()
        .collect()
}

fn no_audience(seen: &Seen) -> Vec<String> {
    when(
        token(seen).is_some_and(|token| token.claims.audience().is_none()),
        || "no `aud`".to_owned(),
    )
}

fn no_kid(seen: &Seen) -> Vec<String> {
    when(
        token(seen).is_some_and(|token| token.header.kid.is_none()),
        || "no `kid`".to_owned(),
    )
}

fn typ(seen: &Seen) -> Vec<String> {
    let other = token(seen)
        .map(Token::typ)
        .filter(|typ| typ.as_deref() != Some("at+jwt"));
    other
        .map(|typ| {
            format!(
                "its `typ` is {}",
                typ.map_or_else(|| "not there".to_owned(), |typ| shown(&typ))
            )
        })
        .into_iter()
        .collect()
}

fn claims_missing(seen: &Seen) -> Vec<String> {
    let Some(token) = token(seen) else {
        return Vec::new();
    };
    let missing: Vec<&str> = ["sub", "client_id", "iat", "jti"]
        .into_iter()
        .filter(|name| !token.claims.has(name))
        .collect();
    when(!missing.is_empty(), || {
        format!("not there: {}", listed(missing))
    })
}

fn bearer(seen: &Seen) -> Vec<String> {
    when(
        token(seen).is_some_and(|token| token.claims.confirmation().is_none()),
        || "no `cnf`".to_owned(),
    )
}

fn large(seen: &Seen) -> Vec<String> {
    let bytes = token(seen)
        .map(|token| token.bytes)
        .filter(|bytes| *bytes > LARGE);
    bytes
        .map(|bytes| format!("{bytes} bytes"))
        .into_iter()
        .collect()
}
