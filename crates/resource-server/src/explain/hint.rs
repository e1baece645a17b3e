//! The usual mistakes, recognised from what the token says of itself.
//!
//! A hint is for a person who holds the token. It decides nothing, and proves nothing.

use portcullis_core::Dialect;
use portcullis_core::jose::json::Json;
use portcullis_core::jose::{Algorithm, UnverifiedToken};
use portcullis_core::rejection::Code;
use portcullis_core::token::{Claims, NumericDate};
use portcullis_core::verify::Verifier;

/// What was seen, and the provider's own setting that cures the refusal.
pub(super) fn with_cure(seen: Option<String>, dialect: &Dialect, code: &str) -> Option<String> {
    let code = Code::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == code);
    match (seen, code.and_then(|code| dialect.cure(code))) {
        (Some(seen), Some(cure)) => Some(format!("{seen}; {cure}")),
        (seen, cure) => seen.or_else(|| cure.map(str::to_owned)),
    }
}

/// What probably went wrong with a text that is no signed JWT.
pub(super) fn of_unreadable(token: &str) -> Option<String> {
    let segments: Vec<&str> = token.split('.').collect();
    let hint = match segments.as_slice() {
        [""] => "there is no token: the argument or the input is empty",
        [only] if only.len() > 100 && only.starts_with("ey") => {
            "this is the first part of a JWT: the token was cut at a dot"
        }
        [_] => {
            "this is an opaque token, and introspection is not set up: add \
                `[issuer.introspection]`, or ask the provider for a \
             JWT (often by naming the API as audience or resource when asking for the token)"
        }
        [header, _] if header.starts_with("ey") => {
            "the signature is missing: the token was cut at the end"
        }
        [_, _, _, _, _] => {
            "this is an encrypted JWT; have the provider issue signed ones that are not encrypted"
        }
        [header, _, signature] if header.starts_with("ey") => of_compact(header, signature)?,
        _ => return None,
    };
    Some(hint.to_owned())
}

/// What probably went wrong with a token that the issuer was asked about.
pub(super) fn of_answer(code: &str, claims: Option<&Claims>) -> Option<String> {
    let is = |wanted: Code| code == wanted.as_str();
    if is(Code::TokenInactive) {
        return Some(
            "the issuer says no more than that: the token ended, was revoked, is of another \
                environment, or this API's \
             client may not ask about it"
                .to_owned(),
        );
    }
    if is(Code::TokenType) && claims?.claim("token_type").is_none() && claims?.audience().is_none()
    {
        return Some(
            "the issuer's answer says neither for whom the token is nor which token it is: have it \
                name this API in `aud`, or \
             say `token_type`; if that endpoint knows nothing but access tokens, set \
             `danger_answers_without_type`"
                .to_owned(),
        );
    }
    (is(Code::TokenAudience) && claims?.audience().is_none()).then(|| {
        "the issuer's answer names no audience: have it name this API; if that endpoint answers \
            for this API alone, set \
         `danger_answers_without_audience`"
            .to_owned()
    })
}

fn of_compact(header: &str, signature: &str) -> Option<&'static str> {
    let header = portcullis_core::jose::base64url::decode(header).ok()?;
    let header =
        portcullis_core::jose::json::parse(&header, &portcullis_core::Limits::default()).ok()?;
    let name = header.as_object()?.get("alg")?.as_str()?;
    if name.starts_with("HS") {
        return Some(
            "the provider signs with a shared secret; choose an asymmetric algorithm such as RS256 \
                in its settings for \
             this API",
        );
    }
    if name.eq_ignore_ascii_case("none") {
        return Some("nobody signed this token");
    }
    let complete = signature_length(Algorithm::from_name(name)?);
    (signature.len() < complete)
        .then_some("the signature is too short: the token was cut at the end")
}

/// The least length of a signature in base64url.
fn signature_length(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::ES256 | Algorithm::EdDSA => 86,
        Algorithm::ES384 => 128,
        Algorithm::ES512 => 176,
        _ => 342,
    }
}

