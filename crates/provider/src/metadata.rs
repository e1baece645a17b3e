//! Authorization server metadata (RFC 8414) and OpenID Connect Discovery 1.0: where an issuer's
//! keys are.
//!
//! Four well-known URLs are asked in a fixed order, until all needed members are known: usually the
//! first has them. A document counts only if its `issuer` is, byte for byte, the issuer that was
//! asked for (RFC 8414, section 3.3); later ones only fill the gaps of earlier ones. Anything else,
//! such as a web page, counts for nothing.

mod fault;

use crate::client_auth::{ClientAuth, Proof};
use crate::fetch::{DocumentResponse, Fetch, Reach};
use crate::member;
use fault::DocumentFault;
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::rejection::quote;
use portcullis_core::token::Issuer;
use std::fmt;
use url::Url;

/// What we read of an issuer's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// `jwks_uri`: where the keys are.
    pub jwks_uri: Url,
    /// `authorization_endpoint`: where people sign in. It is for browsers: nothing here asks it.
    pub authorization_endpoint: Option<Url>,
    /// `token_endpoint`: where clients get tokens.
    pub token_endpoint: Option<Url>,
    /// `introspection_endpoint`: where tokens are asked about (RFC 8414, section 2).
    pub introspection_endpoint: Option<Url>,
    /// The same for clients that prove themselves by a certificate (RFC 8705, section 5).
    pub mtls_introspection_endpoint: Option<Url>,
    /// The token endpoint for such clients.
    pub mtls_token_endpoint: Option<Url>,
}

impl Metadata {
    /// Asks an issuer for its metadata, once and without a cache.
    ///
    /// # Errors
    ///
    /// What each of the well-known URLs answered.
    pub async fn discover(issuer: &Issuer) -> Result<Self, DiscoveryError> {
        let limits = Limits::default();
        let fetch = Fetch::new(limits.document_bytes);
        Self::find(&fetch, issuer, well_known(issuer.as_str()), &limits, &[]).await
    }

    /// The metadata at these URLs: the key set's address, and as many of the other needed members
    /// as there are.
    ///
    /// # Errors
    ///
    /// What each of the URLs answered, where none of them names the key set.
    pub async fn find(
        fetch: &Fetch,
        issuer: &Issuer,
        urls: Vec<Url>,
        limits: &Limits,
        needed: &[&str],
    ) -> Result<Self, DiscoveryError> {
        let needed = [&[JWKS_URI], needed].concat();
        let read = |object: &Object| Members::read(object, fetch.allows_plain_http());
        let found = discover(fetch, issuer, urls, limits, &needed, read).await?;
        match found.complete() {
            Ok(metadata) => Ok(metadata),
            Err(reason) => Err(DiscoveryError::new(issuer, vec![reason])),
        }
    }

    /// Whether it has this endpoint, under its name in the document.
    pub fn names(&self, member: &str) -> bool {
        let (plain, by_certificate) = self.endpoints(member);
        match member {
            INTROSPECTION | TOKEN => plain.is_some() || by_certificate.is_some(),
            _ => true,
        }
    }

    /// The endpoint of this name that is for this client.
    pub fn endpoint(&self, member: &str, client: &ClientAuth) -> Option<&Url> {
        let (plain, by_certificate) = self.endpoints(member);
        // A server may ask for certificates at another host, so that browsers are not asked for
        // one (RFC 8705, section 5).
        if matches!(client.proof, Proof::Certificate(_)) {
            return by_certificate.or(plain);
        }
        plain
    }

    /// An endpoint, and the one of the same name for clients with a certificate.
    fn endpoints(&self, member: &str) -> (Option<&Url>, Option<&Url>) {
        match member {
            INTROSPECTION => (
                self.introspection_endpoint.as_ref(),
                self.mtls_introspection_endpoint.as_ref(),
            ),
            TOKEN => (
                self.token_endpoint.as_ref(),
                self.mtls_token_endpoint.as_ref(),
            ),
            _ => (None, None),
        }
    }

