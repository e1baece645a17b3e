//! Upstreams, from as written to as meant.

use super::scalar::{at_least_one, one_of, path_without, seconds};
use crate::config::{HealthConfig, UpstreamConfig};
use crate::request::path::{EscapedSlashes, NormalPath, RequestPath};
use http::Uri;
use http::uri::{Authority, Scheme};
use portcullis_core::Faults;
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
    pub(super) fn new(written: Vec<UpstreamConfig>, connect: Option<u64>, faults: &Faults) -> Self {
        let connect_timeout = seconds("gateway.timeouts.connect", connect, 5, faults);
        let mut names = HashSet::new();
        let mut list = Vec::new();
        for (index, written) in written.into_iter().enumerate() {
            let faults = faults.at(format!("upstream[{index}]"));
            // Names are looked up before URLs: a URL as a name would send requests somewhere else.
            let is_usable = !written.name.is_empty() && !written.name.contains("://");
            if !is_usable || !names.insert(written.name.clone()) {
                let expected = match is_usable {
                    true => "a name that no other upstream has",
                    false => "a name that is not a URL",
                };
                faults
                    .expected("name", expected)
                    .found(&written.name)
                    .help("choose another name; it is what routes write in `upstream`");
            }
            list.push(upstream(written, connect_timeout, &faults));
        }
        Self {
            list,
            connect_timeout,
        }
    }

    /// The upstream of that name; for a URL, one with this server alone.
    pub(super) fn find(&mut self, text: &str, faults: &Faults) -> Option<usize> {
        let known = self
            .list
            .iter()
            .position(|upstream| &*upstream.name == text);
        if known.is_some() {
            return known;
        }
        let Some((server, base_path)) = server(text) else {
            let expected = "a URL such as http://127.0.0.1:3000, or the name of an [[upstream]]";
            let names: Vec<String> = (0..self.list.len())
                .map(|index| format!("upstream[{index}].name"))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            faults
                .expected("upstream", expected)
                .found(text)
                .given_elsewhere(&["upstream"])
                .given_elsewhere(&names)
                .help(self.help(text));
            return None;
        };
        // Its text is its name, so routes with the same URL share one pool and one bound.
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

    /// What to write in the place of a text that is neither a URL nor a name.
    fn help(&self, text: &str) -> String {
        // A host with its port lacks its scheme: by far the most frequent slip.
        let url = format!("http://{text}");
        if text.contains(':') && !text.contains('/') && server(&url).is_some() {
            return format!("write `{url}`");
        }
        let names: Vec<String> = self
            .list
            .iter()
            .map(|upstream| format!("`{}`", upstream.name))
            .collect();
        match names.is_empty() {
            true => "write a URL, or add an `[[upstream]]` of that name".to_owned(),
            false => format!("write a URL, or one of {}", names.join(", ")),
        }
    }

    /// The upstream of requests whose route names none: the one written, or the only one there is.
    /// `faults` are those of `[gateway]`.
    pub(super) fn default(&mut self, written: Option<&str>, faults: &Faults) -> usize {
        let found = match (written, self.list.len()) {
            (Some(text), _) => self.find(text, faults),
            (None, 1) => Some(0),
            (None, many) => {
                faults
                    .expected("upstream", "where requests go")
                    .found_as(match many {
                        0 => "nothing".to_owned(),
                        many => format!("{many} upstreams to choose from"),
                    })
                    .given_elsewhere(&["upstream"])
                    .help("write the URL of the API, such as `http://127.0.0.1:8000`");
                None
            }
        };
        // The index may point at nothing, but then a fault is noted and no request ever uses it.
        found.unwrap_or_default()
    }

    /// The addresses of all servers.
    pub(super) fn servers(&self) -> impl Iterator<Item = String> {
        let servers = self.list.iter().flat_map(|upstream| &upstream.servers);
        servers.map(|(scheme, authority)| format!("{scheme}://{authority}"))
    }

    pub(super) fn into_list(self) -> Vec<UpstreamSettings> {
        self.list
    }
}

const PROTOCOLS: [(&str, Protocol); 2] = [("http1", Protocol::Http1), ("http2", Protocol::Http2)];
const HOSTS: [(&str, HostSeen); 2] = [
    ("client", HostSeen::Client),
    ("upstream", HostSeen::Upstream),
];

