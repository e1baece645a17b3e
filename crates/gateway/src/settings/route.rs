//! Routes, from as written to as meant.

use super::faults::Faults;
use super::require::requirement;
use super::seconds;
use super::upstream::Upstreams;
use crate::config::{GatewayConfig, RouteConfig};
use crate::decision::cedar::{Resource, demands, parameter};
use crate::decision::routes::{Access, PathPattern, Route, RoutePattern, Routes};
use crate::request::host::HostPattern;
use crate::request::path::EscapedSlashes;
use crate::request::target::is_forwarded;
use http::Method;
use portcullis_core::Requirement;
use std::collections::HashSet;

const BODY_BYTES: u64 = 10_485_760;

/// All routes; faults are added to the list.
pub(super) fn routes(
    written: Vec<RouteConfig>,
    gateway: &GatewayConfig,
    default_upstream: usize,
    upstreams: &mut Upstreams,
    faults: &mut Faults,
) -> Routes {
    let body_bytes = gateway.limits.body_bytes.unwrap_or(BODY_BYTES);
    let response_timeout = seconds(
        gateway.timeouts.response,
        60,
        "gateway.timeouts.response",
        faults,
    );
    let mut routes = Routes::new(Route {
        name: "default".into(),
        access: Access::Required(Requirement::ValidToken),
        resource: None,
        upstream: default_upstream,
        body_bytes: bound(body_bytes),
        escaped_slashes: EscapedSlashes::Refuse,
        stripped_segments: 0,
        response_timeout,
        assertion_audience: None,
    });
    let mut names = HashSet::new();
    for (index, route) in written.into_iter().enumerate() {
        let place = format!("route[{index}]");
        let paths = Paths::read(&place, &route, faults);
        let patterns = patterns(&place, &route, paths.pattern.as_ref(), faults);
        let upstream = route
            .upstream
            .as_deref()
            .and_then(|text| upstreams.named(text, &format!("{place}.upstream"), faults));
        let timeout = format!("{place}.timeout");
        let meant = Route {
            name: name(&place, &route, &mut names, faults),
            access: access(&place, &route, faults),
            resource: resource(&place, &route, faults),
            upstream: upstream.unwrap_or(default_upstream),
            body_bytes: bound(route.body_bytes.unwrap_or(body_bytes)),
            escaped_slashes: paths.escaped_slashes,
            stripped_segments: paths.stripped_segments,
            response_timeout: route.timeout.map_or(response_timeout, |written| {
                seconds(Some(written), 60, &timeout, faults)
            }),
            assertion_audience: assertion_audience(&place, &route, gateway, faults),
        };
        for other in routes.add(meant, &patterns) {
            let expected = format!("a route that `{other}` does not have the same rank as");
            faults.add(
                format!("{place}.path"),
                expected,
                "join the two, or tell them apart by host or method",
            );
        }
    }
    routes
}

/// Whom the assertion is for on this route, where it says so.
fn assertion_audience(
    place: &str,
    route: &RouteConfig,
    gateway: &GatewayConfig,
    faults: &mut Faults,
) -> Option<Box<str>> {
    let audience = route.assertion_audience.as_deref()?;
    let at = format!("{place}.assertion_audience");
    if gateway.identity.assertion.is_none() {
        let cure = "add `[gateway.identity.assertion]`, or leave it out";
        faults.add(at.as_str(), "a signed assertion that it is for", cure);
    }
    if audience.is_empty() || !audience.bytes().all(|byte| byte.is_ascii_graphic()) {
        let cure = "write what the upstream expects in `aud`, such as `https://orders.internal`";
        faults.add(at, "a name in ASCII without spaces", cure);
    }
    Some(audience.into())
}

/// What the log calls a route.
fn name(
    place: &str,
    route: &RouteConfig,
    taken: &mut HashSet<String>,
    faults: &mut Faults,
) -> Box<str> {
    let Some(name) = &route.name else {
        return format!("{place} {}", route.path).into();
    };
    let readable =
        (1..=100).contains(&name.len()) && name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !readable || matches!(name.as_str(), "default" | "none") || !taken.insert(name.clone()) {
        let cure = "write a short name of its own in ASCII, such as `orders`; `default` and `none` \
            are taken";
        faults.add(
            format!("{place}.name"),
            "a name that no other route has",
            cure,
        );
    }
    name.as_str().into()
}

/// How policies see a route, if it asks them.
fn resource(place: &str, route: &RouteConfig, faults: &mut Faults) -> Option<Resource> {
    let mut parameters: Vec<(usize, Box<str>)> = Vec::new();
    let segments = route.path.split('/').skip(1).enumerate();
    for (index, name) in segments.filter_map(|(index, segment)| Some((index, parameter(segment)?)))
    {
        if parameters.iter().any(|(_, taken)| **taken == *name) {
            faults.add(
                format!("{place}.path"),
                format!("one segment called `{{{name}}}`"),
                "rename the second",
            );
        }
        parameters.push((index, name.into()));
    }
    let mut asked = Vec::new();
    demands(route.require.as_ref(), &mut asked);
    let id = route.name.as_deref().unwrap_or(&route.path).into();
    (!asked.is_empty()).then(|| Resource {
        id,
        path: route.path.as_str().into(),
        parameters,
    })
}

