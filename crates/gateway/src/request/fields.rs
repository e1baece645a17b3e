//! Header fields: members of lists, the one transfer coding, and values that the gateway writes.

use bytes::BytesMut;
use http::header::{HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use std::fmt::Write as _;
use std::net::IpAddr;

/// The members of a list header (RFC 9110, section 5.6.1).
pub(crate) fn listed<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'h str> {
    let values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|member| !member.is_empty())
}

/// Whether `chunked` is the one transfer coding.
pub(crate) fn is_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let one = codings.next().is_some_and(|coding| {
        coding
            .as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"chunked")
    });
    one && codings.next().is_none()
}

/// The values that the gateway writes for one request, in one piece of memory: then to copy a head
/// counts references.
pub(crate) struct Values(BytesMut);

impl Values {
    pub(crate) fn new() -> Self {
        Self(BytesMut::with_capacity(512))
    }

    /// Goes on with a value.
    pub(crate) fn push(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Goes on with an address.
    pub(crate) fn push_address(&mut self, address: IpAddr) {
        // Writing to memory cannot fail.
        _ = write!(self.0, "{address}");
    }

    /// The value that was written, the next one begins. `None` if it cannot be one.
    pub(crate) fn end(&mut self) -> Option<HeaderValue> {
        HeaderValue::from_maybe_shared(self.0.split().freeze()).ok()
    }

    /// Sets a header to the value that was written, if it can be one.
    pub(crate) fn set(&mut self, headers: &mut HeaderMap, name: HeaderName) {
        if let Some(value) = self.end() {
            headers.insert(name, value);
        }
    }
}

pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
