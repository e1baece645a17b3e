//! The framing of an answer: what has one reading passes, and its connection is used again only
//! where nothing can be left on it.
//!
//! An answer with a transfer coding besides `chunked` is refused: the gateway does not decode
//! codings, and what it forwarded would lack the name of one. An answer with both lengths is read
//! by its coding (RFC 9112, section 6.3), loses `Content-Length`, and ends its connection; so does
//! one that names a length and must not have a body, as servers exist that send one anyway, which
//! would be taken for the next answer.

use super::fault::Fault;
use crate::request::fields::is_chunked;
use http::header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Response, StatusCode};

/// Whether a connection can carry another request after this answer. Mends the head where it names
/// a length in two ways.
pub(super) fn check_http1<B>(response: &mut Response<B>, method: &Method) -> Result<bool, Fault> {
    let status = response.status();
    let headers = response.headers_mut();
    let coded = headers.contains_key(TRANSFER_ENCODING);
    if coded && !is_chunked(headers) {
        return Err(Fault::Broken(
            "an answer with a transfer coding that is not `chunked`".to_owned(),
        ));
    }
    let length = one_length(headers)?;
    let no_body = *method == Method::HEAD
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || status.is_informational();
    if coded && length.is_some() || status == StatusCode::NO_CONTENT {
        headers.remove(CONTENT_LENGTH);
    }
    Ok(!(coded && length.is_some()
        || no_body && (coded || length.is_some_and(|length| length != "0"))))
}

/// As [`check_http1`], of HTTP/2: framing is not the head's there.
pub(super) fn check_http2<B>(response: &mut Response<B>, most_headers: usize) -> Result<(), Fault> {
    if response.headers().len() > most_headers {
        return Err(Fault::HeadTooLarge(format!(
            "an answer with {} fields",
            response.headers().len()
        )));
    }
    if response.status() == StatusCode::NO_CONTENT {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    one_length(response.headers_mut()).map(|_| ())
}

/// `Content-Length` as one number, however often it is said (RFC 9110, section 8.6).
fn one_length(headers: &mut HeaderMap) -> Result<Option<HeaderValue>, Fault> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if first.as_bytes().iter().all(u8::is_ascii_digit)
        && !first.is_empty()
        && values.next().is_none()
    {
        return Ok(Some(first.clone()));
    }
    let all = headers.get_all(CONTENT_LENGTH).iter();
    let mut numbers = all
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii);
    let first = numbers.next().unwrap_or_default();
    let proper = !first.is_empty() && first.iter().all(u8::is_ascii_digit);
    if !proper || numbers.any(|other| other != first) {
        return Err(Fault::Broken(
            "an answer with more than one length".to_owned(),
        ));
    }
    let value = HeaderValue::from_bytes(first)
        .map_err(|_| Fault::Broken("a malformed length".to_owned()))?;
    headers.insert(CONTENT_LENGTH, value.clone());
    Ok(Some(value))
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
            assert!(response.headers().get_all(CONTENT_LENGTH).iter().count() <= 1);
        }
    }
}
