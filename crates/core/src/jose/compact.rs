//! The compact serialisation (RFC 7515, section 7.1), read once and strictly.
//!
//! Refuses: anything but three segments of canonical base64url, headers and claims that are not
//! strict JSON objects, `crit` and `b64` (we understand no extension), algorithms outside the
//! closed list. Keys and addresses in the header (`jwk`, `jku`, `x5u`, `x5c`) are never read.
//! Encrypted tokens are refused. Does not check: the signature, and whether the claims are right.

use super::json::{self, Json, JsonFaultKind, Object, Text};
use super::{Algorithm, base64url};
use crate::Limits;
use crate::rejection::{Code, Facts, Rejection, quote};
use crate::token::Claims;

/// A JWS with any payload, as received: its parts are read, and not proven.
#[derive(Debug)]
pub struct CompactJws<'t>(JwsParts<'t, Header>);

/// A token as received: a JWS with a claims set, not proven.
#[derive(Debug)]
pub struct UnverifiedToken<'t> {
    jws: CompactJws<'t>,
    claims: Claims,
}

// Nothing else is read: `jwk`, `jku` and `x5u` would let the token bring its own key.
/// The members of the protected header that we read (RFC 7515, section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`: which key signed, in the issuer's words.
    pub kid: Option<Text>,
    /// `typ`: what kind of token this is.
    pub typ: Option<Text>,
}

/// Reads a compact JWS whose payload is a claims set.
///
/// # Errors
///
/// `token.too_large`, `token.malformed`, `token.header`, `token.algorithm` or `token.claim_type`.
pub fn parse<'t>(token: &'t str, limits: &Limits) -> Result<UnverifiedToken<'t>, Rejection> {
    let jws = parse_jws(token, limits)?;
    let claims = Claims::from_object(object("payload", jws.unverified_payload(), limits)?)?;
    Ok(UnverifiedToken { jws, claims })
}

/// Reads a compact JWS whose payload may be anything.
///
/// # Errors
///
/// `token.too_large`, `token.malformed`, `token.header` or `token.algorithm`.
pub fn parse_jws<'t>(token: &'t str, limits: &Limits) -> Result<CompactJws<'t>, Rejection> {
    read_parts(token, limits, |header| Header::from_object(&header)).map(CompactJws)
}

/// The parts of a compact JWS, with its header as `H`.
#[derive(Debug)]
pub(crate) struct JwsParts<'t, H> {
    pub(crate) header: H,
    pub(crate) payload: Vec<u8>,
    /// The bytes that the signature covers: the first two segments with their dot.
    pub(crate) signing_input: &'t str,
    pub(crate) signature: Vec<u8>,
}

/// Takes a compact JWS apart. Its header has no critical extension.
pub(crate) fn read_parts<'t, H>(
    token: &'t str,
    limits: &Limits,
    read_header: impl FnOnce(Object) -> Result<H, Rejection>,
) -> Result<JwsParts<'t, H>, Rejection> {
    // Before anything is decoded: what follows costs time in proportion to the length.
    if token.len() > limits.token_bytes {
        return Err(Rejection::of_size(token.len(), limits.token_bytes));
    }
    let (signing_input, header, payload, signature) = segments(token)?;
    let header = object("header", &decode("header", header)?, limits)?;
    check_extensions(&header)?;
    Ok(JwsParts {
        header: read_header(header)?,
        payload: decode("payload", payload)?,
        signing_input,
        signature: decode("signature", signature)?,
    })
}

impl<'t> CompactJws<'t> {
    /// The protected header.
    pub fn header(&self) -> &Header {
        &self.0.header
    }

    /// The payload, not proven.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.0.payload
    }

    /// The bytes that the signature covers: the first two segments with their dot.
    pub(crate) fn signing_input(&self) -> &'t str {
        self.0.signing_input
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.0.signature
    }
}

impl<'t> UnverifiedToken<'t> {
    /// The protected header.
    pub fn header(&self) -> &Header {
        self.jws.header()
    }

    /// The claims, not proven: good for finding the keys, and for explaining.
    pub fn unverified_claims(&self) -> &Claims {
        &self.claims
    }