    /// Reads the metadata of this issuer from a document.
    ///
    /// # Errors
    ///
    /// What is wrong with the document.
    pub fn parse(document: &[u8], issuer: &Issuer, limits: &Limits) -> Result<Self, String> {
        Self::parse_over(document, issuer, limits, false)
    }

    /// Like [`parse`](Self::parse); with `plain_http`, its addresses may be http ones.
    ///
    /// # Errors
    ///
    /// What is wrong with the document.
    pub fn parse_over(
        document: &[u8],
        issuer: &Issuer,
        limits: &Limits,
        plain_http: bool,
    ) -> Result<Self, String> {
        let object = read(document, issuer, limits)?;
        Members::read(&object, plain_http)?.complete()
    }
}

/// Asks these URLs in turn, until every needed member is known, and makes `members` of all the
/// issuer's documents together. A server that is down is not asked again under another path.
///
/// # Errors
///
/// What each of the URLs answered, where none of them had a document of the issuer.
pub async fn discover<T>(
    fetch: &Fetch,
    issuer: &Issuer,
    urls: Vec<Url>,
    limits: &Limits,
    needed: &[&str],
    members: impl Fn(&Object) -> Result<T, String>,
) -> Result<T, DiscoveryError> {
    let (mut answers, mut cure) = (Vec::new(), None);
    let mut known: Option<Object> = None;
    for url in urls {
        let document = document_at(fetch, &url, issuer, limits).await;
        // Each document has to be in order by itself: a bad one must not spoil the good ones.
        let document = match document {
            Ok(object) => match members(&object) {
                Ok(_) => Ok(object),
                Err(reason) => Err(DocumentFault::of_content(&url, &reason)),
            },
            Err(fault) => Err(fault),
        };
        match document {
            Ok(object) => {
                let all = match known.take() {
                    Some(earlier) => earlier.filled_by(object),
                    None => object,
                };
                let complete = needed.iter().all(|name| has(&all, name));
                known = Some(all);
                if complete {
                    break;
                }
            }
            Err(fault) => {
                answers.push(fault.text);
                cure = cure.or(fault.cure);
                // All four URLs lead to one server: if it is down, the others only cost time.
                if !fault.is_up {
                    break;
                }
            }
        }
    }
    let Some(known) = known else {
        return Err(DiscoveryError {
            cure,
            ..DiscoveryError::new(issuer, answers)
        });
    };
    members(&known).map_err(|reason| DiscoveryError::new(issuer, vec![reason]))
}

/// The issuer's document at a URL.
async fn document_at(
    fetch: &Fetch,
    url: &Url,
    issuer: &Issuer,
    limits: &Limits,
) -> Result<Object, DocumentFault> {
    let read = match fetch.get(url, Reach::Anywhere, None).await {
        Ok(DocumentResponse::Document { body, .. }) => read(&body, issuer, limits),
        Ok(DocumentResponse::NotModified { .. }) => Err("the answer was 304, unasked".to_owned()),
        Err(fault) => return Err(DocumentFault::of_fetch(&fault)),
    };
    read.map_err(|reason| DocumentFault::of_content(url, &reason))
}

fn has(object: &Object, name: &str) -> bool {
    !matches!(object.get(name), None | Some(Json::Null))
}

