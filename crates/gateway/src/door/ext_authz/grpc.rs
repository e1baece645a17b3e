//! One unary call of gRPC over HTTP/2: a message in, a message out.
//!
//! A call is known by its path alone. Envoy's HTTP flavour passes the headers and the body of its
//! caller on, but it puts `path_prefix` before every path, so no caller can reach this one.
//!
//! A call that cannot be read is answered like any other, by whoever decides. An Envoy with
//! `failure_mode_allow` would let the request pass on a failure status of gRPC.

use crate::forward::body::Body;
use crate::settings::CHECK_METHOD;
use crate::transport::client_body::ClientBody;
use bytes::{BufMut as _, BytesMut};
use http::header::CONTENT_TYPE;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version};
use http_body_util::{BodyExt as _, Limited};
use prost::Message;

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const OK: HeaderValue = HeaderValue::from_static("0");
const KIND: HeaderValue = HeaderValue::from_static("application/grpc");

/// Most bytes of a call. Envoy sends the head of a request, and its body if it is configured to.
const MOST_BYTES: usize = 1_048_576;

/// Whether a request calls the one method of this service. Headers do not matter: a caller writes
/// them.
pub(super) fn is_check<B>(request: &Request<B>) -> bool {
    let target = request
        .uri()
        .path_and_query()
        .map(PathAndQuery::as_str);
    request.method() == Method::POST && target == Some(CHECK_METHOD)
}

/// Why a request for the method is no call of gRPC; `None` if it is one.
pub(super) fn fault<B>(request: &Request<B>) -> Option<&'static str> {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.map(HeaderValue::as_bytes).unwrap_or_default();
    let kind = kind.strip_prefix(b"application/grpc").unwrap_or(b"x");
    if request.version() != Version::HTTP_2 {
        Some("a call of gRPC in another version than HTTP/2")
    } else if !matches!(kind, [] | [b'+' | b';', ..]) {
        Some("a call of gRPC with another `Content-Type`")
    } else {
        None
    }
}

/// Reads the message of a call, or says why it cannot be read.
pub(super) async fn read<M: Message + Default>(body: ClientBody) -> Result<M, &'static str> {
    // The whole message is in memory at once, so it is bounded before it is parsed.
    let body = Limited::new(body, MOST_BYTES).collect().await;
    let body = body.or(Err("a call that is too large, or breaks off"))?;
    parse(&body.to_bytes())
}

/// Parses the one message of a whole body.
pub(super) fn parse<M: Message + Default>(body: &[u8]) -> Result<M, &'static str> {
    // A compressed message was not asked for, and more than one is no unary call.
    let [0, a, b, c, d, message @ ..] = body else {
        return Err("a call without a plain message");
    };
    // The prefix must agree with the body (gRPC over HTTP/2, Length-Prefixed-Message).
    if u32::from_be_bytes([*a, *b, *c, *d]) as usize != message.len() {
        return Err("a message that is not as long as it says");
    }
    M::decode(message).or(Err("a message that is no CheckRequest"))
}

/// The answer to a call.
pub(super) fn answer(message: &impl Message) -> Response<Body> {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(5 + length);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    // There is room: a growing buffer takes all that there is memory for.
    _ = message.encode(&mut framed);
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, OK);
    let mut response = Response::new(Body::Framed {
        message: Some(framed.freeze()),
        trailers: Some(trailers),
    });
    response.headers_mut().insert(CONTENT_TYPE, KIND);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_method_is_known_by_its_path_alone() {
        let request = |method: &str, path: &str, version, kind: &str| {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .version(version);
            request.header(CONTENT_TYPE, kind).body(()).unwrap()
        };
        for kind in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;x=y",
            "text/plain",
            "",
        ] {
            assert!(
                is_check(&request("POST", CHECK_METHOD, Version::HTTP_2, kind)),
                "{kind}"
            );
            for (method, path) in [
                ("GET", CHECK_METHOD),
                ("PUT", CHECK_METHOD),
                ("POST", "/check/x"),
                ("POST", "/"),
                ("POST", "/check/envoy.service.auth.v3.Authorization/Check"),
                ("POST", "/envoy.service.auth.v3.Authorization/Check/"),
                ("POST", "/envoy.service.auth.v3.Authorization/Check?x"),
                ("POST", "/envoy.service.auth.v3.authorization/check"),
                ("POST", "/envoy.service.auth.v3.Authorization/%43heck"),
                ("POST", "/envoy.service.auth.v2.Authorization/Check"),
            ] {
                assert!(
                    !is_check(&request(method, path, Version::HTTP_2, kind)),
                    "{method} {path}"
                );
            }
        }
        let refused =
            |version, kind: &str| fault(&request("POST", CHECK_METHOD, version, kind)).is_some();
        for kind in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;x=y",
        ] {
            assert!(
                !refused(Version::HTTP_2, kind) && refused(Version::HTTP_11, kind),
                "{kind}"
            );
        }
        for kind in [
            "application/grpc-web",
            "application/grpc-web+proto",
            "application/json",
            "application/grpcx",
            "",
        ] {
            assert!(refused(Version::HTTP_2, kind), "{kind}");
        }
    }
}
