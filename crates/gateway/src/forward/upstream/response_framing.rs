//! The framing of a response: it passes only with one reading, and its connection is used again
//! only where nothing can be left on it.
//!
//! A response with a transfer coding besides `chunked` is refused: the gateway does not decode
//! codings, and what it forwarded would lack the name of one. A response with both lengths is read
//! by its coding (RFC 9112, section 6.3), loses `Content-Length`, and ends its connection. So does
//! one that names a length and must not have a body: some servers send one anyway, and it would be
//! taken for the next response.

use super::fault::UpstreamFault;
use crate::request::fields::is_chunked;
use http::header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Response, StatusCode};

/// Whether a connection can carry another request after this response. Mends the head where it
/// names a length in two ways.
pub(super) fn check_http1<B>(
    response: &mut Response<B>,
    method: &Method,
) -> Result<bool, UpstreamFault> {
    let status = response.status();
    let headers = response.headers_mut();
    let coded = headers.contains_key(TRANSFER_ENCODING);
    if coded && !is_chunked(headers) {
        let facts = "a response with a transfer coding that is not `chunked`";
        return Err(UpstreamFault::Broken(facts.to_owned()));
    }
    let length = one_length(headers)?;
    let both_lengths = coded && length.is_some();
    // A 204 must not name a length (RFC 9110, section 8.6), and some clients wait for that body.
    if both_lengths || status == StatusCode::NO_CONTENT {
        headers.remove(CONTENT_LENGTH);
    }
    // These have no body, whatever their fields say (RFC 9112, section 6.3).
    let has_no_body = *method == Method::HEAD
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || status.is_informational();
    let may_send_body = match length {
        Some(length) => length != "0",
        None => coded,
    };
    let leaves_rest = both_lengths || has_no_body && may_send_body;
    Ok(!leaves_rest)
}

/// As [`check_http1`], for HTTP/2, where frames delimit the body and not fields.
pub(super) fn check_http2<B>(
    response: &mut Response<B>,
    most_headers: usize,
) -> Result<(), UpstreamFault> {
    let count = response.headers().len();
    if count > most_headers {
        let facts = format!("a response with {count} fields");
        return Err(UpstreamFault::HeadTooLarge(facts));
    }
    if response.status() == StatusCode::NO_CONTENT {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    one_length(response.headers_mut())?;
    Ok(())
}

/// `Content-Length` as one number, however often it is there (RFC 9110, section 8.6).
fn one_length(headers: &mut HeaderMap) -> Result<Option<HeaderValue>, UpstreamFault> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if is_number(first.as_bytes()) && values.next().is_none() {
        return Ok(Some(first.clone()));
    }
    let number = repeated_number(headers)?;
    let Ok(value) = HeaderValue::from_bytes(number) else {
        return Err(UpstreamFault::Broken("a malformed length".to_owned()));
    };
    headers.insert(CONTENT_LENGTH, value.clone());
    Ok(Some(value))
}

/// The number that every member of `Content-Length` repeats.
fn repeated_number(headers: &HeaderMap) -> Result<&[u8], UpstreamFault> {
    let mut number = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for member in value.as_bytes().split(|byte| *byte == b',') {
            let member = member.trim_ascii();
            // Two different lengths are how responses are split (RFC 9112, section 11.1).
            if !is_number(member) || *number.get_or_insert(member) != member {
                let facts = "a response with more than one length";
                return Err(UpstreamFault::Broken(facts.to_owned()));
            }
        }
    }
    Ok(number.unwrap_or_default())
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_kept_where_nothing_can_be_left_on_it() {
        for (method, status, fields, kept) in [
            (Method::GET, 200, &[("content-length", "5")][..], Some(true)),
            (
                Method::GET,
                200,
                &[("transfer-encoding", "chunked")],
                Some(true),
            ),
            (
                Method::GET,
                200,
                &[("transfer-encoding", "Chunked"), ("content-length", "5")],
                Some(false),
            ),
            (
                Method::GET,
                200,
                &[("transfer-encoding", "gzip, chunked")],
                None,
            ),
            (
                Method::GET,
                200,
                &[
                    ("transfer-encoding", "chunked"),
                    ("transfer-encoding", "chunked"),
                ],
                None,
            ),
            (Method::GET, 200, &[("transfer-encoding", "identity")], None),
            (
                Method::GET,
                200,
                &[("content-length", "5"), ("content-length", "5")],
                Some(true),
            ),
            (Method::GET, 200, &[("content-length", "5, 5")], Some(true)),
            (Method::GET, 200, &[("content-length", "5, 6")], None),
            (Method::GET, 200, &[("content-length", "-5")], None),
            (Method::GET, 200, &[("content-length", "")], None),
            (Method::GET, 204, &[], Some(true)),
            (Method::GET, 204, &[("content-length", "0")], Some(true)),
            (Method::GET, 204, &[("content-length", "5")], Some(false)),
            (
                Method::GET,
                204,
                &[("transfer-encoding", "chunked")],
                Some(false),
            ),
            (Method::GET, 304, &[("content-length", "5")], Some(false)),
            (Method::GET, 304, &[], Some(true)),
            (Method::HEAD, 200, &[("content-length", "5")], Some(false)),
            (Method::HEAD, 200, &[], Some(true)),
        ] {
            let mut response = Response::builder().status(status);
            for (name, value) in fields {
                response = response.header(*name, *value);
            }
            let mut response = response.body(()).unwrap();
            assert_eq!(
                check_http1(&mut response, &method).ok(),
                kept,
                "{method} {status} {fields:?}"
            );
            assert!(
                response
                    .headers()
                    .get_all(CONTENT_LENGTH)
                    .iter()
                    .count()
                    <= 1
            );
        }
    }
}
