//! The cookie that holds the token, kept from the upstream.

use super::IdentitySettings;
use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use portcullis_core::cookie;

impl IdentitySettings {
    /// Removes the cookie that holds the token, even one that did not count.
    pub(crate) fn strip_cookie(&self, headers: &mut HeaderMap) {
        if let Some(name) = self.hidden_cookie() {
            cookie::remove(headers, name);
        }
    }

    /// The cookie to keep from the upstream.
    fn hidden_cookie(&self) -> Option<&str> {
        match &self.token_cookie {
            Some(name) if !self.forward_token => Some(name),
            _ => None,
        }
    }

    /// The header `Cookie` without the token, for another proxy that forwards: `None` inside if the
    /// header has to go. `None` at all if it holds no token, so that the proxy leaves it alone.
    pub(crate) fn cookies_left(
        &self,
        headers: &HeaderMap,
    ) -> Option<(HeaderName, Option<HeaderValue>)> {
        let name = self.hidden_cookie()?;
        // On a copy: the request itself is decided on as it came.
        let mut left = HeaderMap::new();
        for value in headers.get_all(COOKIE) {
            left.append(COOKIE, value.clone());
        }
        if !cookie::remove(&mut left, name) {
            return None;
        }
        let values = left.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        let values: Vec<&[u8]> = values.collect();
        // Fields of HTTP/2 are one field for others (RFC 9113, section 8.2.3).
        let left = match HeaderValue::from_bytes(&values.join(&b"; "[..])) {
            Ok(joined) if !joined.is_empty() => Some(joined),
            _ => None,
        };
        Some((COOKIE, left))
    }
}
