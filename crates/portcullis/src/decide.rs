//! The decision of layer and extractor: a token that an outer layer verified is not verified again.

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{Extensions, HeaderMap};
use portcullis_core::cookie::CookieRequest;
use portcullis_core::token::AccessToken;
use portcullis_core::{Denial, EffectiveUrl, Requirement};
use portcullis_resource_server::{ProtectedResource, ResourceRequest, ResourceServer};

/// Decides about a request, and leaves the verified token in its extensions. A token that this very
/// server has verified for this request only has to meet the requirement.
///
/// # Errors
///
/// The refusal or the outage.
pub(crate) async fn decide(
    parts: &mut Parts,
    server: &ResourceServer,
    requirement: &Requirement,
) -> Result<AccessToken, Denial> {
    let permit = match VerificationRecord::find(&parts.extensions, server) {
        // The inner requirement may ask for more than the outer layer's did.
        Some(token) => {
            let request = ResourceRequest {
                resource: resource(parts, server),
                ..ResourceRequest::of_headers(&parts.headers, None)
            };
            server
                .permit_request(token, &request, requirement)
                .await?
        }
        None => {
            let with_cookie = cookie_headers(parts, server);
            let headers = with_cookie.as_ref().unwrap_or(&parts.headers);
            let url = effective_url(parts, server);
            let request = ResourceRequest {
                method: &parts.method,
                url: url.as_ref(),
                // An application that ends TLS itself leaves it there; no client can.
                certificate: parts.extensions.get(),
                resource: resource(parts, server),
                ..ResourceRequest::of_headers(headers, parts.uri.query())
            };
            let decision = server.decide_request(&request, requirement).await;
            decision.into_result()?
        }
    };
    let token = permit.into_token();
    VerificationRecord::remember(&mut parts.extensions, server, token.clone());
    Ok(token)
}

/// What the client asked for, where a proof has to name it. An application sees neither its own
/// name nor TLS, so the settings say both; the path is the one before routers cut it.
fn effective_url(parts: &Parts, server: &ResourceServer) -> Option<EffectiveUrl> {
    if !parts.headers.contains_key("dpop") {
        return None;
    }
    server.effective_url(sent_path(parts))
}

/// The API that a request is for. Its host only chooses among those that are configured.
fn resource<'s>(parts: &Parts, server: &'s ResourceServer) -> Option<&'s ProtectedResource> {
    let named = parts
        .headers
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    let authority = named.or_else(|| parts.uri.authority().map(Authority::as_str));
    server.resources().find(authority, sent_path(parts))
}

/// The path before routers cut it.
fn sent_path(parts: &Parts) -> &str {
    #[cfg(feature = "axum")]
    if let Some(original) = parts.extensions.get::<axum::extract::OriginalUri>() {
        return original.0.path();
    }
    parts.uri.path()
}

/// The headers with the token of a cookie, if the settings name one and it counts.
pub(crate) fn cookie_headers(parts: &Parts, server: &ResourceServer) -> Option<HeaderMap> {
    // HTTP/2 may send no `Host` header: its authority is in the URI (RFC 9113, section 8.3.1).
    let host = parts.uri.authority().map(Authority::as_str);
    server.with_cookie_token(CookieRequest {
        method: &parts.method,
        host,
        headers: &parts.headers,
    })
}

/// The addresses of the pages that explain codes, of the server that verified the caller.
#[cfg(feature = "validate")]
pub(crate) fn code_links(extensions: &Extensions) -> portcullis_core::CodeLinks {
    match extensions.get::<VerificationRecord>() {
        Some(record) => record.server.code_links().clone(),
        None => portcullis_core::CodeLinks::default(),
    }
}

/// A note in the request: this server verified this token.
// It lies in the request's extensions, which no client can write.
#[derive(Clone)]
struct VerificationRecord {
    server: ResourceServer,
    token: AccessToken,
}

impl VerificationRecord {
    /// Leaves the note, and the token itself for the application.
    fn remember(extensions: &mut Extensions, server: &ResourceServer, token: AccessToken) {
        extensions.insert(token.clone());
        // A request keeps one record: two servers in turn verify again, which costs only time.
        extensions.insert(Self {
            server: server.clone(),
            token,
        });
    }

    /// The token that this very server verified.
    fn find(extensions: &Extensions, server: &ResourceServer) -> Option<AccessToken> {
        let record = extensions.get::<Self>()?;
        // Another server may trust other issuers and audiences: its word does not count here.
        record
            .server
            .is_same(server)
            .then(|| record.token.clone())
    }
}
