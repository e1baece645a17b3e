//! The issuer identifier (RFC 8414, section 2; OpenID Connect Core, section 2).
//!
//! Issuers are compared byte for byte: no case folding, no default ports, no final slash added or removed.

use std::fmt;

/// The identifier of an identity provider, exactly as configured.
///
/// It is `https`, or `http` on a loopback host; it has no query, no fragment and no user information.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Issuer(String);

impl Issuer {
    /// Reads an issuer identifier.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text, and what to write instead.
    pub fn parse(text: impl Into<String>) -> Result<Self, IssuerError> {
        let text = text.into();
        match fault(&text) {
            None => Ok(Self(text)),
            Some(reason) => Err(IssuerError { text, reason }),
        }
    }

    /// The identifier as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the host is this machine itself: `localhost`, `127.0.0.0/8` or `[::1]`.
    pub fn is_loopback(&self) -> bool {
        split(&self.0).is_some_and(|(_, host)| is_loopback_host(host))
    }
}

/// Whether a URL's host is a loopback name or address.
pub fn is_loopback_host(host: &str) -> bool {
    let octets = host.split('.').map(str::parse::<u8>).collect::<Result<Vec<_>, _>>();
    host.eq_ignore_ascii_case("localhost")
        || host == "[::1]"
        || octets.is_ok_and(|octets| matches!(octets.as_slice(), [127, _, _, _]))
}

/// The scheme, and the host without its port.
fn split(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.split('/').next()?;
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let end = bracketed.find(']')?;
            authority.get(..end + 2)?
        }
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    Some((scheme, host))
}

fn fault(text: &str) -> Option<&'static str> {
    let Some((scheme, host)) = split(text) else {
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
    } else if scheme != "https" && !(scheme == "http" && is_loopback_host(host)) {
        Some("it must begin with `https://`; `http://` is for loopback only")
    } else {
        None
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no issuer identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerError {
    text: String,
    reason: &'static str,
}

impl fmt::Display for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no issuer: {}", self.text.escape_debug(), self.reason)
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
            assert_eq!(Issuer::parse(text).map(|issuer| issuer.to_string()), Ok(text.to_owned()));
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
        ] {
            assert!(Issuer::parse(text).is_err(), "{text:?}");
        }
    }
}
