//! The places of a request where a token may be, as the settings name them.

use super::ResourceServer;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use portcullis_core::cookie::CookieRequest;
use portcullis_core::credential::{self, Credential};
use portcullis_core::rejection::Rejection;

impl ResourceServer {
    /// The one bearer token of a request, unread.
    ///
    /// # Errors
    ///
    /// There is none, it is malformed, or there is a second one.
    pub fn find_credential<'r>(
        &self,
        headers: &'r HeaderMap,
        query: Option<&str>,
    ) -> Result<Credential<'r>, Rejection> {
        credential::find_in(self.0.token_header.as_ref(), headers, query)
    }

    /// The headers of a request whose token is in the cookie that the settings name, with the token
    /// where [`decide`](Self::decide) looks for it; `None` where there is no such cookie, or where
    /// it does not count. A door that knows the method calls this first.
    pub fn with_cookie_token(&self, request: CookieRequest<'_>) -> Option<HeaderMap> {
        let name = self.0.token_cookie.as_deref()?;
        // A browser sends cookies by itself; a header is what the caller chose.
        if self.has_own_header(request.headers) {
            return None;
        }
        request.credential_headers(name)
    }

    /// Whether a request carries any credential, good or bad, where this server looks for one.
    pub fn sees_credential(&self, headers: &HeaderMap) -> bool {
        self.has_own_header(headers) || headers.contains_key(AUTHORIZATION)
    }

    /// Whether the header that the settings name for the token is there.
    fn has_own_header(&self, headers: &HeaderMap) -> bool {
        match &self.0.token_header {
            Some(header) => headers.contains_key(header),
            None => false,
        }
    }
}
