//! Metadata of protected resources (RFC 9728): which issuers an API trusts, as a client reads it.
//!
//! The document is a stranger's word. It counts only if its `resource` is the one that was asked
//! about (section 3.3), at the same origin; an API on the internet cannot point to addresses
//! inside. Refuses redirects, http beyond loopback, what is no strict JSON, and members of another
//! type. Which of several issuers to choose is not decided here.

use crate::address;
use crate::fetch::{DocumentResponse, Fetch, Reach};
use crate::member;
use http::HeaderMap;
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json};
use portcullis_core::rejection::quote;
use portcullis_core::token::Scopes;

/// What a protected resource says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceMetadata {
    /// `resource`: its identifier.
    pub resource: String,
    /// `authorization_servers`: the issuers whose tokens it accepts; at least one.
    pub issuers: Vec<String>,
    /// `scopes_supported`; empty if it lists none.
    pub scopes: Vec<String>,
    /// `dpop_bound_access_tokens_required`.
    pub demands_dpop: bool,
}

/// How a document was found: that decides which resource it may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9728 knows these two ways")]
pub enum MetadataSource<'s> {
    /// At the well-known address of this resource: it is about that one (section 3.3).
    WellKnown(&'s str),
    /// At the address that a challenge names: it is about the URL that was asked, or about one
    /// that it stands beneath, at the same origin.
    Challenge(&'s str),
}

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

impl ResourceMetadata {
    /// Asks an API which issuers it trusts: at its own well-known address, by the challenge of a
    /// request without a token, and at the address of its whole host. `named` reads
    /// `resource_metadata` out of the challenges.
    ///
    /// # Errors
    ///
    /// What was wrong with each of the answers.
    pub async fn discover(
        fetch: &Fetch,
        asked: &str,
        limits: &Limits,
        named: impl Fn(&HeaderMap) -> Option<String>,
    ) -> Result<Self, String> {
        let asked = without_query(asked);
        let url = address::parse_fetchable(asked, false)?;
        let (origin, path) = split(asked);
        let mut faults = Vec::new();
        if !path.is_empty() {
            let at = format!("{origin}{WELL_KNOWN}{path}");
            match Self::at(fetch, &at, MetadataSource::WellKnown(asked), limits).await {
                Ok(found) => return Ok(found),
                Err(fault) => faults.push(fault),
            }
        }
        if let Ok(response) = fetch.look(&url, Reach::Anywhere).await
            && response.status == 401
            && let Some(at) = named(&response.headers)
        {
            // Another host could describe a resource that is not its own.
            let read = match split(&at).0 == origin {
                true => Self::at(fetch, &at, MetadataSource::Challenge(asked), limits).await,
                false => Err(format!("{}: it is at another origin", quote(&at))),
            };
            match read {
                Ok(found) => return Ok(found),
                Err(fault) => faults.push(fault),
            }
        }
        let at = format!("{origin}{WELL_KNOWN}");
        match Self::at(fetch, &at, MetadataSource::WellKnown(origin), limits).await {
            Ok(found) => Ok(found),
            Err(fault) => {
                faults.push(fault);
                Err(faults.join("; "))
            }
        }
    }

    async fn at(
        fetch: &Fetch,
        address: &str,
        source: MetadataSource<'_>,
        limits: &Limits,
    ) -> Result<Self, String> {
        let url = address::parse_fetchable(address, false);
        let url = url.map_err(|reason| format!("{}: {reason}", quote(address)))?;
        let body = match fetch.get(&url, Reach::Anywhere, None).await {
            Ok(DocumentResponse::Document { body, .. }) => body,
            Ok(DocumentResponse::NotModified { .. }) => {
                return Err(format!("{url}: the answer was 304, unasked"));
            }
            Err(fault) => return Err(fault.to_string()),
        };
        Self::parse(&body, source, limits).map_err(|reason| format!("{url}: {reason}"))
    }

    /// Reads a document that was found in this way.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(
        document: &[u8],
        source: MetadataSource<'_>,
        limits: &Limits,
    ) -> Result<Self, String> {
        let object = match json::parse(document, limits) {
            Ok(Json::Object(object)) => object,
            Ok(_) => return Err("the document is not an object".to_owned()),
            Err(_) => return Err("the document is no JSON".to_owned()),
        };
        let resource = match object.get("resource") {
            Some(Json::String(text)) => text.to_string(),
            _ => return Err("it names no `resource`".to_owned()),
        };
        if !source.fits(&resource) {
            let other = quote(&resource);
            return Err(format!("it is the metadata of another resource, {other}"));
        }
        let issuers = member::texts(&object, "authorization_servers")?;
        if issuers.is_empty() {
            return Err("it names no `authorization_servers`".to_owned());
        }
        for issuer in &issuers {
            check_issuer(issuer, &resource)?;
        }
        let scopes = member::texts(&object, "scopes_supported")?;
        if let Some(odd) = scopes.iter().find(|it| !Scopes::is_token(it)) {
            return Err(format!("{} in `scopes_supported` is no scope", quote(odd)));
        }
        let demands_dpop = object.get("dpop_bound_access_tokens_required");
        Ok(Self {
            resource,
            issuers,
            scopes,
            demands_dpop: matches!(demands_dpop, Some(Json::Bool(true))),
        })
    }
}

