//! Forward-auth: nginx, Traefik or Caddy hold a request, and ask whether they may forward it.
//!
//! Headers describe the request, and their names depend on the program. Only those of the
//! configured program are read, and only from trusted peers. Each must be there once and be
//! well-formed: nothing replaces one that is not. The request line of the question itself is not
//! read, nor is a body; only a request that is no question can get the metadata of a resource.
//!
//! The answer to a request that may pass holds every identity header, an empty one for a fact that
//! the caller lacks. So a proxy that copies them overwrites what a client sent under that name. A
//! request with another header of that kind is refused, as the answer cannot have it removed.
//! Whether the proxy in front sets the headers it should is not checked; see
//! `docs/gateway/forward-auth.md`.

use super::cors::CorsMark;
use super::external_auth::{AuthAnswer, authorize, metadata, narrow, refuse};
use super::interface::Door;
use crate::forward::body::Body;
use crate::generation::Generation;
use crate::identity::IdentityHeaders;
use crate::refusal::Refusal;
use crate::request::certificate::FieldJoining;
use crate::request::fields;
use crate::request::host::HostPattern;
use crate::request::incoming::IncomingRequest;
use crate::request::peer::Peer;
use crate::request::target::{Target, check_coding};
use crate::request::trace::Trace;
use crate::settings::{ForwardAuthSettings, FrontProxy};
use crate::transport::client_body::ClientBody;
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use portcullis_core::HttpScheme;
use portcullis_resource_server::request_id;
use std::sync::Arc;

/// The door for proxies that ask by a request of their own.
#[derive(Clone, Debug)]
pub(crate) struct ForwardAuth(pub(crate) Arc<ArcSwap<Generation>>);

impl Door for ForwardAuth {
    fn speaks_for_others(&self, peer: Peer) -> bool {
        match &self.0.load_full().forward_auth {
            Some(settings) => settings.trusts(peer),
            None => false,
        }
    }

    fn refuse(
        &self,
        refusal: Refusal,
        request_id: &str,
        request: &Request<ClientBody>,
    ) -> Response<Body> {
        let generation = self.0.load_full();
        let proxy = match &generation.forward_auth {
            Some(settings) => settings.proxy,
            // nginx knows the fewest statuses, so every other program understands these too.
            None => FrontProxy::Nginx,
        };
        let code = refusal.code();
        let links = generation.policy.server.code_links();
        let mut response = deny(proxy, refusal.into_response(request_id, links), code);
        CorsMark::without_route(&generation, request.headers()).add(response.headers_mut());
        response
    }

    async fn answer(&self, peer: Peer, request: Request<ClientBody>) -> Response<Body> {
        let generation = self.0.load_full();
        let request_id = request_id(request.headers());
        if let Err(refusal) = check_coding(request.headers()) {
            return self.refuse(refusal, &request_id, &request);
        }
        if let Some(document) = metadata(&generation, &request) {
            return document.map(Body::from);
        }
        // A reload may take the settings of the door away while its listener stays: nobody is
        // trusted then.
        let Some(settings) = &generation.forward_auth else {
            let refusal = Refusal::Untrusted("the door is closed".to_owned());
            return self.refuse(refusal, &request_id, &request);
        };
        // Dropping a body begins to read its rest, so it stays until there is an answer.
        let (Parts { headers, .. }, _body) = request.into_parts();
        let question = Question {
            headers,
            peer,
            id: request_id,
        };
        question.answer(&generation, settings).await
    }
}

/// A request of a proxy about another one that it holds.
struct Question {
    headers: HeaderMap,
    peer: Peer,
    id: String,
}

