//! The one credential that a request carries (RFC 6750, section 2.1; RFC 9449, section 7.1).
//!
//! Only the `Authorization` header is read, or the one header that the operator names. Two
//! credentials are refused, and so is a token in the query beside the header. A token in the query
//! or the body alone is ignored. A token in a cookie counts if the operator says so
//! ([`cookie`](crate::cookie)).
//!
//! ```
//! use http::HeaderMap;
//! use portcullis_core::{Code, credential};
//!
//! let mut headers = HeaderMap::new();
//! assert_eq!(
//!     credential::find(&headers, None).unwrap_err().code(),
//!     Code::CredentialMissing
//! );
//! headers.insert("authorization", "Bearer abc".parse()?);
//! assert_eq!(credential::find(&headers, None)?.token(), "abc");
//! assert_eq!(
//!     credential::find(&headers, Some("access_token=abc")).unwrap_err().code(),
//!     Code::CredentialRepeated
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::rejection::{Code, Facts, Rejection};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use std::fmt;

/// An access token as it came, unread.
#[derive(Clone, Copy)]
pub struct Credential<'r> {
    token: &'r str,
    scheme: Scheme,
}

/// The scheme under which a token came (RFC 6750, section 2.1; RFC 9449, section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "no other scheme carries an access token"
)]
pub enum Scheme {
    /// `Bearer`
    Bearer,
    /// `DPoP`: with a proof in a header of its own.
    Dpop,
}

impl Scheme {
    const ALL: [Self; 2] = [Self::Bearer, Self::Dpop];

    /// The name in `Authorization` and `WWW-Authenticate`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// Finds the access token of a request.
///
/// # Errors
///
/// `credential.missing` without a credential, or with another scheme; `credential.malformed` if
/// nothing follows the scheme; `credential.repeated` for more than one; `token.malformed` for bytes
/// outside ASCII.
pub fn find<'r>(headers: &'r HeaderMap, query: Option<&str>) -> Result<Credential<'r>, Rejection> {
    find_in(None, headers, query)
}

/// Finds the token that a proxy in front puts bare into a header of its own, such as
/// `Cf-Access-Jwt-Assertion`; without that header, as [`find`] does. A bearer token in
/// `Authorization` beside it is refused as a second one.
///
/// # Errors
///
/// As for [`find`].
pub fn find_in<'r>(
    header: Option<&HeaderName>,
    headers: &'r HeaderMap,
    query: Option<&str>,
) -> Result<Credential<'r>, Rejection> {
    let Some(header) = header else {
        return find_authorization(headers, query);
    };
    let mut values = headers.get_all(header).iter();
    let Some(value) = values.next() else {
        return find_authorization(headers, query);
    };
    // Another scheme beside it, such as `Basic`, holds no second access token.
    let in_authorization = match headers.get(AUTHORIZATION) {
        Some(value) => read_scheme(value.as_bytes()).is_some(),
        None => false,
    };
    if values.next().is_some() || in_authorization || query.is_some_and(has_access_token) {
        return Err(repetition("a token in a header of its own and another one"));
    }
    read(Scheme::Bearer, value.as_bytes())
}

fn find_authorization<'r>(
    headers: &'r HeaderMap,
    query: Option<&str>,
) -> Result<Credential<'r>, Rejection> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Rejection::new(Code::CredentialMissing));
    };
    // Servers differ in which of two headers they read, so two are never one.
    if values.next().is_some() {
        return Err(repetition("two Authorization headers"));
    }
    let Some((scheme, token)) = read_scheme(value.as_bytes()) else {
        return Err(of_another_scheme(value.as_bytes()));
    };
    if query.is_some_and(has_access_token) {
        return Err(repetition("a token in the header and one in the query"));
    }
    match token {
        [b' ', token @ ..] => read(scheme, token.trim_ascii_start()),
        _ => Err(Rejection::new(Code::CredentialMalformed)),
    }
}