/// Where the metadata of an issuer may be: OpenID Connect Discovery, section 4; RFC 8414, section
/// 3; RFC 8414, section 5; and the document of RFC 8414 behind the issuer's path, where several
/// providers have it.
pub fn well_known(base: &str) -> Vec<Url> {
    let text = base.strip_suffix('/').unwrap_or(base);
    let (origin, path) = split_path(text);
    let urls = [
        format!("{text}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
        format!("{text}/.well-known/oauth-authorization-server"),
    ];
    let mut parsed = Vec::new();
    for url in urls {
        parsed.extend(Url::parse(&url).ok());
    }
    parsed.dedup();
    if path.is_empty() {
        parsed.truncate(2); // without a path the others are the same
    }
    parsed
}

/// The origin and the path of a URL as it is written. The URL parser would normalize the path, and
/// the well-known address is built from the issuer's own spelling (RFC 8414, section 3.1).
fn split_path(text: &str) -> (&str, &str) {
    let start = text.find("://").map_or(0, |at| at + "://".len());
    let Some((_, rest)) = text.split_at_checked(start) else {
        return (text, "");
    };
    match rest.find('/') {
        Some(slash) => text
            .split_at_checked(start + slash)
            .unwrap_or((text, "")),
        None => (text, ""),
    }
}

/// The document, if it is this issuer's.
fn read(document: &[u8], issuer: &Issuer, limits: &Limits) -> Result<Object, String> {
    let object = match json::parse(document, limits) {
        Ok(Json::Object(object)) => object,
        Ok(_) => return Err("the document is not an object".to_owned()),
        Err(fault) => return Err(member::describe_fault(document, &fault)),
    };
    // AD FS has one name in its metadata and another in its access tokens, and gives both.
    let of_access_tokens = object
        .get("access_token_issuer")
        .and_then(Json::as_str);
    match object.get("issuer").and_then(Json::as_str) {
        Some(named) if named == issuer.as_str() || of_access_tokens == Some(issuer.as_str()) => {
            Ok(object)
        }
        // Otherwise one issuer could publish keys for another (RFC 8414, section 6.2).
        Some(other) => Err(describe_mismatch(issuer.as_str(), other)),
        None => Err("it names no `issuer`".to_owned()),
    }
}

/// What is wrong; and the cure, where it cannot be somebody else's name.
fn describe_mismatch(issuer: &str, other: &str) -> String {
    let reason = format!("{OF_ANOTHER}, {}", quote(other));
    // No cure for a stranger's name: to write it would be to trust the stranger.
    if issuer.trim_end_matches('/') != other.trim_end_matches('/') {
        return reason;
    }
    let slash = if other.ends_with('/') {
        "with"
    } else {
        "without"
    };
    format!("{reason}: write the issuer {slash} the final slash")
}

/// How the reason begins where a document names another issuer.
const OF_ANOTHER: &str = "it is the metadata of another issuer";

/// The members that a server reads, as far as a document has them.
struct Members {
    jwks_uri: Option<Url>,
    authorization_endpoint: Option<Url>,
    token_endpoint: Option<Url>,
    introspection_endpoint: Option<Url>,
    mtls_introspection_endpoint: Option<Url>,
    mtls_token_endpoint: Option<Url>,
}

impl Members {
    fn read(object: &Object, plain_http: bool) -> Result<Self, String> {
        let none = Object::default();
        let aliases = object
            .get("mtls_endpoint_aliases")
            .and_then(Json::as_object);
        let aliases = aliases.unwrap_or(&none);
        Ok(Self {
            jwks_uri: member::address(object, JWKS_URI, plain_http)?,
            // Tokens can be verified without it, so an odd one costs nothing but itself.
            authorization_endpoint: member::address(object, AUTHORIZATION, plain_http)
                .ok()
                .flatten(),
            token_endpoint: member::address(object, TOKEN, plain_http)?,
            introspection_endpoint: member::address(object, INTROSPECTION, plain_http)?,
            mtls_introspection_endpoint: member::address(aliases, INTROSPECTION, plain_http)?,
            mtls_token_endpoint: member::address(aliases, TOKEN, plain_http)?,
        })
    }

    fn complete(self) -> Result<Metadata, String> {
        Ok(Metadata {
            jwks_uri: self.jwks_uri.ok_or("it names no `jwks_uri`")?,
            authorization_endpoint: self.authorization_endpoint,
            token_endpoint: self.token_endpoint,
            introspection_endpoint: self.introspection_endpoint,
            mtls_introspection_endpoint: self.mtls_introspection_endpoint,
            mtls_token_endpoint: self.mtls_token_endpoint,
        })
    }
}

const JWKS_URI: &str = "jwks_uri";
const AUTHORIZATION: &str = "authorization_endpoint";
/// Where tokens are asked about (RFC 8414, section 2).
pub const INTROSPECTION: &str = "introspection_endpoint";
/// Where clients get tokens.
pub const TOKEN: &str = "token_endpoint";

/// The address under this name, if there is one.
///
/// # Errors
///
/// One that may not be asked.
pub fn endpoint(object: &Object, name: &str) -> Result<Option<Url>, String> {
    member::address(object, name, false)
}

/// No metadata could be had, and what each URL answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveryError {
    issuer: Issuer,
    answers: Vec<String>,
    cure: Option<&'static str>,
}