fn upstream(
    written: UpstreamConfig,
    connect_timeout: Duration,
    faults: &Faults,
) -> UpstreamSettings {
    if written.servers.is_empty() {
        faults
            .expected("servers", "at least one server")
            .found_as("an empty list")
            .help(SERVER_HELP);
    }
    let requests = written.requests.map(|number| number as u64);
    at_least_one("requests", requests, faults);
    let (servers, base_path) = servers(&written.servers, faults);
    let headers = written.headers.unwrap_or(UpstreamSettings::HEADERS);
    if !(1..=MOST_HEADERS).contains(&headers) {
        faults
            .expected("headers", format!("1 to {MOST_HEADERS}"))
            .found(headers)
            .help("leave it out for the default");
    }
    let header_bytes = written
        .header_bytes
        .unwrap_or(UpstreamSettings::HEADER_BYTES);
    if !(1_024..=MOST_HEADER_BYTES).contains(&header_bytes) {
        faults
            .expected("header_bytes", format!("1024 to {MOST_HEADER_BYTES}"))
            .found(header_bytes)
            .help("leave it out for the default");
    }
    let protocol = one_of("protocol", written.protocol.as_deref(), &PROTOCOLS, faults);
    let host = one_of("host", written.host.as_deref(), &HOSTS, faults);
    let health = match &written.health {
        Some(health) => health_settings(health, &faults.at("health")),
        None => None,
    };
    UpstreamSettings {
        name: written.name.into(),
        servers,
        base_path,
        protocol: protocol.unwrap_or(Protocol::Http1),
        host: host.unwrap_or(HostSeen::Client),
        retry: written.retry.unwrap_or(true),
        headers,
        header_bytes,
        authorities: written.authorities,
        health,
        connect_timeout,
        requests: written.requests,
    }
}

fn health_settings(written: &HealthConfig, faults: &Faults) -> Option<HealthSettings> {
    let interval = seconds("interval", written.interval, 10, faults);
    let timeout = seconds("timeout", written.timeout, 3, faults);
    let path = RequestPath::parse_setting(&written.path);
    match path.and_then(|path| path.on_route(EscapedSlashes::Keep).cloned()) {
        Ok(path) => Some(HealthSettings {
            path,
            interval,
            timeout,
        }),
        Err(fault) => {
            faults
                .expected("path", path_without(&fault.to_string()))
                .found(&written.path)
                .help("write a path such as `/healthz`");
            None
        }
    }
}

const MOST_HEADERS: usize = 10_000;
const MOST_HEADER_BYTES: u32 = 16 << 20;

const SERVER_HELP: &str = "write `http://` or `https://`, a host, a port, and the path that \
    requests go below, if any: `http://127.0.0.1:8000`";

/// The servers, and the path that all of them have.
fn servers(written: &[String], faults: &Faults) -> (Vec<(Scheme, Authority)>, Box<str>) {
    let mut servers = Vec::new();
    let mut base_path: Option<Box<str>> = None;
    for (index, text) in written.iter().enumerate() {
        let member = format!("servers[{index}]");
        let Some((server, path)) = server(text) else {
            faults
                .expected(&member, "the URL of a server")
                .found(text)
                .help(SERVER_HELP);
            continue;
        };
        match &base_path {
            // The target is written before a server is chosen, and a retry takes it to another one.
            Some(first) if *first != path => faults
                .expected(&member, format!("the path of the first server, `{first}`"))
                .found(path)
                .given(&["servers[0]"])
                .help("let all servers of an upstream have one path"),
            _ => {
                servers.push(server);
                base_path = Some(path);
            }
        }
    }
    (servers, base_path.unwrap_or_default())
}

/// Scheme and authority of a URL that holds nothing else but a path, and this path.
fn server(text: &str) -> Option<((Scheme, Authority), Box<str>)> {
    // The parser drops a fragment without a word, and a query has no place before a path.
    if text.contains(['?', '#']) {
        return None;
    }
    let uri: Uri = text.parse().ok()?;
    let path = RequestPath::parse_setting(uri.path()).ok()?;
    let path = path.on_route(EscapedSlashes::Keep).ok()?.as_str();
    let base_path = path.trim_end_matches('/').into();
    let parts = uri.into_parts();
    let (scheme, authority) = (parts.scheme?, parts.authority?);
    let is_http = scheme == Scheme::HTTP || scheme == Scheme::HTTPS;
    // User information would be sent to the upstream, or silently dropped.
    let is_plain = !authority.as_str().contains('@');
    (is_http && is_plain).then_some(((scheme, authority), base_path))
}