impl Question {
    async fn answer(
        self,
        generation: &Generation,
        settings: &ForwardAuthSettings,
    ) -> Response<Body> {
        let Self {
            headers,
            peer,
            id: request_id,
        } = self;
        let own = settings.proxy.own_identity_like();
        let mut read = read_original(settings, peer, &headers, &generation.hosts);
        if read.is_ok()
            && let Err(refusal) = generation.identity.refuse_forged(&headers, own)
        {
            read = Err(refusal);
        }
        if let Err(refusal @ (Refusal::Untrusted(_) | Refusal::Original(_))) = &read {
            tracing::warn!(
                facts = %refusal,
                cure = cure(refusal, settings.proxy),
                request_id,
                "not decided",
            );
        }
        let (method, target) = match read {
            Ok(read) => read,
            Err(refusal) => {
                let (mut response, code) = refuse(refusal, &request_id, generation);
                // The proxy repeats the headers of the page that called.
                CorsMark::without_route(generation, &headers).add(response.headers_mut());
                return deny(settings.proxy, response, code);
            }
        };
        let trace = Trace::read(&headers);
        let incoming = IncomingRequest {
            method,
            target,
            has_body: false,
            caller: generation.client_address.caller_behind(peer, &headers),
            // The one that asks is trusted here, or it would have been refused.
            certificate: generation.told_certificate(&headers, FieldJoining::Never),
            headers,
            id: &request_id,
            trace: trace.as_ref(),
        };
        let mark = CorsMark::by_route(generation, &incoming);
        let mut response = match authorize(generation, &incoming, &mark).await {
            AuthAnswer::Allow(identity) => allow(identity, &request_id),
            AuthAnswer::Deny(response, code) => deny(settings.proxy, response, code),
        };
        mark.add(response.headers_mut());
        response
    }
}

/// Leave to forward, with every identity header: an empty one overwrites what the client sent.
fn allow(identity: IdentityHeaders, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::new()));
    let headers = response.headers_mut();
    for (name, value) in identity {
        headers.insert(name, value.unwrap_or(EMPTY));
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields::set(headers, HeaderName::from_static("x-request-id"), request_id);
    response
}

/// A refusal as this program passes it on.
fn deny(proxy: FrontProxy, mut response: Response<Bytes>, code: &'static str) -> Response<Body> {
    // Success would be leave to forward.
    if proxy.knows_only_two_refusals() || response.status().is_success() {
        narrow(&mut response, code, |status| {
            matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        });
    }
    response.map(Body::from)
}

const EMPTY: HeaderValue = HeaderValue::from_static("");

/// Reads the request that the peer holds, if the peer is trusted.
fn read_original(
    settings: &ForwardAuthSettings,
    peer: Peer,
    headers: &HeaderMap,
    served: &[HostPattern],
) -> Result<(Method, Target), Refusal> {
    if !settings.trusts(peer) {
        let who = if peer.unix {
            "a Unix socket".to_owned()
        } else {
            peer.address.to_string()
        };
        return Err(Refusal::Untrusted(format!(
            "{who} is not among forward_auth.trusted_peers"
        )));
    }
    let (method, scheme, host, target) = match settings.proxy {
        FrontProxy::Nginx => {
            let scheme = read_scheme(one(headers, "x-forwarded-proto")?)?;
            let target = one(headers, "x-original-uri")?;
            let method = one(headers, "x-original-method")?;
            (method, scheme, one(headers, "x-forwarded-host")?, target)
        }
        // ingress-nginx tells scheme, host and target in one header.
        FrontProxy::IngressNginx => {
            let (scheme, host, target) = split_url(one(headers, "x-original-url")?)?;
            (one(headers, "x-original-method")?, scheme, host, target)
        }
        FrontProxy::Traefik | FrontProxy::Caddy => {
            let scheme = read_scheme(one(headers, "x-forwarded-proto")?)?;
            let target = one(headers, "x-forwarded-uri")?;
            let method = one(headers, "x-forwarded-method")?;
            (method, scheme, one(headers, "x-forwarded-host")?, target)
        }
    };
    let method = Method::from_bytes(method.as_bytes());
    let method = method.or(Err(Refusal::Original("a malformed method")))?;
    let target = Target::parse(&method, host, target, served)?;
    Ok((method, target.over(Some(scheme))))
}

/// The value of a header that must be there once.
fn one<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => {
            let text = std::str::from_utf8(value.as_bytes());
            text.or(Err(Refusal::Original("a header that is not UTF-8")))
        }
        (None, _) => Err(Refusal::Original(absence(name))),
        // A proxy that appends instead of setting passes a client's own header on.
        (Some(_), Some(_)) => Err(Refusal::Original("a header of the original request twice")),
    }
}

