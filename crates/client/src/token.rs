//! Tokens as they were handed out. Their texts are wiped when they are dropped, and never printed.

use crate::error::Error;
use crate::id_token::IdToken;
use http::HeaderValue;
use portcullis_core::token::{NumericDate, Scopes};
use portcullis_provider::client_auth::Secret;
use std::fmt;
use std::sync::Arc;

/// How an access token is shown to a resource server (RFC 6749, section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// Whoever has it may use it (RFC 6750).
    Bearer,
    /// It is bound to a key: each request needs a proof as well (RFC 9449).
    Dpop,
}

impl TokenKind {
    /// The scheme, as it stands in the Authorization header.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
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

/// An access token.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    text: Secret,
    kind: TokenKind,
    expires_at: NumericDate,
}

impl IssuedToken {
    /// An access token that was kept somewhere. Its text must be fit for a header: visible ASCII
    /// only.
    ///
    /// # Errors
    ///
    /// A text that cannot be sent.
    pub fn restore(text: Secret, kind: TokenKind, expires_at: NumericDate) -> Result<Self, Error> {
        if is_sendable(text.expose()) {
            Ok(Self {
                text,
                kind,
                expires_at,
            })
        } else {
            Err(Error::malformed_response(
                "the access token is empty, or cannot stand in a header",
            ))
        }
    }

    /// The text of the token: from here on, keeping it is the caller's matter.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// How it is shown to a resource server.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// When it ends, by this machine's clock.
    pub fn expires_at(&self) -> NumericDate {
        self.expires_at
    }

    /// The value of the Authorization header, marked as sensitive. A token that is bound to a key
    /// needs a proof beside it.
    pub fn authorization(&self) -> HeaderValue {
        let text =
            zeroize::Zeroizing::new(format!("{} {}", self.kind.scheme(), self.text.expose()));
        // The text is visible ASCII: it was checked when the token was made.
        let value = HeaderValue::from_str(&text).ok();
        let mut value = value.unwrap_or_else(|| HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }
}

/// What a header can hold (RFC 6750, section 2.1, and a little more: providers are not all exact).
fn is_sendable(text: &str) -> bool {
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
    /// A refresh token that was kept somewhere.
    pub fn new(text: Secret) -> Self {
        Self {
            text,
            subject: None,
        }
    }

    /// Whose it is: after a refresh, an ID token for anybody else is refused (OpenID Connect Core
    /// 1.0, section 12.2). The tokens of a flow with an ID token know it by themselves.
    #[must_use]
    pub fn with_subject(self, subject: &str) -> Self {
        Self {
            subject: Some(subject.into()),
            ..self
        }
    }

    /// Whose it is, where that is known.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The text of the token: from here on, keeping it is the caller's matter.
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

/// What a token endpoint handed out at once (RFC 6749, section 5.1).
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

    /// The refresh token, where the provider gave one. After a refresh it is the one to keep: a
    /// provider that rotates them takes the old one no more.
    pub fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    /// The ID token, verified, where the flow has one.
    pub fn id_token(&self) -> Option<&IdToken> {
        self.id_token.as_ref()
    }

    /// What was granted: what was asked for, where the provider does not say otherwise.
    pub fn scope(&self) -> &Scopes {
        &self.scope
    }

    /// The scopes that were asked for and not granted.
    pub fn withheld_scope(&self) -> &Scopes {
        &self.withheld
    }

    /// What kind of token an exchange gave (RFC 8693, section 2.2.1).
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
