//! The usual mistakes, recognised by what the token itself says.
//!
//! A hint is for a person who holds the token. It decides nothing, and proves nothing.

use portcullis_core::jose::json::{self, Json};
use portcullis_core::jose::{Algorithm, UnverifiedToken, base64url};
use portcullis_core::rejection::Code;
use portcullis_core::token::{Claims, NumericDate};
use portcullis_core::verify::Verifier;
use portcullis_core::{Dialect, Limits};

/// A mistake that was recognised, and the provider's own setting that cures the refusal.
pub(super) fn with_cure(seen: Option<String>, dialect: &Dialect, code: &str) -> Option<String> {
    let mut cure = None;
    for known in Code::ALL {
        if known.as_str() == code {
            cure = dialect.cure(*known);
        }
    }
    match (seen, cure) {
        (Some(seen), Some(cure)) => Some(format!("{seen}; {cure}")),
        (seen, cure) => seen.or_else(|| cure.map(str::to_owned)),
    }
}

/// The probable mistake in a text that is no signed JWT.
pub(super) fn of_unreadable(token: &str) -> Option<String> {
    let segments: Vec<&str> = token.split('.').collect();
    // `ey` is how `{"` begins in base64url, so a JWT's header begins with it.
    let hint = match segments.as_slice() {
        [""] => "there is no token: the argument or the input is empty",
        [only] if only.len() > 100 && only.starts_with("ey") => {
            "this is the first part of a JWT: the token was cut at a dot"
        }
        [_] => {
            "this is an opaque token, and introspection is not set up: add \
                `[issuer.introspection]`, or ask the provider for a JWT (often by naming the API \
                as audience or resource when asking for the token)"
        }
        [header, _] if header.starts_with("ey") => {
            "the signature is missing: the token was cut at the end"
        }
        // RFC 7516, section 3.1: an encrypted token has five parts.
        [_, _, _, _, _] => {
            "this is an encrypted JWT: have the provider issue signed ones that are not encrypted"
        }
        [header, _, signature] if header.starts_with("ey") => of_compact(header, signature)?,
        _ => return None,
    };
    Some(hint.to_owned())
}

/// The probable mistake with a token that the issuer was asked about.
pub(super) fn of_answer(code: &str, claims: Option<&Claims>) -> Option<String> {
    let is = |wanted: Code| code == wanted.as_str();
    if is(Code::TokenInactive) {
        // RFC 7662, section 2.2: the issuer should not say why.
        let hint = "the issuer says only that the token is not active: it ended, was revoked, is \
            of another environment, or this API's client may not ask about it";
        return Some(hint.to_owned());
    }
    let claims = claims?;
    if claims.audience().is_some() {
        return None;
    }
    if is(Code::TokenType) && claims.claim("token_type").is_none() {
        let hint = "the issuer's answer names neither the token's audience nor its type: have it \
            name this API in `aud`, or send `token_type`; if that endpoint knows nothing but \
            access tokens, set `danger_answers_without_type`";
        return Some(hint.to_owned());
    }
    if is(Code::TokenAudience) {
        let hint = "the issuer's answer names no audience: have it name this API; if that endpoint \
            answers for this API alone, set `danger_answers_without_audience`";
        return Some(hint.to_owned());
    }
    None
}

fn of_compact(header: &str, signature: &str) -> Option<&'static str> {
    let header = base64url::decode(header).ok()?;
    let header = json::parse(&header, &Limits::default()).ok()?;
    let name = header.as_object()?.get("alg")?.as_str()?;
    if name.starts_with("HS") {
        let hint = "the provider signs with a shared secret: choose an asymmetric algorithm such \
            as RS256 in its settings for this API";
        return Some(hint);
    }
    if name.eq_ignore_ascii_case("none") {
        return Some("nobody signed this token");
    }
    let complete = signature_length(Algorithm::from_name(name)?);
    if signature.len() < complete {
        return Some("the signature is too short: the token was cut at the end");
    }
    None
}

/// The least length of a signature in base64url.
fn signature_length(algorithm: Algorithm) -> usize {
    match algorithm {
        // RFC 7518, section 3.4, and RFC 8032: 64, 96 and 132 bytes, as base64url without padding.
        Algorithm::ES256 | Algorithm::EdDSA => 86,
        Algorithm::ES384 => 128,
        Algorithm::ES512 => 176,
        // RSA, with the smallest key that is accepted: 2,048 bits.
        _ => 342,
    }
}

/// The probable mistake with a token of an issuer that is not configured.
pub(super) fn of_issuer<'v>(
    claims: &Claims,
    configured: impl Iterator<Item = &'v Verifier>,
) -> Option<String> {
    let found = claims.issuer()?;
    for verifier in configured {
        let hint = of_two_issuers(found, verifier.issuer().as_str());
        if hint.is_some() {
            return hint;
        }
    }
    None
}