/// A header that bears no access token. Nothing of it is told: it may be a password.
fn of_another_scheme(value: &[u8]) -> Rejection {
    let found = match value.contains(&b' ') {
        true => "another scheme",
        false => "a value without a scheme",
    };
    let facts = Facts::new(
        "an Authorization header with the scheme `Bearer` or `DPoP`",
        found,
    );
    Rejection::with(Code::CredentialMissing, facts)
}

impl<'r> Credential<'r> {
    /// A token that was taken out of its header elsewhere.
    pub fn bearer(token: &'r str) -> Self {
        let scheme = Scheme::Bearer;
        Self { token, scheme }
    }

    /// The same for a token that came under the scheme `DPoP` (RFC 9449, section 7.1).
    pub fn dpop(token: &'r str) -> Self {
        let scheme = Scheme::Dpop;
        Self { token, scheme }
    }

    /// The scheme under which it came.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The token. It is a secret.
    pub fn token(&self) -> &'r str {
        self.token
    }
}

/// The scheme, and the value behind it; `None` for every scheme that carries no access token.
fn read_scheme(value: &[u8]) -> Option<(Scheme, &[u8])> {
    let mut schemes = Scheme::ALL.into_iter();
    schemes.find_map(|scheme| Some((scheme, after_scheme(scheme.name(), value)?)))
}

fn after_scheme<'v>(name: &str, value: &'v [u8]) -> Option<&'v [u8]> {
    let (scheme, rest) = value.split_at_checked(name.len())?;
    // `Bearerx` is another scheme.
    let ends = matches!(rest.first(), None | Some(b' ' | b'\t'));
    (ends && scheme.eq_ignore_ascii_case(name.as_bytes())).then_some(rest)
}

fn read(scheme: Scheme, token: &[u8]) -> Result<Credential<'_>, Rejection> {
    match std::str::from_utf8(token) {
        Ok("") => Err(Rejection::new(Code::CredentialMalformed)),
        Ok(token) if token.is_ascii() => Ok(Credential { token, scheme }),
        _ => Err(Rejection::with(
            Code::TokenMalformed,
            Facts::new("ASCII", "other bytes"),
        )),
    }
}

/// Whether a query names the parameter of RFC 6750, section 2.3, in plain or escaped letters.
fn has_access_token(query: &str) -> bool {
    for pair in query.split('&') {
        let name = pair.split('=').next().unwrap_or_default();
        if name.eq_ignore_ascii_case("access_token")
            || unescape(name).eq_ignore_ascii_case(b"access_token")
        {
            return true;
        }
    }
    false
}