/// What probably went wrong with a token of an issuer that is not configured.
pub(super) fn of_issuer<'v>(
    claims: &Claims,
    mut configured: impl Iterator<Item = &'v Verifier>,
) -> Option<String> {
    let found = claims.issuer()?;
    configured.find_map(|verifier| {
        let expected = verifier.issuer().as_str();
        let bare = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
        if found.trim_end_matches('/') == expected.trim_end_matches('/') {
            let more = if found.ends_with('/') {
                "has a final slash, and the settings have none"
            } else {
                "has no final slash, and the settings have one"
            };
            return Some(format!(
                "the token's issuer {more}: write OAUTH2_ISSUER exactly as the \
                token does"
            ));
        }
        if bare(found) == bare(expected) {
            return Some(
                "the issuers differ in upper and lower case only: write it exactly as the token \
                    does"
                    .to_owned(),
            );
        }
        entra_versions(found, expected)
    })
}

/// Entra ID: the API's registration chooses the version of its tokens, not the client.
fn entra_versions(found: &str, expected: &str) -> Option<String> {
    let (v1, v2) = (
        "https://sts.windows.net/",
        "https://login.microsoftonline.com/",
    );
    if found.starts_with(v1) && expected.starts_with(v2) {
        return Some(
            "this is a v1 token of Entra ID, and the settings expect v2: set \
                `requestedAccessTokenVersion` to 2 in the \
             manifest of the API's app registration, or configure the v1 issuer"
                .to_owned(),
        );
    }
    (found.starts_with(v2) && expected.starts_with(v1)).then(|| {
        "this is a v2 token of Entra ID, and the settings expect v1: configure the issuer that \
            ends in `/v2.0`"
            .to_owned()
    })
}

/// What probably went wrong at this step.
pub(super) fn of_step(
    code: &str,
    token: &UnverifiedToken<'_>,
    verifier: &Verifier,
    now: NumericDate,
) -> Option<String> {
    let claims = token.unverified_claims();
    let is = |wanted: Code| code == wanted.as_str();
    if is(Code::TokenType) || is(Code::TokenIdToken) {
        return kind_of(claims);
    }
    if is(Code::TokenAudience) {
        return of_audience(claims, verifier);
    }
    if is(Code::TokenExpired) || is(Code::TokenNotYetValid) {
        return of_clock(claims, now);
    }
    is(Code::TokenKeyUnknown).then(|| {
        "the issuer does not publish this key: the token is older than its last change of keys, or \
            comes from another \
         environment of the same provider"
            .to_owned()
    })
}

fn kind_of(claims: &Claims) -> Option<String> {
    if claims.has("events") {
        return Some("this is a logout token or a security event, not an access token".to_owned());
    }
    let id_token = ["nonce", "at_hash", "c_hash"]
        .into_iter()
        .any(|name| claims.has(name));
    id_token.then(|| {
        "this is an ID token: send the `access_token` of the same answer instead".to_owned()
    })
}

fn of_audience(claims: &Claims, verifier: &Verifier) -> Option<String> {
    let audience = claims.audience()?;
    if audience.as_str().is_some() && audience.as_str() == claims.client() {
        return Some(
            "the token is meant for the client itself, as ID tokens are: ask for a token \
                for this API"
                .to_owned(),
        );
    }
    let own = verifier.audiences().to_string();
    let found = match audience {
        Json::String(text) => vec![&**text],
        Json::Array(elements) => elements.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    let near = |text: &&str| {
        let bare = text.trim_start_matches("api://").trim_end_matches('/');
        !bare.is_empty()
            && own
                .to_ascii_lowercase()
                .contains(&bare.to_ascii_lowercase())
    };
    found.iter().any(near).then(|| {
        "the audiences differ by `api://`, a final slash or letter case only; Entra ID writes the \
            bare id into v2 tokens \
         and the App ID URI into v1 tokens"
            .to_owned()
    })
}

fn of_clock(claims: &Claims, now: NumericDate) -> Option<String> {
    let ahead = claims
        .issued_at()
        .or(claims.not_before())
        .map(|issued| issued.since(now))
        .filter(|ahead| *ahead > 0);
    if let Some(ahead) = ahead {
        return Some(format!(
            "the issuer's clock is {ahead} s ahead of this one: synchronise both"
        ));
    }
    let age = now.since(claims.expires()?);
    (0..600).contains(&age).then(|| {
        format!("it ended {age} s ago: renew tokens before they end, and compare the clocks")
    })
}
