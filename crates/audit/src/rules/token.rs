//! A sample token (RFC 9068, RFC 9700). It is never shown.

use crate::evidence::{format_duration, quote_list, when};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use crate::sample::{SampleJwt, SampleToken};
use portcullis_core::rejection::quote;
use std::time::Duration;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.token_refused",
        severity: Severity::Error,
        section: "RFC 8725, section 3.1",
        title: "the token cannot be read",
        cure: "pass an access token as the provider gives it out; `portcullis explain` tells each \
            check",
        check: RuleCheck::Issuer(refused),
    },
    Rule {
        id: "audit.token_opaque",
        severity: Severity::Note,
        section: "RFC 7662, section 1",
        title: "the token is opaque",
        cure: "set up `[issuer.introspection]`, or have the provider give out JWTs for this API",
        check: RuleCheck::Issuer(opaque),
    },
    Rule {
        id: "audit.token_issuer",
        severity: Severity::Error,
        section: "RFC 9068, section 4",
        title: "the token is of another issuer",
        cure: "audit the issuer that its `iss` names, letter by letter",
        check: RuleCheck::Issuer(other_issuer),
    },
    Rule {
        id: "audit.token_signature",
        severity: Severity::Error,
        section: "RFC 9068, section 4",
        title: "no published key verifies the token",
        cure: "see whether the token is meant for the provider itself, or signed by a key that is \
            no longer published",
        check: RuleCheck::Issuer(unverified),
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
        title: "the token has no end",
        cure: "have the provider put `exp` into access tokens",
        check: RuleCheck::Issuer(endless),
    },
    Rule {
        id: "audit.token_lifetime",
        severity: Severity::Warning,
        section: "RFC 6750, section 5.3",
        title: "the token lives long",
        cure: "have access tokens end within the hour; longer ones need binding, introspection or \
            our revocations",
        check: RuleCheck::Issuer(long_lived),
    },
    Rule {
        id: "audit.token_audience_missing",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.3",
        title: "the token names no audience",
        cure: "have the provider name this API in `aud`: a token for any API can be used at all of \
            them",
        check: RuleCheck::Issuer(no_audience),
    },
    Rule {
        id: "audit.token_kid_missing",
        severity: Severity::Warning,
        section: "RFC 7515, section 4.1.4",
        title: "the token does not name its key",
        cure: "have the provider write `kid` into the header: without it every key is tried, and a \
            new one is not fetched",
        check: RuleCheck::Issuer(no_kid),
    },
    Rule {
        id: "audit.token_typ",
        severity: Severity::Note,
        section: "RFC 9068, section 2.1",
        title: "the token's type does not say that it is an access token",
        cure: "switch `at+jwt` on where the provider can; then set `profile = \"rfc9068\"`",
        check: RuleCheck::Issuer(typ),
    },
    Rule {
        id: "audit.token_claims_missing",
        severity: Severity::Note,
        section: "RFC 9068, section 2.2",
        title: "the token lacks claims of the profile for access tokens",
        cure: "have the provider add them: who called is told by `sub` and `client_id`, and \
            revoked by `jti`",
        check: RuleCheck::Issuer(claims_missing),
    },
    Rule {
        id: "audit.token_bearer",
        severity: Severity::Note,
        section: "RFC 9700, section 2.2.1",
        title: "the token is bound to no key",
        cure: "have clients use DPoP or certificates where the provider offers it: whoever steals \
            the token can use it",
        check: RuleCheck::Issuer(bearer),
    },
    Rule {
        id: "audit.token_large",
        severity: Severity::Warning,
        section: "RFC 9110, section 5.4",
        title: "the token is large",
        cure: "leave claims out that no API needs: many servers take 8 kB for all header fields \
            together",
        check: RuleCheck::Issuer(large),
    },
];

/// A bearer token that lives longer than this is told of: an hour, and the scatter that providers
/// add.
const LONG: i64 = 5_400;
/// Half of what nginx, Apache and Node take for a header.
const LARGE: usize = 4_096;