/// Undoes percent escapes, to compare with a name that has none.
fn unescape(name: &str) -> Vec<u8> {
    let mut bytes = name.bytes();
    let mut plain = Vec::with_capacity(name.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let (high, low) = (hex_digit(bytes.next()), hex_digit(bytes.next()));
        plain.push(match (high, low) {
            (Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or_default(),
            _ => b'%',
        });
    }
    plain
}

fn hex_digit(byte: Option<u8>) -> Option<u32> {
    char::from(byte?).to_digit(16)
}

fn repetition(found: &'static str) -> Rejection {
    Rejection::with(
        Code::CredentialRepeated,
        Facts::new("one credential", found),
    )
}

/// Shows nothing: the token is a secret.
impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bearer token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn found(values: &[&str], query: Option<&str>) -> Result<String, Code> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        find(&headers, query)
            .map(|it| it.token().to_owned())
            .map_err(|it| it.code())
    }

    #[test]
    fn the_scheme_has_no_case_and_ends() {
        for value in ["Bearer t", "bearer t", "BEARER  t"] {
            assert_eq!(found(&[value], None), Ok("t".to_owned()), "{value}");
        }
        for value in ["", "Basic t", "BearerX t", "t", "Bear", "DPoPX t", "DPo"] {
            assert_eq!(
                found(&[value], None),
                Err(Code::CredentialMissing),
                "{value}"
            );
        }
        for value in ["Bearer", "Bearer ", "Bearer\tt"] {
            assert_eq!(
                found(&[value], None),
                Err(Code::CredentialMalformed),
                "{value}"
            );
        }
    }

    #[test]
    fn the_scheme_of_a_bound_token_is_told() {
        for (value, scheme) in [("dpop  t", Scheme::Dpop), ("Bearer t", Scheme::Bearer)] {
            let mut headers = HeaderMap::new();
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            let credential = find(&headers, None).unwrap();
            assert_eq!((credential.token(), credential.scheme()), ("t", scheme));
        }
        assert_eq!(found(&["DPoP"], None), Err(Code::CredentialMalformed));
        assert_eq!(
            found(&["DPoP t", "Bearer t"], None),
            Err(Code::CredentialRepeated)
        );
    }

    #[test]
    fn two_credentials_are_refused() {
        assert_eq!(
            found(&["Bearer t", "Bearer t"], None),
            Err(Code::CredentialRepeated)
        );
        assert_eq!(
            found(&["Basic x", "Bearer t"], None),
            Err(Code::CredentialRepeated)
        );
        for query in ["access_token=t", "a=1&access%5Ftoken=t", "a&ACCESS_TOKEN"] {
            assert_eq!(
                found(&["Bearer t"], Some(query)),
                Err(Code::CredentialRepeated),
                "{query}"
            );
        }
        assert_eq!(
            found(&["Bearer t"], Some("my_access_token=1&x=access_token")),
            Ok("t".to_owned())
        );
        assert_eq!(
            found(&[], Some("access_token=t")),
            Err(Code::CredentialMissing)
        );
    }

    #[test]
    fn the_operator_can_name_a_header_for_the_bare_token() {
        let name = HeaderName::from_static("cf-access-jwt-assertion");
        let found = |pairs: &[(&'static str, &'static str)], query: Option<&str>| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, HeaderValue::from_static(value));
            }
            find_in(Some(&name), &headers, query)
                .map(|it| it.token().to_owned())
                .map_err(|it| it.code())
        };
        let (own, other) = (
            ("cf-access-jwt-assertion", "t"),
            ("authorization", "Bearer u"),
        );
        assert_eq!(found(&[own], None), Ok("t".to_owned()));
        assert_eq!(found(&[other], None), Ok("u".to_owned()));
        assert_eq!(
            found(&[own, ("authorization", "Basic x")], None),
            Ok("t".to_owned())
        );
        assert_eq!(found(&[], None), Err(Code::CredentialMissing));
        for pairs in [&[own, other][..], &[own, own]] {
            assert_eq!(found(pairs, None), Err(Code::CredentialRepeated));
        }
        assert_eq!(
            found(&[own], Some("access_token=x")),
            Err(Code::CredentialRepeated)
        );
        assert_eq!(
            found(&[("cf-access-jwt-assertion", "")], None),
            Err(Code::CredentialMalformed)
        );
    }

    #[test]
    fn bytes_outside_ascii_are_no_token() {
        for bytes in ["Bearer t\u{e9}".as_bytes(), b"Bearer t\xe9"] {
            let mut headers = HeaderMap::new();
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(bytes).unwrap());
            assert_eq!(
                find(&headers, None).unwrap_err().code(),
                Code::TokenMalformed
            );
        }
    }

    #[test]
    fn a_credential_shows_nothing() {
        assert_eq!(
            format!("{:?}", Credential::bearer("secret")),
            "a bearer token"
        );
    }

    #[test]
    fn a_token_without_its_scheme_is_told_so_to_operators() {
        for (value, told) in [
            ("e30.e30.c2ln", "a value without a scheme"),
            ("Basic dTpw", "another scheme"),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            let rejection = find(&headers, None).map(|_| ()).unwrap_err();
            assert_eq!(rejection.facts().found(), told);
        }
    }
}