/// The fault of a missing header.
fn absence(name: &str) -> &'static str {
    match name {
        "x-original-method" => "no X-Original-Method",
        "x-original-uri" => "no X-Original-URI",
        "x-original-url" => "no X-Original-URL",
        "x-forwarded-method" => "no X-Forwarded-Method",
        "x-forwarded-uri" => "no X-Forwarded-Uri",
        "x-forwarded-host" => "no X-Forwarded-Host",
        _ => "no X-Forwarded-Proto",
    }
}

/// Reads the scheme. A WebSocket begins as a request of HTTP.
fn read_scheme(text: &str) -> Result<HttpScheme, Refusal> {
    match text {
        "http" | "ws" => Ok(HttpScheme::Http),
        "https" | "wss" => Ok(HttpScheme::Https),
        _ => Err(Refusal::Original("a scheme that is not HTTP")),
    }
}

/// Scheme, host and target of an absolute URL.
fn split_url(text: &str) -> Result<(HttpScheme, &str, &str), Refusal> {
    let malformed = Refusal::Original("a malformed X-Original-URL");
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(malformed);
    };
    let scheme = read_scheme(scheme)?;
    let start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, target) = rest.split_at_checked(start).ok_or(malformed)?;
    Ok((scheme, host, target))
}

impl ForwardAuthSettings {
    fn trusts(&self, peer: Peer) -> bool {
        // Over a Unix socket the address only stands for this machine, so networks do not apply.
        if peer.unix {
            return self.trusts_unix;
        }
        let mut networks = self.trusted_networks.iter();
        networks.any(|network| network.contains(&peer.address))
    }
}

impl FrontProxy {
    /// Headers of its questions that look like identity headers and are the program's own.
    pub(super) fn own_identity_like(self) -> &'static [&'static str] {
        match self {
            Self::IngressNginx => &["x-auth-request-redirect"],
            Self::Nginx | Self::Traefik | Self::Caddy => &[],
        }
    }

    /// nginx answers 500 to everything but success, 401 and 403.
    fn knows_only_two_refusals(self) -> bool {
        matches!(self, Self::Nginx | Self::IngressNginx)
    }
}

