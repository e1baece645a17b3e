//! Tokens that only their issuer can read: every text that does not have the shape of a JWT.
//!
//! Refuses: texts that are too long, and characters that no bearer token has (RFC 6750, section
//! 2.1). Does not check anything else: the issuer says what such a token stands for.

use crate::Limits;
use crate::jose::base64url;
use crate::rejection::{Code, Facts, Rejection};
use std::fmt;

/// A token that says nothing by itself, fit to be asked about.
#[derive(Clone, Copy)]
pub struct OpaqueToken<'t>(&'t str);

impl<'t> OpaqueToken<'t> {
    /// The token, unless it has the shape of a JWT: three segments, and the first would be a JSON
    /// object. A text of that shape is verified as a JWT, however broken it is, and the issuer is
    /// never asked about it instead.
    ///
    /// # Errors
    ///
    /// `token.too_large`, or `token.malformed` for characters that no bearer token has.
    pub fn read(token: &'t str, limits: &Limits) -> Result<Option<Self>, Rejection> {
        if token.len() > limits.token_bytes {
            return Err(Rejection::of_size(token.len(), limits.token_bytes));
        }
        if has_jwt_shape(token) {
            return Ok(None);
        }
        if !is_b64token(token) {
            let facts = Facts::new("the characters of a bearer token", "others");
            return Err(Rejection::with(Code::TokenMalformed, facts));
        }
        Ok(Some(Self(token)))
    }

    /// The token. It is a secret.
    pub fn as_str(&self) -> &'t str {
        self.0
    }
}

fn has_jwt_shape(token: &str) -> bool {
    let mut segments = token.split('.');
    let first = segments.next().unwrap_or_default();
    if segments.take(3).count() != 2 {
        return false;
    }
    // `ey` is how `{"` begins in base64url. A JWT that breaks later is still no opaque token.
    if first.starts_with("ey") {
        return true;
    }
    match base64url::decode(first) {
        Ok(bytes) => bytes.trim_ascii_start().starts_with(b"{"),
        Err(_) => false,
    }
}

/// `b64token` of RFC 6750, section 2.1.
fn is_b64token(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    !bare.is_empty() && bare.bytes().all(is_b64token_character)
}

fn is_b64token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte)
}

/// Shows nothing: the token is a secret.
impl fmt::Debug for OpaqueToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an opaque token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> &'static str {
        match OpaqueToken::read(
            text,
            &Limits {
                token_bytes: 60,
                ..Limits::default()
            },
        ) {
            Ok(Some(token)) => {
                assert_eq!(
                    (token.as_str(), format!("{token:?}")),
                    (text, "an opaque token".to_owned())
                );
                "opaque"
            }
            Ok(None) => "jwt",
            Err(rejection) => rejection.code().as_str(),
        }
    }

    #[test]
    fn whatever_looks_like_a_jwt_is_judged_as_one() {
        let object = base64url::encode(b" {\"alg\":\"none\"}");
        for text in ["eyJ.x.y", "ey..", "eyJ=.x.y", &format!("{object}..")] {
            assert_eq!(kind(text), "jwt", "{text}");
        }
        for text in [
            "opaque",
            "ory_at_a.b",
            "eyJ.x",
            "eyJ.a.b.c.d",
            "a.b.c",
            "MTIz.b.c",
            "x~+/-_.==",
        ] {
            assert_eq!(kind(text), "opaque", "{text}");
        }
    }

    #[test]
    fn what_no_bearer_token_is_is_not_asked_about() {
        for text in ["", "=", "a b", "a=b", "a,b", "{}", "a\""] {
            assert_eq!(kind(text), "token.malformed", "{text}");
        }
        assert_eq!(kind(&"a".repeat(61)), "token.too_large");
        assert_eq!(kind(&"a".repeat(60)), "opaque");
    }
}
