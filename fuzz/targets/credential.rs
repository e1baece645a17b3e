//! Any bytes as an Authorization header and a query.

use http::{HeaderMap, HeaderValue};
use portcullis_core::credential;

pub(crate) fn run(data: &[u8]) {
    let mut parts = data.split(|byte| *byte == b'\n');
    let (first, second, query) = (parts.next(), parts.next(), parts.next());
    let mut headers = HeaderMap::new();
    for value in [first, second]
        .into_iter()
        .flatten()
        .filter_map(|bytes| HeaderValue::from_bytes(bytes).ok())
    {
        headers.append("authorization", value);
    }
    let query = query.and_then(|bytes| std::str::from_utf8(bytes).ok());
    if let Ok(found) = credential::find(&headers, query) {
        assert_eq!(headers.len(), 1, "one of two credentials was picked");
        assert!(!found.token().is_empty() && found.token().is_ascii());
    }
}
