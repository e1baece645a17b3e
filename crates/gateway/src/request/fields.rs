//! Header fields: members of lists, the one transfer coding, and values that the gateway writes.

use bytes::BytesMut;
use http::header::{HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use std::fmt::Write as _;
use std::net::IpAddr;

/// The members of a list header (RFC 9110, section 5.6.1).
pub(crate) fn list_members<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).iter().map(HeaderValue::to_str);
    // A value that is not ASCII can name no member that is looked for.
    values
        .flatten()
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|member| !member.is_empty())
}

/// Whether `chunked` is the one transfer coding.
pub(crate) fn is_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let (Some(coding), None) = (codings.next(), codings.next()) else {
        return false;
    };
    let coding = coding.as_bytes().trim_ascii();
    coding.eq_ignore_ascii_case(b"chunked")
}

/// The values that the gateway writes for one request, in one piece of memory: copying a head then
/// only counts references.
pub(crate) struct Values(BytesMut);

impl Values {
    pub(crate) fn new() -> Self {
        // Enough for the usual headers, so that one allocation serves a request.
        Self(BytesMut::with_capacity(512))
    }

    /// Appends to a value.
    pub(crate) fn push(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Appends an address to a value.
    pub(crate) fn push_address(&mut self, address: IpAddr) {
        // Writing to memory cannot fail.
        _ = write!(self.0, "{address}");
    }

    /// Ends a value, and begins the next one. `None` if it is no header value.
    pub(crate) fn end(&mut self) -> Option<HeaderValue> {
        HeaderValue::from_maybe_shared(self.0.split().freeze()).ok()
    }

    /// Ends a value, and sets a header to it if it can be one.
    pub(crate) fn set(&mut self, headers: &mut HeaderMap, name: HeaderName) {
        if let Some(value) = self.end() {
            headers.insert(name, value);
        }
    }
}

/// Sets a header, if the text can be a header value.
pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{FORWARDED, HOST};

    #[test]
    fn values_follow_each_other() {
        let (mut values, mut headers) = (Values::new(), HeaderMap::new());
        values.push("for=");
        values.push_address(IpAddr::from([192, 0, 2, 1]));
        values.set(&mut headers, FORWARDED);
        values.push("a.example");
        values.set(&mut headers, HOST);
        values.push("a\nb");
        values.set(&mut headers, HOST);
        assert_eq!(headers[FORWARDED], "for=192.0.2.1");
        assert_eq!(headers[HOST], "a.example");
    }
}