fn cure(refusal: &Refusal, proxy: FrontProxy) -> &'static str {
    match (refusal, proxy) {
        (Refusal::Untrusted(_), _) => "name the proxy's address in `forward_auth.trusted_peers`",
        (_, FrontProxy::Nginx) => {
            "let nginx set X-Original-Method, X-Original-URI, X-Forwarded-Host and \
                X-Forwarded-Proto, each once"
        }
        (_, FrontProxy::IngressNginx) => {
            "see that ingress-nginx asks: it sets X-Original-Method and X-Original-URL"
        }
        (_, FrontProxy::Traefik | FrontProxy::Caddy) => {
            "see that the proxy asks by ForwardAuth or forward_auth: they set X-Forwarded-Method, \
                -Uri, -Host and -Proto"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NGINX: [(&str, &str); 4] = [
        ("x-original-method", "GET"),
        ("x-original-uri", "/a?b"),
        ("x-forwarded-host", "gw.example"),
        ("x-forwarded-proto", "https"),
    ];
    const CADDY: [(&str, &str); 4] = [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-uri", "/a?b"),
        ("x-forwarded-host", "gw.example"),
        ("x-forwarded-proto", "wss"),
    ];
    const INGRESS: [(&str, &str); 2] = [
        ("x-original-method", "GET"),
        ("x-original-url", "https://gw.example/a?b"),
    ];

    fn read(
        proxy: FrontProxy,
        fields: &[(&'static str, &'static str)],
    ) -> Result<String, &'static str> {
        let settings = ForwardAuthSettings {
            proxy,
            trusted_networks: vec!["127.0.0.1/32".parse().unwrap()],
            trusts_unix: false,
        };
        let peer = Peer {
            address: "127.0.0.1".parse().unwrap(),
            unix: false,
            secure: false,
            certificate: None,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let read = read_original(&settings, peer, &headers, &[]);
        read.map(|(method, target)| {
            let written = target.path_and_query().unwrap();
            format!("{method} {} {written}", target.host.authority())
        })
        .map_err(|it| it.code())
    }

    #[test]
    fn each_program_tells_it_in_its_own_way_and_only_that_is_read() {
        for (proxy, fields) in [
            (FrontProxy::Nginx, &NGINX[..]),
            (FrontProxy::IngressNginx, &INGRESS),
            (FrontProxy::Traefik, &CADDY),
            (FrontProxy::Caddy, &CADDY),
        ] {
            assert_eq!(
                read(proxy, fields).as_deref(),
                Ok("GET gw.example /a?b"),
                "{proxy:?}"
            );
            for left_out in 0..fields.len() {
                let mut fewer = fields.to_vec();
                fewer.remove(left_out);
                // What another program would have said does not stand in.
                fewer.extend([("x-forwarded-server", "gw.example"), ("host", "gw.example")]);
                assert_eq!(
                    read(proxy, &fewer),
                    Err("door.original"),
                    "{proxy:?} {left_out}"
                );
                let twice = [fields, &[fields[left_out]]].concat();
                assert_eq!(
                    read(proxy, &twice),
                    Err("door.original"),
                    "{proxy:?} {left_out}"
                );
            }
        }
        assert_eq!(read(FrontProxy::Nginx, &CADDY), Err("door.original"));
        assert_eq!(read(FrontProxy::Traefik, &NGINX), Err("door.original"));
    }

    #[test]
    fn what_is_told_is_read_as_strictly_as_a_request() {
        let with = |name: &'static str, value: &'static str| {
            let fields = CADDY.map(|(held, old)| (held, if held == name { value } else { old }));
            read(FrontProxy::Caddy, &fields)
        };
        for (name, value, code) in [
            ("x-forwarded-method", "", "door.original"),
            ("x-forwarded-method", "GET, POST", "door.original"),
            ("x-forwarded-method", "get", "request.method"),
            ("x-forwarded-method", "TRACE", "request.method"),
            ("x-forwarded-proto", "", "door.original"),
            ("x-forwarded-proto", "https, http", "door.original"),
            ("x-forwarded-proto", "file", "door.original"),
            ("x-forwarded-host", "", "request.host"),
            ("x-forwarded-host", "a, b", "request.host"),
            ("x-forwarded-uri", "", "request.path"),
            ("x-forwarded-uri", "https://gw.example/a", "request.path"),
            ("x-forwarded-uri", "/a/../b", "request.path"),
            ("x-forwarded-uri", "/a#b", "request.target"),
        ] {
            assert_eq!(with(name, value), Err(code), "{name}: {value}");
        }
        for url in [
            "",
            "/a",
            "gw.example/a",
            "https://",
            "https://gw.example",
            "https://gw.example?a",
            "ftp://a/b",
        ] {
            let fields = [("x-original-method", "GET"), ("x-original-url", url)];
            assert!(read(FrontProxy::IngressNginx, &fields).is_err(), "{url}");
        }
    }

    #[test]
    fn only_whom_the_settings_name_is_trusted() {
        let settings = |networks: &[&str], trusts_unix| ForwardAuthSettings {
            proxy: FrontProxy::Caddy,
            trusted_networks: networks.iter().map(|it| it.parse().unwrap()).collect(),
            trusts_unix,
        };
        let peer = |address: &str, unix| Peer {
            address: address.parse().unwrap(),
            unix,
            secure: false,
            certificate: None,
        };
        assert!(!settings(&[], false).trusts(peer("127.0.0.1", false)));
        assert!(settings(&["10.0.0.0/8"], false).trusts(peer("10.1.2.3", false)));
        assert!(!settings(&["10.0.0.0/8"], true).trusts(peer("11.1.2.3", false)));
        assert!(!settings(&["127.0.0.0/8"], false).trusts(peer("127.0.0.1", true)));
        assert!(settings(&[], true).trusts(peer("127.0.0.1", true)));
    }
}
