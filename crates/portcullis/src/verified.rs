//! A token that an outer layer verified, so that nobody verifies it twice.

use http::Extensions;
use portcullis_core::token::AccessToken;
use portcullis_resource_server::ResourceServer;

/// Which server verified which token of this request.
#[derive(Clone)]
pub(crate) struct Verified {
    server: ResourceServer,
    token: AccessToken,
}

impl Verified {
    /// Lets the rest of the request know.
    pub(crate) fn remember(extensions: &mut Extensions, server: &ResourceServer, token: AccessToken) {
        extensions.insert(token.clone());
        extensions.insert(Self { server: server.clone(), token });
    }

    /// The token that this very server verified. Another server's word does not count.
    #[cfg(feature = "axum")]
    pub(crate) fn find(extensions: &Extensions, server: &ResourceServer) -> Option<AccessToken> {
        extensions
            .get::<Self>()
            .filter(|verified| verified.server.is_same(server))
            .map(|verified| verified.token.clone())
    }
}