    /// The JWS that the token is.
    pub fn jws(&self) -> &CompactJws<'t> {
        &self.jws
    }

    pub(crate) fn into_parts(self) -> (Header, Claims) {
        (self.jws.0.header, self.claims)
    }
}

impl Header {
    fn from_object(object: &Object) -> Result<Self, Rejection> {
        Ok(Self {
            algorithm: algorithm(object.get("alg"))?,
            kid: optional_text(object, "kid")?,
            typ: optional_text(object, "typ")?,
        })
    }
}

/// An extension that we ignore could change what the signature covers (RFC 7797).
fn check_extensions(header: &Object) -> Result<(), Rejection> {
    for extension in ["crit", "b64"] {
        if header.get(extension).is_some() {
            let found = format!("a `{extension}` header");
            let facts = Facts::new("no critical extension", found);
            return Err(Rejection::with(Code::TokenHeader, facts));
        }
    }
    Ok(())
}

fn algorithm(value: Option<&Json>) -> Result<Algorithm, Rejection> {
    let name = value.and_then(Json::as_str);
    // `none` and HMAC have no value in the list, so they end here (RFC 8725, sections 2.1 and 3.2).
    if let Some(algorithm) = name.and_then(Algorithm::from_name) {
        return Ok(algorithm);
    }
    let found = match (name, value) {
        (Some(name), _) => quote(name),
        (None, Some(other)) => other.type_name().to_owned(),
        (None, None) => "no `alg`".to_owned(),
    };
    let facts = Facts::new("an asymmetric signature algorithm", found);
    Err(Rejection::with(Code::TokenAlgorithm, facts))
}

fn optional_text(object: &Object, name: &'static str) -> Result<Option<Text>, Rejection> {
    match object.get(name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        // `"kid": null` is refused: taken for no `kid`, it would make all keys candidates.
        Some(other) => {
            let expected = format!("the header `{name}` to be a string");
            Err(Rejection::with(
                Code::TokenHeader,
                Facts::new(expected, other.type_name()),
            ))
        }
    }
}

/// The signing input, then the three segments.
fn segments(token: &str) -> Result<(&str, &str, &str, &str), Rejection> {
    // From the end: the signature covers everything before the last dot, as one piece.
    if let Some((signing_input, signature)) = token.rsplit_once('.')
        && let Some((header, payload)) = signing_input.split_once('.')
        && !payload.contains('.')
    {
        return Ok((signing_input, header, payload, signature));
    }
    Err(malformation(
        "three segments with dots between",
        kind_of(token),
    ))
}

/// A guess at what a text is that is not a compact JWS.
fn kind_of(token: &str) -> &'static str {
    match token.matches('.').count() {
        0 => "no dot: an opaque token, or no token at all",
        4 => "five segments: an encrypted token",
        _ => "another number of segments: cut off, or two joined",
    }
}

fn decode(part: &'static str, segment: &str) -> Result<Vec<u8>, Rejection> {
    match base64url::decode(segment) {
        Ok(bytes) => Ok(bytes),
        Err(_) => {
            let expected = format!("the {part} in canonical base64url");
            Err(malformation(expected, "something else"))
        }
    }
}

pub(crate) fn object(
    part: &'static str,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Object, Rejection> {
    match json::parse(bytes, limits) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(other) => Err(malformation(
            format!("the {part} to be a JSON object"),
            other.type_name(),
        )),
        // Words of its own: two members of one name are rather an attack than a slip.
        Err(fault) if fault.kind() == JsonFaultKind::RepeatedMember => Err(malformation(
            format!("each member of the {part} once"),
            fault.to_string(),
        )),
        Err(fault) => Err(malformation(
            format!("the {part} to be strict JSON"),
            fault.to_string(),
        )),
    }
}

