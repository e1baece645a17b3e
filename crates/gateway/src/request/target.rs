//! The target of a request, read strictly: HTTP libraries let through what servers read in
//! different ways.
//!
//! Refused here are `CONNECT`, `TRACE` and methods in small letters; transfer codings besides
//! `chunked`; a `Host` that is missing, repeated, malformed or differs from the target's; targets
//! that are no path; paths with two readings ([`RequestPath`]). hyper checks the framing before. A
//! fragment never arrives: hyper cuts it off, so nobody decides on it or forwards it.

use crate::refusal::Refusal;
use crate::request::fields::is_chunked;
use crate::request::host::{Host, HostPattern};
use crate::request::path::RequestPath;
use http::header::{HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Version};
use portcullis_core::{EffectiveUrl, HttpScheme};

/// Host, path and query in the one spelling that is decided on and forwarded.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) path: RequestPath,
    pub(crate) query: Option<Box<str>>,
    /// The path as the client wrote it, where that is another spelling.
    sent: Option<Box<str>>,
    /// The scheme that the client used, if the door knows it.
    pub(crate) scheme: Option<HttpScheme>,
    /// The path on the wire, where an application sees only its end.
    outer: Option<Box<str>>,
}

impl Target {
    /// Reads the head of a request.
    pub(crate) fn read(parts: &Parts, served: &[HostPattern]) -> Result<Self, Refusal> {
        check_method(&parts.method)?;
        check_coding(&parts.headers)?;
        let host = served_host(host(parts)?, served)?;
        let target = parts
            .uri
            .path_and_query()
            .ok_or(Refusal::Target("a target without a path"))?;
        Self::new(host, target.path(), target.query())
    }

