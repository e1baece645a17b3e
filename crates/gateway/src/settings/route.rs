//! Routes, from as written to as meant.

use super::faults::Faults;
use super::seconds;
use super::upstream::Upstreams;
use crate::config::{GatewayConfig, RequireConfig, RouteConfig};
use crate::host::HostPattern;
use crate::routes::{Access, PathPattern, Pattern, Route, Routes};
use crate::word::OneOrMore;
use http::Method;
use portcullis_core::Requirement;
use portcullis_core::token::ClaimPath;

/// How deep `all`, `any` and `not` may be nested.
const DEEPEST: usize = 16;
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
    let response_timeout = seconds(gateway.timeouts.response, 60, "gateway.timeouts.response", faults);
    let mut routes = Routes::new(Route {
        name: "default".into(),
        access: Access::Required(Requirement::ValidToken),
        upstream: default_upstream,
        body_bytes: bound(body_bytes),
        response_timeout,
    });
    for (index, route) in written.into_iter().enumerate() {
        let place = format!("route[{index}]");
        let patterns = patterns(&place, &route, faults);
        let upstream = route
            .upstream
            .as_deref()
            .and_then(|text| upstreams.named(text, &format!("{place}.upstream"), faults));
        let timeout = format!("{place}.timeout");
        let meant = Route {
            name: format!("{place} {}", route.path).into(),
            access: access(&place, &route, faults),
            upstream: upstream.unwrap_or(default_upstream),
            body_bytes: bound(route.body_bytes.unwrap_or(body_bytes)),
            response_timeout: route
                .timeout
                .map_or(response_timeout, |written| seconds(Some(written), 60, &timeout, faults)),
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

fn bound(bytes: u64) -> Option<u64> {
    (bytes > 0).then_some(bytes)
}

/// Every host with every method: what a route stands for.
fn patterns(place: &str, route: &RouteConfig, faults: &mut Faults) -> Vec<Pattern> {
    let methods: Vec<Option<Method>> =
        or_any(route.methods.iter().enumerate().filter_map(|(index, text)| {
            let upper = !text.bytes().any(|byte| byte.is_ascii_lowercase());
            let method = Method::from_bytes(text.as_bytes()).ok().filter(|_| upper);
            let forwarded = method.filter(|method| *method != Method::CONNECT && *method != Method::TRACE);
            if forwarded.is_none() {
                let place = format!("{place}.methods[{index}]");
                faults.add(place, "a method that is forwarded, in capitals", "write a method such as `GET`");
            }
            forwarded
        }));
    let hosts: Vec<Option<HostPattern>> =
        or_any(route.hosts.iter().enumerate().filter_map(|(index, text)| {
            let host = HostPattern::parse(text);
            if host.is_none() {
                let place = format!("{place}.hosts[{index}]");
                faults.add(place, "a host without a port", "write `api.example.com` or `*.example.com`");
            }
            host
        }));
    let path = match PathPattern::parse(&route.path) {
        Ok(path) => path,
        Err(fault) => {
            let cure = "write a path such as `/orders/*/lines` or `/public/**`, as it would be forwarded";
            faults.add(format!("{place}.path"), format!("a path without {fault}"), cure);
            return Vec::new();
        }
    };
    let pairs =
        hosts.iter().flat_map(|host| methods.iter().map(move |method| (host.clone(), method.clone())));
    pairs.map(|(host, method)| Pattern { host, path: path.clone(), method }).collect()
}

/// What was listed, or one `None` that stands for all.
fn or_any<T>(listed: impl Iterator<Item = T>) -> Vec<Option<T>> {
    let listed: Vec<Option<T>> = listed.map(Some).collect();
    if listed.is_empty() { vec![None] } else { listed }
}

fn access(place: &str, route: &RouteConfig, faults: &mut Faults) -> Access {
    let requirement =
        route.require.as_ref().map(|written| requirement(&format!("{place}.require"), written, 0, faults));
    let at = format!("{place}.access");
    match (route.access.as_deref(), requirement) {
        (None | Some("token"), requirement) => {
            Access::Required(requirement.unwrap_or(Requirement::ValidToken))
        }
        (Some("optional"), requirement) => Access::Optional(requirement.unwrap_or(Requirement::ValidToken)),
        (Some("public"), None) => Access::Public,
        (Some("public"), Some(requirement)) => {
            faults.add(at, "no `require` beside `public`", "leave one of them out");
            Access::Required(requirement)
        }
        (Some(_), requirement) => {
            faults.add(at, "`token`, `public` or `optional`", "leave it out for `token`");
            Access::Required(requirement.unwrap_or(Requirement::ValidToken))
        }
    }
}

fn requirement(place: &str, written: &RequireConfig, depth: usize, faults: &mut Faults) -> Requirement {
    let mut all: Vec<Requirement> = Vec::new();
    if depth > DEEPEST {
        faults.add(place, format!("at most {DEEPEST} levels"), "write it flatter");
        return Requirement::any([]);
    }
    all.extend(words(place, "scope", written.scope.as_ref(), faults).map(Requirement::scope));
    all.extend(words(place, "role", written.role.as_ref(), faults).map(Requirement::role));
    for (path, value) in &written.claim {
        match ClaimPath::parse(path) {
            Ok(path) => all.push(Requirement::Claim(path, value.clone().into())),
            Err(error) => {
                let cure = "write a claim path such as `department` or `realm_access.level`";
                faults.add(format!("{place}.claim"), error.to_string(), cure);
            }
        }
    }
    let mut nested = |name: &str, list: &[RequireConfig]| -> Vec<Requirement> {
        let place = |index: usize| format!("{place}.{name}[{index}]");
        list.iter().enumerate().map(|(index, it)| requirement(&place(index), it, depth + 1, faults)).collect()
    };
    all.extend(written.all.as_ref().map(|list| Requirement::all(nested("all", list))));
    all.extend(written.any.as_ref().map(|list| Requirement::any(nested("any", list))));
    all.extend(
        written
            .not
            .as_ref()
            .map(|it| Requirement::not(requirement(&format!("{place}.not"), it, depth + 1, faults))),
    );
    if all.is_empty() || written.any.as_ref().is_some_and(Vec::is_empty) {
        let cure = "write `scope`, `role`, `claim`, `all`, `any` or `not`, or leave `require` out";
        faults.add(place, "something to meet", cure);
    }
    match <[Requirement; 1]>::try_from(all) {
        Ok([one]) => one,
        Err(all) => Requirement::all(all),
    }
}

/// The scopes or roles of a member. An empty one would never be granted.
fn words<'w>(
    place: &str,
    name: &str,
    written: Option<&'w OneOrMore>,
    faults: &mut Faults,
) -> impl Iterator<Item = &'w str> + use<'w> {
    let words = written.map(|list| list.0.as_slice()).unwrap_or_default();
    let empty = written.is_some() && words.is_empty();
    let spaced = |word: &String| word.is_empty() || (name == "scope" && word.contains(' '));
    if empty || words.iter().any(spaced) {
        faults.add(format!("{place}.{name}"), format!("names of {name}s"), "write one, or a list of them");
    }
    words.iter().map(String::as_str)
}