fn malformation(
    expected: impl Into<std::borrow::Cow<'static, str>>,
    found: impl Into<std::borrow::Cow<'static, str>>,
) -> Rejection {
    Rejection::with(Code::TokenMalformed, Facts::new(expected, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!(
            "{}.{}.AAAA",
            base64url::encode(header.as_bytes()),
            base64url::encode(payload.as_bytes())
        )
    }

    fn code(token: &str) -> Code {
        parse(token, &Limits::default()).unwrap_err().code()
    }

    #[test]
    fn reads_header_and_claims() {
        let text = token(
            r#"{"alg":"ES256","kid":"k","typ":"at+jwt","x":1}"#,
            r#"{"iss":"i","exp":5}"#,
        );
        let token = parse(&text, &Limits::default()).unwrap();
        assert_eq!(token.header().algorithm, Algorithm::ES256);
        assert_eq!(token.header().kid.as_deref(), Some("k"));
        assert_eq!(token.unverified_claims().issuer(), Some("i"));
        assert_eq!(token.jws().signature(), [0, 0, 0]);
        assert!(text.starts_with(token.jws().signing_input()));
    }

    #[test]
    fn refuses_what_is_not_three_segments() {
        for text in [
            "",
            ".",
            "..",
            "a.b",
            "a.b.c.d",
            "a.b.c.d.e",
            "....",
            "opaque",
            "{\"payload\":\"\"}",
        ] {
            assert_eq!(code(text), Code::TokenMalformed, "{text}");
        }
        assert_eq!(code(&"a".repeat(16_385)), Code::TokenTooLarge);
    }

    #[test]
    fn refuses_headers_we_do_not_understand() {
        for header in [
            r#"{"alg":"RS256","crit":["exp"]}"#,
            r#"{"alg":"RS256","crit":[]}"#,
            r#"{"alg":"RS256","b64":true}"#,
            r#"{"alg":"RS256","kid":7}"#,
            r#"{"alg":"RS256","typ":null}"#,
        ] {
            assert_eq!(code(&token(header, "{}")), Code::TokenHeader, "{header}");
        }
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":["RS256"]}"#,
            "{}",
        ] {
            assert_eq!(code(&token(header, "{}")), Code::TokenAlgorithm, "{header}");
        }
    }

    #[test]
    fn a_token_may_be_as_long_as_the_limit_and_no_longer() {
        let text = token(r#"{"alg":"ES256"}"#, "{}");
        let limit = |token_bytes| Limits {
            token_bytes,
            ..Limits::default()
        };
        assert!(parse(&text, &limit(text.len())).is_ok());
        let rejection = parse(&text, &limit(text.len() - 1)).unwrap_err();
        assert_eq!(rejection.code(), Code::TokenTooLarge);
        let (bound, size) = (text.len() - 1, text.len());
        assert_eq!(
            rejection.facts().to_string(),
            format!("expected at most {bound} bytes, found {size} bytes")
        );
    }

    #[test]
    fn the_payload_is_handed_on_as_it_is() {
        let text = token(r#"{"alg":"ES256"}"#, "any bytes");
        assert_eq!(
            parse_jws(&text, &Limits::default())
                .unwrap()
                .unverified_payload(),
            b"any bytes"
        );
        assert_eq!(code(&text), Code::TokenMalformed);
    }

    #[test]
    fn a_refusal_says_what_the_text_probably_is() {
        for (text, expected) in [
            ("opaque", "opaque"),
            ("a.b.c.d.e", "encrypted"),
            ("a.b", "another number"),
        ] {
            let rejection = parse(text, &Limits::default()).unwrap_err();
            assert!(rejection.facts().found().contains(expected), "{rejection}");
        }
        let part = |header: &str, payload: &str| {
            parse(&token(header, payload), &Limits::default())
                .unwrap_err()
                .to_string()
        };
        assert!(part("[]", "{}").contains("the header to be a JSON object, found an array"));
        assert!(
            part(r#"{"alg":"ES256"}"#, r#"{"a":1,"a":2}"#)
                .contains("each member of the payload once")
        );
        assert!(part(r#"{"alg":"ES256"}"#, "{").contains("the payload to be strict JSON"));
        assert!(
            part(r#"{"alg":7}"#, "{}").contains("found a number")
                && part("{}", "{}").contains("no `alg`")
        );
        assert!(part(r#"{"alg":"HS256"}"#, "{}").contains("found `HS256`"));
    }
}