fn bound(bytes: u64) -> Option<u64> {
    (bytes > 0).then_some(bytes)
}

/// What a route says about paths.
struct Paths {
    /// Nothing where the path is at fault.
    pattern: Option<PathPattern>,
    escaped_slashes: EscapedSlashes,
    stripped_segments: usize,
}

impl Paths {
    fn read(place: &str, route: &RouteConfig, faults: &mut Faults) -> Self {
        let escaped_slashes = match route.encoded_slashes.as_deref() {
            None | Some("refuse") => EscapedSlashes::Refuse,
            Some("keep") => EscapedSlashes::Keep,
            Some(_) => {
                let at = format!("{place}.encoded_slashes");
                faults.add(at, "`refuse` or `keep`", "leave it out for `refuse`");
                EscapedSlashes::Refuse
            }
        };
        let pattern = match PathPattern::parse(&route.path, escaped_slashes) {
            Ok(pattern) => Some(pattern),
            Err(fault) => {
                let cure = "write a path such as `/orders/*/lines` or `/public/**`, as it would be \
                    forwarded";
                faults.add(
                    format!("{place}.path"),
                    format!("a path without {fault}"),
                    cure,
                );
                None
            }
        };
        let stripped_segments = match (&pattern, &route.strip_prefix) {
            (Some(pattern), Some(prefix)) => {
                let stripped = PathPattern::parse(prefix, escaped_slashes);
                let length = stripped
                    .ok()
                    .and_then(|prefix| pattern.length_of_prefix(&prefix));
                length.filter(|segments| *segments > 0).unwrap_or_else(|| {
                    let cure =
                        "write the first segments of `path`, such as `/api`, or leave it out";
                    faults.add(
                        format!("{place}.strip_prefix"),
                        "what the path of the route begins with",
                        cure,
                    );
                    0
                })
            }
            _ => 0,
        };
        Self {
            pattern,
            escaped_slashes,
            stripped_segments,
        }
    }
}

/// Every host with every method: what a route stands for.
fn patterns(
    place: &str,
    route: &RouteConfig,
    path: Option<&PathPattern>,
    faults: &mut Faults,
) -> Vec<RoutePattern> {
    let methods: Vec<Option<Method>> = or_any(route.methods.iter().enumerate().filter_map(
        |(index, text)| {
            let method = Method::from_bytes(text.as_bytes()).ok();
            let forwarded = method.filter(is_forwarded);
            if forwarded.is_none() {
                let place = format!("{place}.methods[{index}]");
                faults.add(
                    place,
                    "a method that is forwarded, in capitals",
                    "write a method such as `GET`",
                );
            }
            forwarded
        },
    ));
    let hosts: Vec<Option<HostPattern>> =
        or_any(route.hosts.iter().enumerate().filter_map(|(index, text)| {
            let host = HostPattern::parse(text);
            if host.is_none() {
                let place = format!("{place}.hosts[{index}]");
                faults.add(
                    place,
                    "a host without a port",
                    "write `api.example.com` or `*.example.com`",
                );
            }
            host
        }));
    let Some(path) = path else { return Vec::new() };
    let pairs = hosts.iter().flat_map(|host| {
        methods
            .iter()
            .map(move |method| (host.clone(), method.clone()))
    });
    pairs
        .map(|(host, method)| RoutePattern {
            host,
            path: path.clone(),
            method,
        })
        .collect()
}

/// What was listed, or one `None` that stands for all.
fn or_any<T>(listed: impl Iterator<Item = T>) -> Vec<Option<T>> {
    let listed: Vec<Option<T>> = listed.map(Some).collect();
    if listed.is_empty() {
        vec![None]
    } else {
        listed
    }
}

fn access(place: &str, route: &RouteConfig, faults: &mut Faults) -> Access {
    let requirement = route
        .require
        .as_ref()
        .map(|written| requirement(&format!("{place}.require"), written, faults));
    let at = format!("{place}.access");
    match (route.access.as_deref(), requirement) {
        (None | Some("token"), requirement) => {
            Access::Required(requirement.unwrap_or(Requirement::ValidToken))
        }
        (Some("optional"), requirement) => {
            Access::Optional(requirement.unwrap_or(Requirement::ValidToken))
        }
        (Some("public"), None) => Access::Public,
        (Some("public"), Some(requirement)) => {
            faults.add(at, "no `require` beside `public`", "leave one of them out");
            Access::Required(requirement)
        }
        (Some(_), requirement) => {
            faults.add(
                at,
                "`token`, `public` or `optional`",
                "leave it out for `token`",
            );
            Access::Required(requirement.unwrap_or(Requirement::ValidToken))
        }
    }
}