    /// Reads what another proxy says of a request: its method, its host, and its target as it was
    /// sent.
    pub(crate) fn parse(
        method: &Method,
        host: &str,
        target: &str,
        served: &[HostPattern],
    ) -> Result<Self, Refusal> {
        check_method(method)?;
        let host = Host::parse(host).ok_or(Refusal::Host("a malformed host"))?;
        let host = served_host(host, served)?;
        if target.contains('#') {
            // The other proxy may forward it, and servers cut it off in different places.
            return Err(Refusal::Target("a fragment"));
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        Self::new(host, path, query)
    }

    fn new(host: Host, path: &str, query: Option<&str>) -> Result<Self, Refusal> {
        let sent = path;
        let path = RequestPath::parse(path).map_err(Refusal::Path)?;
        // A query has many readings, which are the upstream's; only its bytes are checked.
        if !query.is_none_or(is_printable) {
            return Err(Refusal::Target("a query that is not printable"));
        }
        let query = query.map(Into::into);
        // Most paths have one spelling, so most requests keep nothing.
        let sent = (path.as_str() != sent).then(|| sent.into());
        Ok(Self {
            host,
            path,
            query,
            sent,
            scheme: None,
            outer: None,
        })
    }

    /// The same target, with the scheme that the client used.
    pub(crate) fn over(self, scheme: Option<HttpScheme>) -> Self {
        Self { scheme, ..self }
    }

    /// The same target, with its path on the wire.
    pub(crate) fn mounted_at(self, outer: Option<&str>) -> Self {
        let outer = outer.map(Into::into);
        Self { outer, ..self }
    }

    /// The path on the wire, where an application sees only its end.
    pub(crate) fn outer_path(&self) -> Option<&str> {
        self.outer.as_deref()
    }

    /// The path as the client wrote it: proofs name it.
    pub(crate) fn sent_path(&self) -> &str {
        self.sent.as_deref().unwrap_or(self.path.as_str())
    }

    /// What the client asked for, if the scheme is known.
    pub(crate) fn effective_url(&self) -> Option<EffectiveUrl> {
        EffectiveUrl::new(self.scheme?, self.host.authority(), self.sent_path())
    }

    /// Path and query in their one spelling, for a server that reads them itself.
    pub(crate) fn path_and_query(&self) -> Result<PathAndQuery, Refusal> {
        self.with_query(self.path.as_str())
    }

    /// Another path with the query of this target.
    pub(crate) fn with_query(&self, path: &str) -> Result<PathAndQuery, Refusal> {
        let target = match &self.query {
            Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
            None => PathAndQuery::try_from(path),
        };
        target.map_err(|_| Refusal::Target("a target that is too long"))
    }
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn check_method(method: &Method) -> Result<(), Refusal> {
    if !is_forwarded(method) {
        return Err(Refusal::Method);
    }
    Ok(())
}

/// Checks the transfer coding. The gateway would forward a body in another coding without its name
/// (RFC 9112, section 6.1).
pub(crate) fn check_coding(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(TRANSFER_ENCODING) && !is_chunked(headers) {
        return Err(Refusal::Coding);
    }
    Ok(())
}

/// The host, if it is one of those that are served. Without any in the settings, all are.
fn served_host(host: Host, served: &[HostPattern]) -> Result<Host, Refusal> {
    if !HostPattern::serves(served, &host) {
        return Err(Refusal::Misdirected);
    }
    Ok(host)
}

/// Whether a method is forwarded: no tunnels, no echoes, and not `get`, which most servers tell
/// from `GET`, but not all.
pub(crate) fn is_forwarded(method: &Method) -> bool {
    // TRACE echoes the headers that the gateway adds (RFC 9110, section 9.3.8).
    if matches!(*method, Method::CONNECT | Method::TRACE) {
        return false;
    }
    let mut letters = method.as_str().bytes();
    !letters.any(|byte| byte.is_ascii_lowercase())
}

/// The one host that a request names (RFC 9112, section 3.2; RFC 9113, section 8.3.1).
pub(crate) fn host(parts: &Parts) -> Result<Host, Refusal> {
    let field = host_field(&parts.headers)?;
    let authority = match parts.uri.authority() {
        Some(text) => {
            let host = Host::parse(text.as_str());
            Some(host.ok_or(Refusal::Host("a malformed authority"))?)
        }
        None => None,
    };
    match (field, authority) {
        // One of the two would be routed by, and the other one forwarded.
        (Some(field), Some(authority)) if field != authority => {
            Err(Refusal::Host("a host that is not the one of the target"))
        }
        (Some(host), _) => Ok(host),
        // HTTP/2 has `:authority` in place of `Host`; HTTP/1.1 must have the field.
        (None, Some(host)) if parts.version >= Version::HTTP_2 => Ok(host),
        (None, _) => Err(Refusal::Host("no host")),
    }
}

/// The host of the field `Host`, if there is one.
pub(crate) fn host_field(headers: &HeaderMap) -> Result<Option<Host>, Refusal> {
    let mut values = headers.get_all(HOST).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Refusal::Host("two hosts"));
    }
    let host = value.to_str().ok().and_then(Host::parse);
    host.map(Some).ok_or(Refusal::Host("a malformed host"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, Request, Version};

    fn read(
        version: Version,
        method: &str,
        target: &str,
        hosts: &[&str],
    ) -> Result<Target, &'static str> {
        let mut request = Request::builder()
            .version(version)
            .method(method)
            .uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let served = [HostPattern::parse("gw.example").unwrap()];
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Target::read(&parts, &served).map_err(|refusal| refusal.code())
    }

