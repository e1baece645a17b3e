//! Upstreams, from as written to as meant.

use super::{faults::Faults, seconds};
use crate::config::{HealthConfig, UpstreamConfig};
use crate::request::path::{EscapedSlashes, NormalPath, RequestPath};
use http::Uri;
use http::uri::{Authority, Scheme};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

/// Servers that do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpstreamSettings {
    pub(crate) name: Box<str>,
    pub(crate) servers: Vec<(Scheme, Authority)>,
    /// What comes before the path of every request, without a final slash; empty for nothing.
    pub(crate) base_path: Box<str>,
    pub(crate) protocol: Protocol,
    pub(crate) host: HostSeen,
    /// Whether a safe request is sent once more when its connection ends without an answer.
    pub(crate) retry: bool,
    /// How many fields an answer may have, and how many bytes its head.
    pub(crate) headers: usize,
    pub(crate) header_bytes: u32,
    pub(crate) authorities: Option<PathBuf>,
    pub(crate) health: Option<HealthSettings>,
    pub(crate) connect_timeout: Duration,
    /// Most requests under way; none for half of what there is in all.
    pub(crate) requests: Option<usize>,
}

impl UpstreamSettings {
    /// The default for `headers`.
    pub(crate) const HEADERS: usize = 100;
    const HEADER_BYTES: u32 = 65_536;
    /// As much as hyper holds of a head unless it is told otherwise.
    pub(crate) const BUFFER_BYTES: usize = 400_000;
}

/// How to talk to the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, without TLS by prior knowledge (RFC 9113, section 3.3).
    Http2,
}

