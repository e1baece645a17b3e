//! The cookie that holds the token, kept from the upstream.

use super::IdentitySettings;
use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use portcullis_core::cookie;

impl IdentitySettings {
    /// Removes the cookie that holds the token, whether it counted or not.
    pub(crate) fn strip_cookie(&self, headers: &mut HeaderMap) {
        if let Some(name) = self.token_cookie.as_deref().filter(|_| !self.forward_token) {
            cookie::remove(headers, name);
        }
    }

    /// What the header `Cookie` must say without the token, for somebody else who forwards: none
    /// where it has to go. Nothing at all where it holds no token.
    pub(crate) fn cookies_left(
        &self,
        headers: &HeaderMap,
    ) -> Option<(HeaderName, Option<HeaderValue>)> {
        let name = self
            .token_cookie
            .as_deref()
            .filter(|_| !self.forward_token)?;
        let mut left = HeaderMap::new();
        for value in headers.get_all(COOKIE) {
            left.append(COOKIE, value.clone());
        }
        if !cookie::remove(&mut left, name) {
            return None;
        }
        let values: Vec<&[u8]> = left
            .get_all(COOKIE)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        let joined = HeaderValue::from_bytes(&values.join(&b"; "[..])).ok();
        Some((COOKIE, joined.filter(|value| !value.is_empty())))
    }
}
