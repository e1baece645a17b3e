//! Authorization server metadata (RFC 8414) and OpenID Connect Discovery 1.0: where an issuer's keys are.
//!
//! Three well-known URLs are asked in a fixed order. A document counts only if its `issuer` is, byte for byte,
//! the issuer that was asked for (RFC 8414, section 3.3).

use crate::address;
use crate::fetch::{Fetch, FetchFault, Fetched, Reach};
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::rejection::shown;
use portcullis_core::token::Issuer;
use std::fmt;
use url::Url;

/// What we read of an issuer's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// `jwks_uri`: where the keys are.
    pub jwks_uri: Url,
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
    /// Asks an issuer for its metadata, by itself and once.
    ///
    /// # Errors
    ///
    /// What each of the well-known URLs answered.
    pub async fn discover(issuer: &Issuer) -> Result<Self, DiscoveryError> {
        let limits = Limits::default();
        let fetch = Fetch::new(limits.document_bytes);
        discover(&fetch, issuer, well_known(issuer.as_str()), &limits, metadata).await
    }

    /// Reads the metadata of this issuer from a document.
    ///
    /// # Errors
    ///
    /// What is wrong with the document.
    pub fn parse(document: &[u8], issuer: &Issuer, limits: &Limits) -> Result<Self, String> {
        read(document, issuer, limits, metadata)
    }
}

/// Asks these URLs in turn, and makes `members` of the first document that is the issuer's. A server that is down is
/// not asked again under another path.
///
/// # Errors
///
/// What each of the URLs answered.
pub async fn discover<T>(
    fetch: &Fetch,
    issuer: &Issuer,
    urls: Vec<Url>,
    limits: &Limits,
    members: fn(&Object) -> Result<T, String>,
) -> Result<T, DiscoveryError> {
    let mut answers = Vec::new();
    for url in urls {
        match fetch.get(&url, Reach::Anywhere, None).await {
            Ok(Fetched::Document { body, .. }) => match read(&body, issuer, limits, members) {
                Ok(metadata) => return Ok(metadata),
                Err(reason) => answers.push(format!("{url}: {reason}")),
            },
            Ok(Fetched::NotModified { .. }) => answers.push(format!("{url}: the answer was 304, unasked")),
            Err(fault) => {
                let FetchFault { absent, .. } = fault;
                answers.push(fault.to_string());
                if !absent {
                    break;
                }
            }
        }
    }
    Err(DiscoveryError { issuer: issuer.clone(), answers })
}

/// Where the metadata of an issuer may be: OpenID Connect Discovery, section 4; RFC 8414, section 3; RFC 8414, section 5.
pub fn well_known(base: &str) -> Vec<Url> {
    let text = base.strip_suffix('/').unwrap_or(base);
    let start = text.find("://").map_or(0, |at| at + "://".len());
    let path_at = text.get(start..).and_then(|rest| rest.find('/')).map_or(text.len(), |at| start + at);
    let (origin, path) = text.split_at_checked(path_at).unwrap_or((text, ""));
    let urls = [
        format!("{text}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
    ];
    let mut parsed: Vec<Url> = urls.iter().filter_map(|url| Url::parse(url).ok()).collect();
    parsed.dedup();
    if path.is_empty() {
        parsed.truncate(2); // without a path the first and the third are the same
    }
    parsed
}

fn read<T>(
    document: &[u8],
    issuer: &Issuer,
    limits: &Limits,
    members: fn(&Object) -> Result<T, String>,
) -> Result<T, String> {
    let document = json::parse(document, limits).map_err(|fault| format!("the document is {fault}"))?;
    let object = document.as_object().ok_or("the document is not an object")?;
    // AD FS has one name in its metadata and another in its access tokens, and says both.
    let of_access_tokens = object.get("access_token_issuer").and_then(Json::as_str);
    match object.get("issuer").and_then(Json::as_str) {
        Some(named) if named == issuer.as_str() || of_access_tokens == Some(issuer.as_str()) => {}
        Some(other) => return Err(format!("it is the metadata of another issuer, {}", shown(other))),
        None => return Err("it names no `issuer`".to_owned()),
    }
    members(object)
}

pub(crate) fn metadata(object: &Object) -> Result<Metadata, String> {
    let jwks_uri = endpoint(object, "jwks_uri")?.ok_or("it names no `jwks_uri`")?;
    let alias = |name| match object.get("mtls_endpoint_aliases").and_then(Json::as_object) {
        Some(aliases) => endpoint(aliases, name),
        None => Ok(None),
    };
    Ok(Metadata {
        jwks_uri,
        token_endpoint: endpoint(object, "token_endpoint")?,
        introspection_endpoint: endpoint(object, "introspection_endpoint")?,
        mtls_introspection_endpoint: alias("introspection_endpoint")?,
        mtls_token_endpoint: alias("token_endpoint")?,
    })
}

/// The address under this name, if there is one.
///
/// # Errors
///
/// One that may not be asked.
pub fn endpoint(object: &Object, name: &str) -> Result<Option<Url>, String> {
    let Some(value) = object.get(name) else { return Ok(None) };
    let text = value.as_str().ok_or_else(|| format!("its `{name}` is not a string"))?;
    let url = address::parse(text).and_then(|url| address::fetchable(&url).map(|()| url));
    url.map(Some).map_err(|reason| format!("its `{name}` cannot be used: {reason}"))
}

/// No metadata could be had, and what each URL answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveryError {
    issuer: Issuer,
    answers: Vec<String>,
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no metadata of `{}`: {}", self.issuer, self.answers.join("; "))
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
    fn three_forms_in_a_fixed_order() {
        let expected = [
            "https://idp.example/realms/x/.well-known/openid-configuration",
            "https://idp.example/.well-known/oauth-authorization-server/realms/x",
            "https://idp.example/.well-known/openid-configuration/realms/x",
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
        let read = |text: &str| read(text.as_bytes(), &issuer, &Limits::default(), metadata);
        assert!(read(r#"{"issuer":"https://idp.example","jwks_uri":"https://idp.example/k"}"#).is_ok());
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
