//! Tokens as the provider issued them. Their texts are wiped on drop, and never printed.

use crate::error::Error;
use crate::id_token::IdToken;
use http::HeaderValue;
use portcullis_core::token::{NumericDate, Scopes};
use portcullis_provider::client_auth::Secret;
use std::fmt;
use std::sync::Arc;

/// The way in which an access token is presented to a resource server (RFC 6749, section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// Anybody who has the token can use it (RFC 6750).
    Bearer,
    /// The token is bound to a key: each request needs a proof as well (RFC 9449).
    Dpop,
}

impl TokenKind {
    /// The scheme in the header `Authorization`.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        // `token_type` is case-insensitive (RFC 6749, section 5.1).
        [Self::Bearer, Self::Dpop]
            .into_iter()
            .find(|kind| kind.scheme().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme())
    }
}

/// An access token from a provider. Its contents are opaque to a client.
///
/// ```
/// use portcullis_client::{IssuedToken, Secret, TokenKind};
/// use portcullis_core::token::NumericDate;
///
/// let ends = NumericDate::from_seconds(1_900_000_000);
/// let token = IssuedToken::restore(Secret::new("abc"), TokenKind::Bearer, ends)?;
/// assert_eq!(token.authorization(), "Bearer abc");
/// // Neither the text nor the header shows in a log.
/// assert_eq!(format!("{token:?}"), "an access token (Bearer)");
/// assert!(token.authorization().is_sensitive());
/// # Ok::<(), portcullis_client::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    text: Secret,
    kind: TokenKind,
    expires_at: NumericDate,
}

impl IssuedToken {
    /// An access token from storage. Its text must be visible ASCII, so that it fits into a header.
    ///
    /// # Errors
    ///
    /// A text that cannot be sent in a header.
    pub fn restore(text: Secret, kind: TokenKind, expires_at: NumericDate) -> Result<Self, Error> {
        if is_sendable(text.expose()) {
            Ok(Self {
                text,
                kind,
                expires_at,
            })
        } else {
            Err(Error::malformed_response(
                "the access token is empty, or cannot be sent in a header",
            ))
        }
    }

    /// The text of the token. The caller has to protect it from here on.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// The way in which it is presented to a resource server.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The time when it expires, by this machine's clock.
    pub fn expires_at(&self) -> NumericDate {
        self.expires_at
    }

    /// The value of the header `Authorization`, marked as sensitive. A bound token needs a
    /// [proof](crate::Client::proof) as well.
    pub fn authorization(&self) -> HeaderValue {
        let text =
            zeroize::Zeroizing::new(format!("{} {}", self.kind.scheme(), self.text.expose()));
        // This cannot fail: `restore` accepts visible ASCII only.
        let value = HeaderValue::from_str(&text).ok();
        let mut value = value.unwrap_or_else(|| HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }
}

/// Whether a header can hold this text.
fn is_sendable(text: &str) -> bool {
    // RFC 6750, section 2.1, allows fewer characters, but not every provider keeps to them. Spaces
    // and control characters stay out: they could add a header.
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Shows the kind only.
impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an access token ({})", self.kind)
    }
}

/// A refresh token (RFC 6749, section 1.5).
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    text: Secret,
    subject: Option<Arc<str>>,
}

impl RefreshToken {
    /// A refresh token from storage.
    pub fn new(text: Secret) -> Self {
        Self {
            text,
            subject: None,
        }
    }

    /// Sets the subject. After a refresh, an ID token for anybody else is refused (OpenID Connect
    /// Core 1.0, section 12.2). A flow with an ID token sets it by itself.
    #[must_use]
    pub fn with_subject(self, subject: &str) -> Self {
        Self {
            subject: Some(subject.into()),
            ..self
        }
    }

    /// The person whom the token is for, if that is known.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The text of the token. The caller has to protect it from here on.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }
}

/// Shows nothing.
impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a refresh token")
    }
}

/// The response of a token endpoint (RFC 6749, section 5.1), with its ID token verified.
#[derive(Clone, Debug)]
pub struct TokenResponse {
    pub(crate) access_token: IssuedToken,
    pub(crate) refresh_token: Option<RefreshToken>,
    pub(crate) id_token: Option<IdToken>,
    pub(crate) scope: Scopes,
    pub(crate) withheld: Scopes,
    pub(crate) issued_token_type: Option<String>,
}

impl TokenResponse {
    /// The access token.
    pub fn access_token(&self) -> &IssuedToken {
        &self.access_token
    }

    /// The refresh token, if the provider sent one. After a refresh, keep this one: a provider that
    /// rotates refresh tokens no longer accepts the old one.
    pub fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    /// The verified ID token, if the flow has one.
    pub fn id_token(&self) -> Option<&IdToken> {
        self.id_token.as_ref()
    }

    /// The granted scopes: the requested ones, unless the provider says otherwise.
    pub fn scope(&self) -> &Scopes {
        &self.scope
    }

    /// The scopes that were requested and not granted.
    pub fn withheld_scope(&self) -> &Scopes {
        &self.withheld
    }

    /// The type of the token from an exchange (RFC 8693, section 2.2.1).
    pub fn issued_token_type(&self) -> Option<&str> {
        self.issued_token_type.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_token_is_printed_and_headers_are_sensitive() {
        let token = |text: &str| {
            IssuedToken::restore(
                Secret::new(text),
                TokenKind::Dpop,
                NumericDate::from_seconds(0),
            )
        };
        let good = token("marked").unwrap();
        assert_eq!(
            format!("{good:?} {:?}", RefreshToken::new(Secret::new("marked"))),
            "an access token (DPoP) a refresh token"
        );
        assert_eq!(good.authorization(), "DPoP marked");
        assert!(good.authorization().is_sensitive());
        for text in ["", "a b", "a\r\nx: y", "ü"] {
            assert!(token(text).is_err(), "{text:?}");
        }
    }
}