impl DiscoveryError {
    fn new(issuer: &Issuer, answers: Vec<String>) -> Self {
        Self {
            issuer: issuer.clone(),
            answers,
            cure: None,
        }
    }

    /// Whether a provider answered, and its document names another issuer: to wait does not help.
    pub fn is_of_another_issuer(&self) -> bool {
        self.answers.iter().any(|it| it.contains(OF_ANOTHER))
    }

    /// What to do about it, if the network says it.
    pub fn cure(&self) -> Option<&'static str> {
        self.cure
    }
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers = self.answers.join("; ");
        write!(f, "no metadata of `{}`: {answers}", self.issuer)
    }
}

impl std::error::Error for DiscoveryError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(issuer: &str) -> Vec<String> {
        well_known(issuer).iter().map(Url::to_string).collect()
    }

    #[test]
    fn a_slash_too_many_is_told_with_its_cure() {
        let told = describe_mismatch("https://idp.example/", "https://idp.example");
        assert!(
            told.ends_with(": write the issuer without the final slash"),
            "{told}"
        );
        let told = describe_mismatch("https://idp.example", "https://idp.example/");
        assert!(
            told.ends_with(": write the issuer with the final slash"),
            "{told}"
        );
        // Whose name it is, nobody knows.
        let told = describe_mismatch("https://idp.example", "https://evil.example");
        assert!(told.ends_with("`https://evil.example`"), "{told}");
    }

    #[test]
    fn four_forms_in_a_fixed_order() {
        let expected = [
            "https://idp.example/realms/x/.well-known/openid-configuration",
            "https://idp.example/.well-known/oauth-authorization-server/realms/x",
            "https://idp.example/.well-known/openid-configuration/realms/x",
            "https://idp.example/realms/x/.well-known/oauth-authorization-server",
        ];
        assert_eq!(urls("https://idp.example/realms/x"), expected);
        assert_eq!(urls("https://idp.example/realms/x/"), expected);
        let expected = [
            "https://idp.example/.well-known/openid-configuration",
            "https://idp.example/.well-known/oauth-authorization-server",
        ];
        assert_eq!(urls("https://idp.example/"), expected);
        assert_eq!(urls("https://idp.example"), expected);
    }

    #[test]
    fn the_issuer_must_be_the_one_asked_for() {
        let issuer = Issuer::parse("https://idp.example").unwrap();
        let read = |text: &str| Metadata::parse(text.as_bytes(), &issuer, &Limits::default());
        assert!(
            read(r#"{"issuer":"https://idp.example","jwks_uri":"https://idp.example/k"}"#).is_ok()
        );
        let nulls = r#"{"issuer":"https://idp.example","jwks_uri":"https://idp.example/k","token_endpoint":null,
            "introspection_endpoint":null,"mtls_endpoint_aliases":null}"#;
        assert_eq!(read(nulls).unwrap().token_endpoint, None);
        for text in [
            r#"{"issuer":"https://idp.example/","jwks_uri":"https://idp.example/k"}"#,
            r#"{"jwks_uri":"https://idp.example/k"}"#,
            r#"{"issuer":"https://idp.example"}"#,
            r#"{"issuer":"https://idp.example","jwks_uri":"http://idp.example/k"}"#,
            r#"{"issuer":"https://idp.example","jwks_uri":"/k"}"#,
            r#"{"issuer":"https://idp.example","issuer":"https://x","jwks_uri":"https://idp.example/k"}"#,
            "[]",
            "<html>",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
