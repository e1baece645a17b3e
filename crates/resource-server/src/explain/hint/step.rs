//! Mistakes at a step of the way: by its code, and by what the token says.

use super::Mistake;
use crate::explain::content::TokenContent;
use portcullis_core::jose::json::Json;
use portcullis_core::rejection::Code;
use portcullis_core::token::{Claims, NumericDate};
use portcullis_core::verify::Verifier;

/// The probable mistake at this step.
pub(in crate::explain) fn of_step(
    code: &str,
    content: &TokenContent,
    claims: &Claims,
    verifier: &Verifier,
    now: NumericDate,
) -> Option<Mistake> {
    let is = |wanted: Code| code == wanted.as_str();
    if is(Code::TokenType) || is(Code::TokenIdToken) {
        return of_kind(content);
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
        return Some(Mistake::whole(hint));
    }
    None
}

fn of_kind(content: &TokenContent) -> Option<Mistake> {
    let hint = match content.misplaced_kind()? {
        "an ID token" => "this is an ID token: send the `access_token` of the same answer instead",
        _ => "this is a logout token or a security event, not an access token",
    };
    Some(Mistake::whole(hint))
}

fn of_audience(claims: &Claims, verifier: &Verifier) -> Option<Mistake> {
    let audience = claims.audience()?;
    if audience.as_str().is_some() && audience.as_str() == claims.client() {
        let hint = "the token is meant for the client itself, as ID tokens are: ask for a token \
            for this API";
        return Some(Mistake::part(hint));
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
    Some(Mistake::whole(hint))
}

fn of_clock(claims: &Claims, now: NumericDate) -> Option<Mistake> {
    if let Some(issued) = claims.issued_at().or(claims.not_before()) {
        let ahead = issued.since(now);
        if ahead > 0 {
            return Some(Mistake::whole(format!(
                "the issuer's clock is {ahead} s ahead of this one: synchronise both"
            )));
        }
    }
    // After ten minutes it is no matter of clocks any more.
    let age = now.since(claims.expires()?);
    if !(0..600).contains(&age) {
        return None;
    }
    Some(Mistake::whole(format!(
        "it ended {age} s ago: renew tokens before they end, and compare the clocks"
    )))
}