impl MetadataSource<'_> {
    /// Whether a document that was found in this way may be about a resource. URLs compare code
    /// point by code point; of a whole host, the final slash makes no difference.
    fn fits(self, resource: &str) -> bool {
        match self {
            Self::WellKnown(own) => {
                let is_host = split(own).1.is_empty();
                resource == own || (is_host && resource.strip_suffix('/') == Some(own))
            }
            Self::Challenge(asked) => {
                let (origin, path) = split(resource);
                let (asked_origin, asked_path) = split(asked);
                let Some(rest) = asked_path.strip_prefix(path) else {
                    return false;
                };
                let is_whole = rest.is_empty() || rest.starts_with('/') || path.ends_with('/');
                // `..` would lead out of what it seems to stand beneath.
                let is_plain = !resource.contains(['?', '#', '\\']) && !asked_path.contains("..");
                origin == asked_origin && (is_whole || path.is_empty()) && is_plain
            }
        }
    }
}

/// An issuer must be an address that a client can ask. An API on the internet may not send its
/// clients to addresses inside their network.
fn check_issuer(issuer: &str, resource: &str) -> Result<(), String> {
    let unusable = |reason: &str| {
        let issuer = quote(issuer);
        format!("its authorization server {issuer} cannot be used: {reason}")
    };
    let url = address::parse_fetchable(issuer, false).map_err(unusable)?;
    let is_inside = |text: &str| match address::parse(text) {
        Ok(url) => address::is_inside(&url),
        Err(_) => false,
    };
    if address::is_inside(&url) && !is_inside(resource) {
        return Err(unusable("it is an address inside, and the resource is not"));
    }
    Ok(())
}

/// What an operation adds to the URL of its resource.
fn without_query(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    url.get(..end).unwrap_or(url)
}

