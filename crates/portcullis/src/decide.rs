//! The decision of layer and extractor: a token that an outer layer verified is not verified again.

use http::request::Parts;
use http::uri::Authority;
use http::{Extensions, HeaderMap};
use portcullis_core::cookie::CookieRequest;
use portcullis_core::token::AccessToken;
use portcullis_core::{Denial, Requirement};
use portcullis_resource_server::ResourceServer;

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
        Some(token) => server.permit(token, requirement).await?,
        None => {
            let with_cookie = cookie_headers(parts, server);
            let headers = with_cookie.as_ref().unwrap_or(&parts.headers);
            server
                .decide(headers, parts.uri.query(), requirement)
                .await
                .into_result()?
        }
    };
    let token = permit.into_token();
    VerificationRecord::remember(&mut parts.extensions, server, token.clone());
    Ok(token)
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
        record.server.is_same(server).then(|| record.token.clone())
    }
}
