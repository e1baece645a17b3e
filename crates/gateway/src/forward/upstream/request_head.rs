//! The head of a request, in the form for a server's protocol.

use super::server::Server;
use crate::refusal::Refusal;
use http::header::{HOST, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, Method, Request, Uri, Version};

/// The head of a request, with exactly one host (RFC 9112, section 3.2; RFC 9113, section 8.3.1).
/// Without a `host`, the server's own name.
pub(super) fn write(
    server: &Server,
    (method, headers): (&Method, &HeaderMap),
    target: &PathAndQuery,
    host: Option<&HeaderValue>,
    http2: bool,
) -> Result<Parts, Refusal> {
    let (mut head, ()) = Request::new(()).into_parts();
    head.method = method.clone();
    // Cheap: the values are shared, and another attempt needs them again.
    head.headers = headers.clone();
    if http2 {
        head.version = Version::HTTP_2;
        // `:authority` says it, and a second host could be read differently.
        head.headers.remove(HOST);
        head.uri = absolute_uri(server, target, host)
            .map_err(|_| Refusal::Target("a target that is too long"))?;
    } else {
        head.version = Version::HTTP_11;
        let host = host.unwrap_or(&server.host).clone();
        head.headers.insert(HOST, host);
        // Origin form: servers that are no proxies expect the path alone.
        head.uri = Uri::from(target.clone());
    }
    Ok(head)
}

fn absolute_uri(
    server: &Server,
    target: &PathAndQuery,
    host: Option<&HeaderValue>,
) -> http::Result<Uri> {
    let authority = match host
        .map(HeaderValue::as_bytes)
        .map(Authority::try_from)
    {
        Some(Ok(authority)) => authority,
        _ => server.host_authority.clone(),
    };
    Uri::builder()
        .scheme(server.scheme.clone())
        .authority(authority)
        .path_and_query(target.clone())
        .build()
}