/// The origin and the path of a URL as it is written; of a whole host, the path is empty.
fn split(url: &str) -> (&str, &str) {
    let start = url.find("://").map_or(0, |at| at + "://".len());
    let host_end = url.get(start..).and_then(|rest| rest.find('/'));
    let Some((origin, path)) = host_end.and_then(|at| url.split_at_checked(start + at)) else {
        return (url, "");
    };
    match path {
        "/" => (origin, ""),
        path => (origin, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MetadataSource::{Challenge, WellKnown};

    fn read(document: &str, source: MetadataSource<'_>) -> Result<ResourceMetadata, String> {
        ResourceMetadata::parse(document.as_bytes(), source, &Limits::default())
    }

    fn about(resource: &str) -> String {
        format!(r#"{{"resource":"{resource}","authorization_servers":["https://idp.example"]}}"#)
    }

    #[test]
    fn the_resource_must_be_the_one_that_was_asked_about() {
        let own = "https://api.example/orders";
        for (resource, source, is_fit) in [
            (own, WellKnown(own), true),
            ("https://api.example/orders/", WellKnown(own), false),
            ("https://api.example/Orders", WellKnown(own), false),
            ("https://API.example/orders", WellKnown(own), false),
            ("https://api.example:443/orders", WellKnown(own), false),
            ("https://api.example", WellKnown(own), false),
            ("https://evil.example/orders", WellKnown(own), false),
            (
                "https://api.example",
                WellKnown("https://api.example"),
                true,
            ),
            (
                "https://api.example/",
                WellKnown("https://api.example"),
                true,
            ),
            (
                "https://api.example/x",
                WellKnown("https://api.example"),
                false,
            ),
            (own, Challenge("https://api.example/orders"), true),
            (own, Challenge("https://api.example/orders/1"), true),
            (
                "https://api.example",
                Challenge("https://api.example/orders/1"),
                true,
            ),
            (
                "https://api.example/",
                Challenge("https://api.example/orders/1"),
                true,
            ),
            (own, Challenge("https://api.example/orders2"), false),
            (own, Challenge("https://api.example/"), false),
            (own, Challenge("https://api.example/orders/../admin"), false),
            (own, Challenge("https://api.example.evil/orders/1"), false),
            (own, Challenge("http://api.example/orders/1"), false),
            (
                "https://api.example/orders?x",
                Challenge("https://api.example/orders"),
                false,
            ),
        ] {
            let found = read(&about(resource), source);
            assert_eq!(found.is_ok(), is_fit, "{resource} by {source:?}: {found:?}");
        }
    }

    #[test]
    fn what_is_no_proper_document_is_refused() {
        let own = WellKnown("https://api.example/a");
        for document in [
            "",
            "[]",
            "<html>",
            r#"{"authorization_servers":["https://idp.example"]}"#,
            r#"{"resource":"https://api.example/a"}"#,
            r#"{"resource":"https://api.example/a","authorization_servers":[]}"#,
            r#"{"resource":"https://api.example/a","authorization_servers":"https://idp.example"}"#,
            r#"{"resource":"https://api.example/a","authorization_servers":[7]}"#,
            r#"{"resource":"https://api.example/a","authorization_servers":["http://idp.example"]}"#,
            r#"{"resource":"https://api.example/a","authorization_servers":["http://127.0.0.1:9"]}"#,
            r#"{"resource":"https://api.example/a","authorization_servers":["https://10.0.0.1"]}"#,
            r#"{"resource":"https://api.example/a","authorization_servers":["https://i.example"],"scopes_supported":["a b"]}"#,
            r#"{"resource":"https://api.example/a","resource":"https://api.example/a","authorization_servers":["https://idp.example"]}"#,
        ] {
            assert!(read(document, own).is_err(), "{document}");
        }
        let local = WellKnown("http://127.0.0.1:8080/a");
        let document = r#"{"resource":"http://127.0.0.1:8080/a","authorization_servers":["http://127.0.0.1:9000"],
            "scopes_supported":["a","b"],"dpop_bound_access_tokens_required":true,"x":[1]}"#;
        let found = read(document, local).unwrap();
        assert_eq!(found.scopes, ["a", "b"]);
        assert!(found.demands_dpop && found.issuers == ["http://127.0.0.1:9000"]);
    }

    #[test]
    fn a_url_is_cut_as_it_is_written() {
        for (url, parts) in [
            ("https://a.example", ("https://a.example", "")),
            ("https://a.example/", ("https://a.example", "")),
            ("https://a.example:1/x/", ("https://a.example:1", "/x/")),
        ] {
            assert_eq!(split(url), parts);
        }
        assert_eq!(
            without_query("https://a.example/x?y#z"),
            "https://a.example/x"
        );
    }
}