/// Which `Host` the servers see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostSeen {
    /// The one that the client asked for.
    Client,
    /// Their own.
    Upstream,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HealthSettings {
    pub(crate) path: NormalPath,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

/// All upstreams: those of the tables `[[upstream]]`, and one for every URL that is written
/// elsewhere.
#[derive(Debug)]
pub(super) struct Upstreams {
    list: Vec<UpstreamSettings>,
    connect_timeout: Duration,
}

impl Upstreams {
    /// The upstreams of the tables.
    pub(super) fn new(
        written: Vec<UpstreamConfig>,
        connect: Option<u64>,
        faults: &mut Faults,
    ) -> Self {
        let connect_timeout = seconds(connect, 5, "gateway.timeouts.connect", faults);
        let mut names = HashSet::new();
        let meant = written.into_iter().enumerate().map(|(index, written)| {
            let place = format!("upstream[{index}]");
            if written.name.is_empty()
                || written.name.contains("://")
                || !names.insert(written.name.clone())
            {
                let cure = "choose another name; it is what routes write in `upstream`";
                faults.add(
                    format!("{place}.name"),
                    "a name of its own that is no URL",
                    cure,
                );
            }
            upstream(&place, written, connect_timeout, faults)
        });
        Self {
            list: meant.collect(),
            connect_timeout,
        }
    }

    /// The upstream of that name; for a URL, one with this server alone.
    pub(super) fn named(&mut self, text: &str, place: &str, faults: &mut Faults) -> Option<usize> {
        if let Some(index) = self
            .list
            .iter()
            .position(|upstream| &*upstream.name == text)
        {
            return Some(index);
        }
        let Some((server, base_path)) = server(text) else {
            let cure = "write a URL such as `http://127.0.0.1:8000` or `http://127.0.0.1:8000/v1`, \
                or the `name` of an `[[upstream]]`";
            faults.add(place, "a server, or an upstream that there is", cure);
            return None;
        };
        self.list.push(UpstreamSettings {
            name: text.into(),
            servers: vec![server],
            base_path,
            protocol: Protocol::Http1,
            host: HostSeen::Client,
            retry: true,
            headers: UpstreamSettings::HEADERS,
            header_bytes: UpstreamSettings::HEADER_BYTES,
            authorities: None,
            health: None,
            connect_timeout: self.connect_timeout,
            requests: None,
        });
        Some(self.list.len() - 1)
    }

    /// The upstream of requests whose route names none: the one written, or the only one there is.
    pub(super) fn default(&mut self, written: Option<&str>, faults: &mut Faults) -> usize {
        const PLACE: &str = "gateway.upstream";
        let found = match (written, self.list.len()) {
            (Some(text), _) => self.named(text, PLACE, faults),
            (None, 1) => Some(0),
            (None, _) => {
                let cure = "write the URL of the API, such as `http://127.0.0.1:8000`";
                faults.add(PLACE, "where requests go", cure);
                None
            }
        };
        found.unwrap_or_default()
    }

    pub(super) fn into_list(self) -> Vec<UpstreamSettings> {
        self.list
    }
}

fn upstream(
    place: &str,
    written: UpstreamConfig,
    connect_timeout: Duration,
    faults: &mut Faults,
) -> UpstreamSettings {
    if written.servers.is_empty() {
        let place = format!("{place}.servers");
        faults.add(place, "at least one server", SERVER_CURE);
    }
    if written.requests == Some(0) {
        let place = format!("{place}.requests");
        faults.add(place, "at least 1", "leave it out for the default");
    }
    let (servers, base_path) = servers(place, &written.servers, faults);
    let protocol = protocol(place, written.protocol.as_deref(), faults);
    let host = host_seen(place, written.host.as_deref(), faults);
    let cure = "leave it out for the default";
    if let Some(headers) = written.headers
        && !(1..=MOST_HEADERS).contains(&headers)
    {
        let expected = format!("at most {MOST_HEADERS}");
        faults.add(format!("{place}.headers"), expected, cure);
    }
    if let Some(bytes) = written.header_bytes
        && !(1_024..=MOST_HEADER_BYTES).contains(&bytes)
    {
        let expected = format!("at most {MOST_HEADER_BYTES}");
        faults.add(format!("{place}.header_bytes"), expected, cure);
    }
    UpstreamSettings {
        name: written.name.into(),
        servers,
        base_path,
        protocol,
        host,
        retry: written.retry.unwrap_or(true),
        headers: written.headers.unwrap_or(UpstreamSettings::HEADERS),
        header_bytes: written
            .header_bytes
            .unwrap_or(UpstreamSettings::HEADER_BYTES),
        authorities: written.authorities,
        health: written
            .health
            .and_then(|health| health_settings(place, &health, faults)),
        connect_timeout,
        requests: written.requests,
    }
}

fn protocol(place: &str, written: Option<&str>, faults: &mut Faults) -> Protocol {
    match written {
        None | Some("http1") => Protocol::Http1,
        Some("http2") => Protocol::Http2,
        Some(_) => {
            faults.add(
                format!("{place}.protocol"),
                "`http1` or `http2`",
                "leave it out for `http1`",
            );
            Protocol::Http1
        }
    }
}

fn host_seen(place: &str, written: Option<&str>, faults: &mut Faults) -> HostSeen {
    match written {
        None | Some("client") => HostSeen::Client,
        Some("upstream") => HostSeen::Upstream,
        Some(_) => {
            let cure = "leave it out for `client`";
            faults.add(format!("{place}.host"), "`client` or `upstream`", cure);
            HostSeen::Client
        }
    }
}

fn health_settings(
    place: &str,
    written: &HealthConfig,
    faults: &mut Faults,
) -> Option<HealthSettings> {
    let interval = seconds(
        written.interval,
        10,
        &format!("{place}.health.interval"),
        faults,
    );
    let timeout = seconds(
        written.timeout,
        3,
        &format!("{place}.health.timeout"),
        faults,
    );
    let path = RequestPath::parse_setting(&written.path);
    match path.and_then(|path| path.on_route(EscapedSlashes::Keep).cloned()) {
        Ok(path) => Some(HealthSettings {
            path,
            interval,
            timeout,
        }),
        Err(fault) => {
            let cure = "write a path such as `/healthz`";
            faults.add(
                format!("{place}.health.path"),
                format!("a path without {fault}"),
                cure,
            );
            None
        }
    }
}

const MOST_HEADERS: usize = 10_000;
const MOST_HEADER_BYTES: u32 = 16 << 20;

const SERVER_CURE: &str = "write `http://` or `https://`, a host, a port, and the path that \
    requests go below, if any: `http://127.0.0.1:8000`";

/// The servers, and the path that all of them have.
fn servers(
    place: &str,
    written: &[String],
    faults: &mut Faults,
) -> (Vec<(Scheme, Authority)>, Box<str>) {
    let (mut servers, mut base_path) = (Vec::new(), None);
    for (index, text) in written.iter().enumerate() {
        let at = format!("{place}.servers[{index}]");
        match server(text) {
            None => faults.add(at, "the URL of a server", SERVER_CURE),
            Some((_, path)) if base_path.as_ref().is_some_and(|first| *first != path) => {
                let cure = "let all servers of an upstream have one path";
                faults.add(at, "the path of the first server", cure);
            }
            Some((server, path)) => {
                servers.push(server);
                base_path = Some(path);
            }
        }
    }
    (servers, base_path.unwrap_or_default())
}

/// Scheme and authority of a URL that holds nothing else but a path, and this path.
fn server(text: &str) -> Option<((Scheme, Authority), Box<str>)> {
    let uri: Uri = text.parse().ok().filter(|_| !text.contains(['?', '#']))?;
    let path = RequestPath::parse_setting(uri.path()).ok()?;
    let base_path = path
        .on_route(EscapedSlashes::Keep)
        .ok()?
        .as_str()
        .trim_end_matches('/')
        .into();
    let parts = uri.into_parts();
    let scheme = parts
        .scheme
        .filter(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS)?;
    let authority = parts
        .authority
        .filter(|authority| !authority.as_str().contains('@'))?;
    Some(((scheme, authority), base_path))
}
