//! The decision of both doors: a token that an outer one verified is not verified again.

use http::request::Parts;
use http::uri::Authority;
use http::{Extensions, HeaderMap};
use portcullis_core::cookie::CookieRequest;
use portcullis_core::token::AccessToken;
use portcullis_core::{Denial, Requirement};
use portcullis_resource_server::ResourceServer;

/// Decides about a request, and leaves the verified token in its extensions. A token that this very
/// server verified before has only to meet the requirement.
///
/// # Errors
///
/// The refusal or the outage.
pub(crate) async fn decide(
    parts: &mut Parts,
    server: &ResourceServer,
    requirement: &Requirement,
) -> Result<AccessToken, Denial> {
    let permit = match Verified::find(&parts.extensions, server) {
        Some(token) => server.permit(token, requirement).await?,
        None => {
            let presented = presented(parts, server);
            let headers = presented.as_ref().unwrap_or(&parts.headers);
            server
                .decide(headers, parts.uri.query(), requirement)
                .await
                .into_result()?
        }
    };
    let token = permit.into_token();
    Verified::remember(&mut parts.extensions, server, token.clone());
    Ok(token)
}

/// The headers with a token that came in a cookie, where the settings name one and it counts.
pub(crate) fn presented(parts: &Parts, server: &ResourceServer) -> Option<HeaderMap> {
    let host = parts.uri.authority().map(Authority::as_str);
    server.with_cookie_token(CookieRequest {
        method: &parts.method,
        host,
        headers: &parts.headers,
    })
}

/// Which server verified which token of this request.
#[derive(Clone)]
struct Verified {
    server: ResourceServer,
    token: AccessToken,
}

impl Verified {
    /// Lets the rest of the request know.
    fn remember(extensions: &mut Extensions, server: &ResourceServer, token: AccessToken) {
        extensions.insert(token.clone());
        extensions.insert(Self {
            server: server.clone(),
            token,
        });
    }

    /// The token that this very server verified. Another server's word does not count.
    fn find(extensions: &Extensions, server: &ResourceServer) -> Option<AccessToken> {
        extensions
            .get::<Self>()
            .filter(|verified| verified.server.is_same(server))
            .map(|verified| verified.token.clone())
    }
}
