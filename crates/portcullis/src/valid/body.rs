//! Reading a body whole: its media type, its encoding and its size come before its bytes.

use super::answer::{InvalidRequest, Reason};
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};

/// The media types that an extractor reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyType {
    Json,
    Form,
}

impl BodyType {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }

    fn is(self, media_type: &str) -> bool {
        let media_type = media_type.trim().to_ascii_lowercase();
        let suffix = media_type
            .strip_prefix("application/")
            .unwrap_or_default();
        // A structured suffix says that the body is JSON (RFC 6839, section 3.1).
        media_type == self.name() || self == Self::Json && suffix.ends_with("+json")
    }
}

/// The bytes of a body of this type.
pub(super) async fn read_body<S: Send + Sync>(
    request: Request,
    state: &S,
    expected: BodyType,
) -> Result<(HeaderMap, Bytes), InvalidRequest> {
    let headers = request.headers().clone();
    if !is_plain(&headers) || !has_type(&headers, expected) {
        let reason = Reason::MediaType(expected.name());
        return Err(InvalidRequest::new(reason, &headers));
    }
    // axum counts while it reads, by the `DefaultBodyLimit` of the router.
    match Bytes::from_request(request, state).await {
        Ok(bytes) => Ok((headers, bytes)),
        Err(rejection) => {
            let reason = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Reason::TooLarge,
                _ => Reason::Unreadable,
            };
            Err(InvalidRequest::new(reason, &headers))
        }
    }
}

fn has_type(headers: &HeaderMap, expected: BodyType) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    // Two media types are two readings of one body.
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let text = value.to_str().unwrap_or_default();
    expected.is(text.split(';').next().unwrap_or_default())
}

/// Whether the bytes are the body itself; a layer that unpacks them removes the header.
fn is_plain(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}