fn token(observation: &Observation) -> Option<&SampleJwt> {
    observation.sample.as_ref().and_then(SampleToken::jwt)
}

fn refused(observation: &Observation) -> Vec<String> {
    match &observation.sample {
        Some(SampleToken::Malformed { code, facts }) => vec![format!("{code}: {facts}")],
        _ => Vec::new(),
    }
}

fn opaque(observation: &Observation) -> Vec<String> {
    when(
        matches!(observation.sample, Some(SampleToken::Opaque)),
        || "it is no JWT".to_owned(),
    )
}

fn other_issuer(observation: &Observation) -> Vec<String> {
    let named = token(observation).map(|token| token.claims.issuer());
    let other = named.filter(|named| *named != Some(observation.issuer.as_str()));
    other
        .map(|named| {
            format!(
                "its `iss` is {}",
                named.map_or_else(|| "not there".to_owned(), quote)
            )
        })
        .into_iter()
        .collect()
}

fn unverified(observation: &Observation) -> Vec<String> {
    let wrong = token(observation).filter(|token| token.verified == Some(false));
    wrong
        .map(|token| match token.header.kid.as_deref() {
            Some(kid) => format!(
                "its `kid` is {}, its `alg` {}",
                quote(kid),
                token.header.algorithm
            ),
            None => format!("it names no `kid`; its `alg` is {}", token.header.algorithm),
        })
        .into_iter()
        .collect()
}

/// By its type, or by claims that only ID tokens have; a type that says otherwise is believed.
fn id_token(observation: &Observation) -> Vec<String> {
    let Some(token) = token(observation).filter(|token| token.typ().as_deref() != Some("at+jwt"))
    else {
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
        format!("it holds {}", quote_list(telling))
    });
    told.extend(when(said, || "its own claim says so".to_owned()));
    told
}

fn endless(observation: &Observation) -> Vec<String> {
    when(
        token(observation).is_some_and(|token| token.claims.expires().is_none()),
        || "no `exp`".to_owned(),
    )
}

fn long_lived(observation: &Observation) -> Vec<String> {
    let unbound = token(observation).filter(|token| token.claims.confirmation().is_none());
    let life = unbound
        .and_then(SampleJwt::lifetime)
        .filter(|seconds| *seconds > LONG);
    life.map(|seconds| format_duration(Duration::from_secs(seconds.unsigned_abs())))
        .into_iter()
        .collect()
}

fn no_audience(observation: &Observation) -> Vec<String> {
    when(
        token(observation).is_some_and(|token| token.claims.audience().is_none()),
        || "no `aud`".to_owned(),
    )
}

fn no_kid(observation: &Observation) -> Vec<String> {
    when(
        token(observation).is_some_and(|token| token.header.kid.is_none()),
        || "no `kid`".to_owned(),
    )
}

fn typ(observation: &Observation) -> Vec<String> {
    let other = token(observation)
        .map(SampleJwt::typ)
        .filter(|typ| typ.as_deref() != Some("at+jwt"));
    other
        .map(|typ| {
            format!(
                "its `typ` is {}",
                typ.map_or_else(|| "not there".to_owned(), |typ| quote(&typ))
            )
        })
        .into_iter()
        .collect()
}

fn claims_missing(observation: &Observation) -> Vec<String> {
    let Some(token) = token(observation) else {
        return Vec::new();
    };
    let missing: Vec<&str> = ["sub", "client_id", "iat", "jti"]
        .into_iter()
        .filter(|name| !token.claims.has(name))
        .collect();
    when(!missing.is_empty(), || {
        format!("not there: {}", quote_list(missing))
    })
}

fn bearer(observation: &Observation) -> Vec<String> {
    when(
        token(observation).is_some_and(|token| token.claims.confirmation().is_none()),
        || "no `cnf`".to_owned(),
    )
}

fn large(observation: &Observation) -> Vec<String> {
    let bytes = token(observation)
        .map(|token| token.bytes)
        .filter(|bytes| *bytes > LARGE);
    bytes
        .map(|bytes| format!("{bytes} bytes"))
        .into_iter()
        .collect()
}