fn of_two_issuers(found: &str, expected: &str) -> Option<String> {
    let (bare_found, bare_expected) = (found.trim_end_matches('/'), expected.trim_end_matches('/'));
    if bare_found == bare_expected {
        let difference = if found.ends_with('/') {
            "has a final slash, and the settings have none"
        } else {
            "has no final slash, and the settings have one"
        };
        return Some(format!(
            "the token's issuer {difference}: write OAUTH2_ISSUER exactly as the token does"
        ));
    }
    if bare_found.eq_ignore_ascii_case(bare_expected) {
        let hint = "the issuers differ in upper and lower case only: write it exactly as the token \
            does";
        return Some(hint.to_owned());
    }
    entra_versions(found, expected)
}

/// Entra ID: the API's registration chooses the version of its tokens, not the client.
fn entra_versions(found: &str, expected: &str) -> Option<String> {
    const V1: &str = "https://sts.windows.net/";
    const V2: &str = "https://login.microsoftonline.com/";
    if found.starts_with(V1) && expected.starts_with(V2) {
        let hint = "this is a v1 token of Entra ID, and the settings expect v2: set \
            `requestedAccessTokenVersion` to 2 in the manifest of the API's app registration, or \
            configure the v1 issuer";
        return Some(hint.to_owned());
    }
    if found.starts_with(V2) && expected.starts_with(V1) {
        let hint = "this is a v2 token of Entra ID, and the settings expect v1: configure the \
            issuer that ends in `/v2.0`";
        return Some(hint.to_owned());
    }
    None
}

/// The probable mistake at this step.
pub(super) fn of_step(
    code: &str,
    token: &UnverifiedToken<'_>,
    verifier: &Verifier,
    now: NumericDate,
) -> Option<String> {
    let claims = token.unverified_claims();
    let is = |wanted: Code| code == wanted.as_str();
    if is(Code::TokenType) || is(Code::TokenIdToken) {
        return of_kind(claims);
    }
    if is(Code::TokenAudience) {
        return of_audience(claims, verifier);
    }
    if is(Code::TokenExpired) || is(Code::TokenNotYetValid) {
        return of_clock(claims, now);
    }
    if is(Code::TokenKeyUnknown) {
        let hint = "the issuer does not publish this key: the token is older than its last change \
            of keys, or comes from another environment of the same provider";
        return Some(hint.to_owned());
    }
    None
}

fn of_kind(claims: &Claims) -> Option<String> {
    // RFC 8417: only security events and logout tokens have this claim.
    if claims.has("events") {
        let hint = "this is a logout token or a security event, not an access token";
        return Some(hint.to_owned());
    }
    // Claims that bind an ID token to its sign-in (OpenID Connect Core, sections 2 and 3.3.2.11).
    if claims.has("nonce") || claims.has("at_hash") || claims.has("c_hash") {
        let hint = "this is an ID token: send the `access_token` of the same answer instead";
        return Some(hint.to_owned());
    }
    None
}

fn of_audience(claims: &Claims, verifier: &Verifier) -> Option<String> {
    let audience = claims.audience()?;
    if audience.as_str().is_some() && audience.as_str() == claims.client() {
        let hint = "the token is meant for the client itself, as ID tokens are: ask for a token \
            for this API";
        return Some(hint.to_owned());
    }
    let own = verifier.audiences().to_string().to_ascii_lowercase();
    let is_near = |text: &str| {
        let bare = text.trim_start_matches("api://").trim_end_matches('/');
        // An empty text is part of every other one, and would always count as near.
        !bare.is_empty() && own.contains(&bare.to_ascii_lowercase())
    };
    let near = match audience {
        Json::String(text) => is_near(text),
        Json::Array(elements) => elements.iter().filter_map(Json::as_str).any(is_near),
        _ => false,
    };
    if !near {
        return None;
    }
    let hint = "the audiences differ by `api://`, a final slash or letter case only; Entra ID \
        writes the bare id into v2 tokens and the App ID URI into v1 tokens";
    Some(hint.to_owned())
}

fn of_clock(claims: &Claims, now: NumericDate) -> Option<String> {
    if let Some(issued) = claims.issued_at().or(claims.not_before()) {
        let ahead = issued.since(now);
        if ahead > 0 {
            return Some(format!(
                "the issuer's clock is {ahead} s ahead of this one: synchronise both"
            ));
        }
    }
    // After ten minutes it is no matter of clocks any more.
    let age = now.since(claims.expires()?);
    if !(0..600).contains(&age) {
        return None;
    }
    Some(format!(
        "it ended {age} s ago: renew tokens before they end, and compare the clocks"
    ))
}
