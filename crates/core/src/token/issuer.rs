//! The issuer identifier (RFC 8414, section 2; OpenID Connect Core, section 2).
//!
//! Issuers are compared byte for byte: no case folding, no default ports, no final slash added or
//! removed.

use std::fmt;
use std::net::Ipv4Addr;

/// The identifier of an identity provider, exactly as configured.
///
/// If its documents are found by it, it is `https`, or `http` on a loopback host, without query,
/// fragment and user information. If they are elsewhere, it is any text that an issuer may put into
/// `iss`.
///
/// ```
/// use portcullis_core::token::Issuer;
///
/// let issuer = Issuer::parse("https://idp.example")?;
/// assert_eq!(issuer.as_str(), "https://idp.example");
/// assert_ne!(issuer, Issuer::parse("https://idp.example/")?);
/// assert!(Issuer::parse("http://idp.example").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Issuer(String);

impl Issuer {
    /// Reads an issuer identifier.
    ///
    /// # Errors
    ///
    /// The error says what is wrong with the text, and what to write instead.
    pub fn parse(text: impl Into<String>) -> Result<Self, IssuerError> {
        let text = text.into();
        match fault(&text, false) {
            None => Ok(Self(text)),
            Some(reason) => Err(IssuerError { text, reason }),
        }
    }

    /// Reads an issuer identifier that may be `http` on any host: for a provider in a closed
    /// network, if the operator says so.
    ///
    /// # Errors
    ///
    /// As for [`parse`](Self::parse).
    pub fn parse_plain(text: impl Into<String>) -> Result<Self, IssuerError> {
        let text = text.into();
        match fault(&text, true) {
            None => Ok(Self(text)),
            Some(reason) => Err(IssuerError { text, reason }),
        }
    }

    /// Takes an issuer identifier that is only compared, never asked: a URL of any kind, a bare
    /// name, a URN (RFC 7519, section 4.1.1).
    ///
    /// # Errors
    ///
    /// An empty text, one of more than 2,048 bytes, white space at its ends, a bar, and characters
    /// outside printable ASCII.
    pub fn identifier(text: impl Into<String>) -> Result<Self, IssuerError> {
        let text = text.into();
        let reason = if text.trim().is_empty() {
            "it is empty"
        } else if text.trim() != text {
            "white space stands around it"
        } else if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            "it holds a control character or a letter outside ASCII"
        } else if text.contains('|') {
            "it holds a bar, which parts issuer and subject in policies"
        } else if text.len() > LONGEST {
            "it is longer than 2,048 bytes"
        } else {
            return Ok(Self(text));
        };
        Err(IssuerError { text, reason })
    }

    /// The identifier as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the host is this machine itself: `localhost`, `127.0.0.0/8` or `[::1]`.
    pub fn is_loopback(&self) -> bool {
        match split(&self.0) {
            Some((_, host, _)) => is_loopback_host(host),
            None => false,
        }
    }
}

const LONGEST: usize = 2_048;

/// Whether a URL's host is a loopback name or address.
pub fn is_loopback_host(host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") || host == "[::1]" {
        return true;
    }
    // `127.0.0.1.evil.example` begins like an address and is none.
    match host.parse::<Ipv4Addr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => false,
    }
}

/// The scheme, the host, and the port if there is one.
fn split(text: &str) -> Option<(&str, &str, Option<&str>)> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.split('/').next()?;
    // The colons within brackets belong to an IPv6 address.
    let from = if authority.starts_with('[') {
        authority.find(']')?
    } else {
        0
    };
    let (host, port) = match authority.get(from..)?.find(':') {
        Some(colon) => (
            authority.get(..from + colon)?,
            authority.get(from + colon + 1..),
        ),
        None => (authority, None),
    };
    Some((scheme, host, port))
}

fn fault(text: &str, plain_http: bool) -> Option<&'static str> {
    let Some((scheme, host, port)) = split(text) else {
        return Some("it must be a URL such as `https://idp.example.com`");
    };
    if host.is_empty() {
        Some("it has no host")
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("it holds a space, a control character or a letter outside ASCII")
    } else if text.contains(['?', '#']) {
        Some("it must have no query and no fragment (RFC 8414, section 2)")
    } else if text.contains(['@', '\\']) {
        Some("it must hold no user information and no backslash")
    } else if host.starts_with('[') && !host.ends_with(']') {
        Some("something stands behind the `]` of its host")
    } else if !port.is_none_or(is_port) {
        Some("its port must be a number up to 65535")
    // Keys that come over plain http are whoever's sits on the way.
    } else if scheme != "https" && !(scheme == "http" && (plain_http || is_loopback_host(host))) {
        Some("it must begin with `https://`; `http://` is for loopback only")
    } else {
        None
    }
}

/// Digits only (RFC 3986, section 3.2.3).
fn is_port(port: &str) -> bool {
    // `parse` alone would take `+443`.
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not an issuer identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerError {
    text: String,
    reason: &'static str,
}

impl fmt::Display for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not an issuer: {}",
            self.text.escape_debug(),
            self.reason
        )
    }
}

impl std::error::Error for IssuerError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_providers_use() {
        for text in [
            "https://login.microsoftonline.com/0/v2.0",
            "https://acme.eu.auth0.com/",
            "http://127.0.0.1:9000",
            "http://localhost:8080/realms/x",
            "http://[::1]:9",
        ] {
            assert_eq!(
                Issuer::parse(text).map(|issuer| issuer.to_string()),
                Ok(text.to_owned())
            );
            assert_eq!(
                Issuer::parse(text).unwrap().is_loopback(),
                text.starts_with("http:"),
                "{text}"
            );
        }
        assert!(
            Issuer::parse("https://127.255.0.1:8443/x")
                .unwrap()
                .is_loopback()
        );
        assert!(
            !Issuer::parse("https://128.0.0.1")
                .unwrap()
                .is_loopback()
        );
        assert!(
            !Issuer::parse("https://[2001:db8::]:8443/x")
                .unwrap()
                .is_loopback()
        );
    }

    #[test]
    fn an_identifier_that_is_only_compared_may_be_any_name() {
        for text in [
            "http://farm.example/adfs/services/trust",
            "urn:example:issuer",
            "accounts",
            "robot@idp.example",
            "https://idp.example/?tenant=a#b",
            "Our old server",
        ] {
            let issuer = Issuer::identifier(text).unwrap();
            assert_eq!((issuer.as_str(), issuer.is_loopback()), (text, false));
        }
        for text in [
            "",
            " ",
            " a",
            "a\n",
            "a\u{0}b",
            "a|b",
            "Müller",
            &"a".repeat(2_049),
        ] {
            assert!(Issuer::identifier(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "idp.example",
            "http://idp.example",
            "https://",
            "https://a/?x",
            "https://a/#x",
            "https://u@a/",
            "https://a b/",
            "ftp://127.0.0.1",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://[::1]evil.example",
            "http://[::1",
            "http://+127.0.0.1",
            "https://idp.example:",
            "https://idp.example:https",
            "https://idp.example:65536",
            "https://[::1]:+9",
        ] {
            assert!(Issuer::parse(text).is_err(), "{text:?}");
        }
        let error = Issuer::parse("ftp://a\n").unwrap_err().to_string();
        assert_eq!(
            error,
            "`ftp://a\\n` is not an issuer: it holds a space, a control character or a letter outside \
                ASCII"
        );
    }
}
