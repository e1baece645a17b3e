//! Mistakes in a text that is no signed JWT, or too large a one.

use super::Mistake;
use crate::explain::content::TokenContent;
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json};
use portcullis_core::jose::{Algorithm, base64url};
use portcullis_core::rejection::quote;

/// The probable mistake in a text that is no signed JWT.
pub(in crate::explain) fn of_unreadable(token: &str) -> Option<Mistake> {
    let segments: Vec<&str> = token.split('.').collect();
    // `ey` is how `{"` begins in base64url, so a JWT's header begins with it.
    let hint = match segments.as_slice() {
        [""] => "there is no token: the argument or the input is empty",
        [only] if only.len() > 100 && only.starts_with("ey") => {
            "this is the first part of a JWT: the token was cut at a dot"
        }
        [_] => return Some(Mistake::part(OPAQUE)),
        [header, _] if header.starts_with("ey") => {
            "the signature is missing: the token was cut at the end"
        }
        // RFC 7516, section 3.1: an encrypted token has five parts.
        [_, _, _, _, _] => return Some(Mistake::part(ENCRYPTED)),
        [header, _, signature] if header.starts_with("ey") => {
            return of_compact(header, signature);
        }
        _ => return None,
    };
    Some(Mistake::whole(hint))
}

const OPAQUE: &str = "this is an opaque token, and introspection is not set up: add \
    `[issuer.introspection]`, or ask the provider for a JWT (often by naming the API as audience \
    or resource when asking for the token)";

const ENCRYPTED: &str = "this is an encrypted JWT, which only its recipient can read: have the \
    provider issue signed ones that are not encrypted";

/// HMAC under the name of a published key (RFC 8725, section 2.1).
pub(in crate::explain) fn forgery_with_public_key() -> Mistake {
    Mistake::whole(
        "its `kid` is that of a public key, and its `alg` is HMAC: this is how a forgery looks \
            that takes the public key for a shared secret. The provider did not sign it so; find \
            out who sent it",
    )
}

/// The claim that makes a token too large.
pub(in crate::explain) fn of_size(content: &TokenContent) -> Option<Mistake> {
    let mut largest = ("", 0);
    for (name, value) in content.claims.as_ref()?.iter() {
        let size = size(value);
        if size > largest.1 {
            largest = (name, size);
        }
    }
    let (name, size) = largest;
    let claim = quote(name);
    Some(Mistake::whole(format!(
        "the largest claim is {claim}, with about {size} bytes: have the issuer leave it out, or \
            put less into it"
    )))
}

/// About as many bytes as the value has in a document.
fn size(value: &Json) -> usize {
    match value {
        Json::String(text) => text.len() + 3,
        Json::Array(elements) => elements.iter().map(size).sum(),
        Json::Object(object) => {
            let mut sum = 0;
            for (name, value) in object.iter() {
                sum += name.len() + 3 + size(value);
            }
            sum
        }
        _ => 5,
    }
}

fn of_compact(header: &str, signature: &str) -> Option<Mistake> {
    let header = base64url::decode(header).ok()?;
    let header = json::parse(&header, &Limits::default()).ok()?;
    let name = header.as_object()?.get("alg")?.as_str()?;
    if name.starts_with("HS") {
        let hint = "the provider signs with a shared secret: choose an asymmetric algorithm such \
            as RS256 in its settings for this API";
        return Some(Mistake::part(hint));
    }
    if name.eq_ignore_ascii_case("none") {
        return Some(Mistake::whole("nobody signed this token"));
    }
    let complete = signature_length(Algorithm::from_name(name)?);
    if signature.len() < complete {
        let hint = "the signature is too short: the token was cut at the end";
        return Some(Mistake::whole(hint));
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
