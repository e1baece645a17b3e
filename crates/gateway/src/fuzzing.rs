//! Access for the fuzz targets: bytes in, plain results out. It is no part of the API.
//!
//! It exists only with the feature `fuzzing`, so that no type of the gateway has to be public for a
//! target. See `docs/decisions/0084-a-doorway-for-fuzz-targets.md`.

pub use crate::door::ext_authz::fuzzing::{OriginalRequest, question};
pub use crate::door::fuzzing::{between_frames, run_tunnel};

use crate::config::Config;
use crate::decision::routes::{Access, PathPattern, Route, RoutePattern, RouteTerms, Routes};
use crate::refusal::{PathFault, Refusal};
use crate::request::caller::{CallerHeader, ClientAddress};
use crate::request::certificate::{CertificateFormat, FieldJoining};
use crate::request::host::{Host, HostPattern};
use crate::request::path::{EscapedSlashes, RequestPath};
use crate::request::peer::Peer;
use crate::request::target::Target;
use crate::settings::Settings;
use http::{HeaderMap, HeaderName, Method};
use portcullis_core::Requirement;
use std::net::IpAddr;
use std::time::Duration;

/// A path in its one spelling, and whether a route that refuses escaped slashes takes it.
pub fn path(written: &str) -> Option<(String, bool)> {
    let path = RequestPath::parse(written).ok()?;
    Some((
        path.as_str().to_owned(),
        path.on_route(EscapedSlashes::Refuse).is_ok(),
    ))
}

/// The segments of a path of the settings, `None` for a wild one, and whether more may follow.
pub fn pattern(written: &str) -> Option<(Vec<Option<String>>, bool)> {
    let pattern = PathPattern::parse(written, EscapedSlashes::Keep).ok()?;
    let segments = pattern
        .segments()
        .map(|segment| segment.map(str::to_owned));
    Some((segments.collect(), pattern.is_open()))
}

/// The pattern that a request falls to, if any. An unreadable pattern or request is an error.
///
/// # Errors
///
/// The part that cannot be read.
pub fn walk(patterns: &[&str], path: &str) -> Result<Option<usize>, String> {
    let mut routes = Routes::new(route("default".to_owned()));
    for (index, written) in patterns.iter().enumerate() {
        let path = PathPattern::parse(written, EscapedSlashes::Keep)?;
        let pattern = RoutePattern {
            host: None,
            path,
            method: None,
        };
        routes.add(route(index.to_string()), &[pattern]);
    }
    let host = Host::parse("gw.example").ok_or("the host")?;
    let text_of = |fault: PathFault| fault.to_string();
    let path = RequestPath::parse(path).map_err(text_of)?;
    let found = routes
        .find(&host, &path, &Method::GET)
        .map_err(text_of)?;
    Ok(found.name.parse().ok())
}

fn route(name: String) -> Route {
    Route {
        name: name.into(),
        terms: RouteTerms::default(),
        access: Access::Required(Requirement::ValidToken),
        resource: None,
        upstream: 0,
        body_bytes: None,
        escaped_slashes: EscapedSlashes::Keep,
        stripped_segments: 0,
        response_timeout: Duration::from_secs(1),
        assertion_audience: None,
        cors: None,
    }
}

/// The routes of settings.
#[derive(Debug)]
pub struct Router(Settings);

impl Router {
    /// Those of a TOML document.
    pub fn new(document: &str) -> Option<Self> {
        Config::from_toml(document)
            .and_then(Settings::try_from)
            .ok()
            .map(Self)
    }

    /// The route of a request, and the target that is forwarded.
    ///
    /// # Errors
    ///
    /// The code of the refusal.
    pub fn find(
        &self,
        method: &str,
        host: &str,
        target: &str,
    ) -> Result<(String, String), &'static str> {
        let code = |refusal: Refusal| refusal.code();
        let Settings { hosts, routes, .. } = &self.0;
        let method: Method = method.parse().or(Err("method"))?;
        let target = Target::parse(&method, host, target, hosts).map_err(code)?;
        let found = routes.find(&target.host, &target.path, &method);
        let route = found.or(Err("path"))?;
        let forwarded = route.upstream_target(&target, "").map_err(code)?;
        Ok((route.name.to_string(), forwarded.to_string()))
    }
}

/// The name of a host in its one spelling, and the same with its port.
pub fn host(written: &str) -> Option<(String, String)> {
    Host::parse(written).map(|host| (host.name().to_owned(), host.authority().to_owned()))
}

/// A pattern of hosts in its one spelling.
pub fn host_pattern(written: &str) -> Option<String> {
    HostPattern::parse(written).map(|pattern| pattern.to_string())
}

/// Whether a pattern of hosts matches a host; `None` if either is unreadable.
pub fn host_matches(pattern: &str, host: &str) -> Option<bool> {
    HostPattern::parse(pattern)
        .zip(Host::parse(host))
        .map(|(pattern, host)| pattern.matches(&host))
}

/// The client certificate in a field of this format: `None` if it says that there is none.
/// `joined`: a server may have joined two fields.
///
/// # Errors
///
/// Why the field cannot be read, or that there is no such format.
pub fn client_certificate(
    format: &str,
    field: &str,
    joined: bool,
) -> Result<Option<[u8; 32]>, String> {
    let format = CertificateFormat::from_word(format).ok_or("the format")?;
    let joining = match joined {
        true => FieldJoining::Possible,
        false => FieldJoining::Never,
    };
    let read = format.read(field, joining);
    let read = read.map_err(|fault| fault.to_string())?;
    Ok(read.map(|certificate| *certificate.as_bytes()))
}

/// The caller of a request from `peer`, as trusted proxies name it in this header, and the list for
/// the upstream of those before the peer. `proxies` is the number of proxies in front, if it is
/// known.
pub fn caller(
    trusted: &[&str],
    header: &HeaderName,
    proxies: Option<usize>,
    peer: IpAddr,
    headers: &HeaderMap,
) -> (Option<IpAddr>, String) {
    let settings = ClientAddress {
        trusted: trusted
            .iter()
            .filter_map(|network| network.parse().ok())
            .collect(),
        trusts_unix: false,
        source: CallerHeader::of(header.clone()),
        proxies,
        is_written: true,
    };
    let peer = Peer {
        address: peer,
        unix: false,
        secure: false,
        certificate: None,
    };
    (
        settings.caller(peer, headers).address(),
        settings.forwarded_for(peer, headers),
    )
}