    #[test]
    fn a_request_names_one_host() {
        let old = |target, hosts: &[&str]| {
            read(Version::HTTP_11, "GET", target, hosts).map(|it| it.host.authority().to_owned())
        };
        let new = |target, hosts: &[&str]| {
            read(Version::HTTP_2, "GET", target, hosts).map(|it| it.host.authority().to_owned())
        };
        assert_eq!(
            old("/a", &["GW.example:80"]).as_deref(),
            Ok("gw.example:80")
        );
        assert_eq!(
            old("http://gw.example/a", &["gw.example"]).as_deref(),
            Ok("gw.example")
        );
        assert_eq!(new("http://gw.example/a", &[]).as_deref(), Ok("gw.example"));
        for hosts in [
            &[][..],
            &["gw.example", "gw.example"],
            &["gw.example@x"],
            &[""],
        ] {
            assert_eq!(old("/a", hosts), Err("request.host"), "{hosts:?}");
        }
        assert_eq!(old("http://gw.example/a", &[]), Err("request.host"));
        assert_eq!(
            old("http://gw.example/a", &["evil.example"]),
            Err("request.host")
        );
        assert_eq!(
            new("http://gw.example/a", &["evil.example"]),
            Err("request.host")
        );
        assert_eq!(old("/a", &["evil.example"]), Err("request.misdirected"));
        assert_eq!(old("/a", &["GW.example."]).as_deref(), Ok("gw.example"));
        assert_eq!(
            old("http://gw.example./a", &["gw.example"]).as_deref(),
            Ok("gw.example")
        );
        assert_eq!(
            old("http://gw.example:80/a", &["gw.example.:80"]).as_deref(),
            Ok("gw.example:80")
        );
        assert_eq!(
            old("http://gw.example:80/a", &["gw.example:81"]),
            Err("request.host")
        );
    }

    #[test]
    fn what_another_one_has_read_is_read_as_strictly() {
        let served = [HostPattern::parse("gw.example").unwrap()];
        let told = |method: &Method, host: &str, target: &str| {
            Target::parse(method, host, target, &served)
                .map(|it| it.path_and_query().unwrap().to_string())
                .map_err(|it| it.code())
        };
        assert_eq!(
            told(&Method::GET, "GW.example:80", "/%61?b=?c").as_deref(),
            Ok("/a?b=?c")
        );
        for (target, code) in [
            ("", "request.path"),
            ("a", "request.path"),
            ("http://gw.example/a", "request.path"),
            ("/a/../b", "request.path"),
            ("/a#b", "request.target"),
            ("/a?b#c", "request.target"),
            ("/a?b c", "request.target"),
        ] {
            assert_eq!(
                told(&Method::GET, "gw.example", target),
                Err(code),
                "{target}"
            );
        }
        assert_eq!(told(&Method::GET, "", "/"), Err("request.host"));
        assert_eq!(
            told(&Method::GET, "evil.example", "/"),
            Err("request.misdirected")
        );
        assert_eq!(
            told(&Method::TRACE, "gw.example", "/"),
            Err("request.method")
        );
    }

    #[test]
    fn chunked_is_the_one_transfer_coding() {
        for (codings, is_read) in [
            (&[][..], true),
            (&["chunked"], true),
            (&["Chunked "], true),
            (&["gzip"], false),
            (&["gzip, chunked"], false),
            (&["chunked", "chunked"], false),
        ] {
            let mut headers = HeaderMap::new();
            for coding in codings {
                headers.append(TRANSFER_ENCODING, HeaderValue::from_static(coding));
            }
            assert_eq!(check_coding(&headers).is_ok(), is_read, "{codings:?}");
        }
    }

    #[test]
    fn a_target_is_a_path() {
        let get = |target: &str| {
            read(Version::HTTP_11, "GET", target, &["gw.example"])
                .map(|it| it.path_and_query().unwrap().to_string())
        };
        assert_eq!(get("/%61?b=../c%20").as_deref(), Ok("/a?b=../c%20"));
        assert_eq!(get("/a?").as_deref(), Ok("/a?"));
        assert_eq!(get("*"), Err("request.path"));
        assert_eq!(get("/a/../b"), Err("request.path"));
        for method in ["CONNECT", "TRACE", "get", "Post"] {
            assert_eq!(
                read(Version::HTTP_11, method, "/a", &["gw.example"]).err(),
                Some("request.method")
            );
        }
    }
}
