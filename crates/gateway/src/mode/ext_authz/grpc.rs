//! One unary call of gRPC over HTTP/2: a message in, a message out.
//!
//! A call that cannot be read is answered like any other, by whoever decides: a status of gRPC that tells of a
//! failure would be no refusal to an Envoy with `failure_mode_allow`.

use crate::body::Body;
use crate::client_body::ClientBody;
use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, Limited};
use prost::Message;

const METHOD: &str = "/envoy.service.auth.v3.Authorization/Check";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const OK: HeaderValue = HeaderValue::from_static("0");
const UNIMPLEMENTED: HeaderValue = HeaderValue::from_static("12");

/// Most bytes of a call. Envoy sends the head of a request, and its body where it is told to.
const MOST_BYTES: usize = 1_048_576;

/// Whether a request is a call, of this method or another one.
pub(super) fn is_call<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let kind = kind.strip_prefix(b"application/grpc").unwrap_or(b"x");
    request.method() == Method::POST && matches!(kind, [] | [b'+' | b';', ..])
}

/// Whether this method is called.
pub(super) fn is_check<B>(request: &Request<B>) -> bool {
    request.uri().path() == METHOD
}

/// The message of a call; why not, if it cannot be read.
pub(super) async fn read<M: Message + Default>(body: ClientBody) -> Result<M, &'static str> {
    let body = Limited::new(body, MOST_BYTES).collect().await;
    let body = body.map_err(|_| "a call that is too large, or breaks off")?.to_bytes();
    // A compressed message was not asked for, and more than one is no unary call.
    let [0, a, b, c, d, message @ ..] = &*body else { return Err("a call without a plain message") };
    if u32::from_be_bytes([*a, *b, *c, *d]) as usize != message.len() {
        return Err("a message that is not as long as it says");
    }
    M::decode(message).map_err(|_| "a message that is no CheckRequest")
}

/// The answer to a call.
pub(super) fn answer(message: &impl Message) -> Response<Body> {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(5 + length);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    // There is room: a growing buffer takes all that there is memory for.
    _ = message.encode(&mut framed);
    response(Some(framed.freeze()), OK)
}

/// The answer to a call of another method.
pub(super) fn unknown() -> Response<Body> {
    response(None, UNIMPLEMENTED)
}

fn response(message: Option<Bytes>, status: HeaderValue) -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, status);
    let mut response = Response::new(Body::Framed { message, trailers: Some(trailers) });
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_from_requests() {
        let called = |method: &str, kind: &str| {
            is_call(&Request::builder().method(method).header(CONTENT_TYPE, kind).body(()).unwrap())
        };
        for kind in ["application/grpc", "application/grpc+proto", "application/grpc;x=y"] {
            assert!(called("POST", kind) && !called("GET", kind), "{kind}");
        }
        for kind in ["application/grpc-web", "application/json", "application/grpcx", ""] {
            assert!(!called("POST", kind), "{kind}");
        }
    }
}
