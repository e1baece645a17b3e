//! Routes, from as written to as meant.

use super::cors::cors_rules;
use super::require::{demand_audience, requirement};
use super::scalar::{hosts, methods, one_of, path_without, seconds};
use super::upstream::Upstreams;
use crate::config::{GatewayConfig, RouteConfig};
use crate::decision::cedar::{Resource, demands, parameter};
use crate::decision::cors::CorsRules;
use crate::decision::routes::{Access, PathPattern, Route, RoutePattern, RouteTerms, Routes};
use crate::request::path::EscapedSlashes;
use portcullis_core::{Faults, Requirement};
use std::sync::Arc;
use std::time::Duration;

const BODY_BYTES: u64 = 10_485_760;

/// All routes. `faults` are those of the document.
pub(super) fn routes(
    written: Vec<RouteConfig>,
    gateway: &GatewayConfig,
    default_upstream: usize,
    upstreams: &mut Upstreams,
    faults: &Faults,
) -> Routes {
    let body_bytes = gateway.limits.body_bytes.unwrap_or(BODY_BYTES);
    let response_timeout = seconds(
        "gateway.timeouts.response",
        gateway.timeouts.response,
        60,
        faults,
    );
    // A request that no route matches fails closed: without a valid token it goes nowhere.
    let mut routes = Routes::new(Route {
        name: "default".into(),
        terms: RouteTerms::default(),
        access: Access::Required(Requirement::ValidToken),
        resource: None,
        upstream: default_upstream,
        body_bytes: limit_of(body_bytes),
        escaped_slashes: EscapedSlashes::Refuse,
        stripped_segments: 0,
        response_timeout,
        assertion_audience: None,
        cors: None,
    });
    let mut names = Vec::new();
    for (index, route) in written.into_iter().enumerate() {
        let place = format!("route[{index}]");
        let faults = faults.at(&place);
        let paths = Paths::read(&route, &faults);
        let patterns = patterns(&route, paths.pattern.as_ref(), &faults);
        let upstream = route.upstream.as_deref();
        let upstream = upstream.and_then(|text| upstreams.find(text, &faults));
        let name = name(&place, &route, &names, &faults);
        let meant = Route {
            name: name.clone(),
            terms: terms(&route),
            access: access(&route, &faults),
            resource: resource(&route, &faults),
            upstream: upstream.unwrap_or(default_upstream),
            body_bytes: limit_of(route.body_bytes.unwrap_or(body_bytes)),
            escaped_slashes: paths.escaped_slashes,
            stripped_segments: paths.stripped_segments,
            response_timeout: timeout(&route, response_timeout, &faults),
            assertion_audience: assertion_audience(&route, gateway, &faults),
            cors: cors(&route, &faults),
        };
        for other in routes.add(meant, &patterns) {
            tell_same_rank(&other, &names, &faults);
        }
        names.push(name);
    }
    routes
}

fn terms(route: &RouteConfig) -> RouteTerms {
    RouteTerms {
        methods: route.methods.clone(),
        hosts: route.hosts.clone(),
        path: route.path.clone(),
    }
}

fn tell_same_rank(other: &str, names: &[Box<str>], faults: &Faults) {
    let first = names.iter().position(|known| **known == *other);
    let first = format!("route[{}].*", first.unwrap_or_default());
    // Without its hosts or methods, a route is for more than was meant.
    faults
        .expected("path", "a route of another rank than all before")
        .found_as(format!("the rank of `{other}`"))
        .given(&["hosts", "methods", "encoded_slashes"])
        .given_elsewhere(&[&first])
        .help("join the two, or tell them apart by host or method");
}

/// Whom the assertion is for on this route, where it says so.
fn assertion_audience(
    route: &RouteConfig,
    gateway: &GatewayConfig,
    faults: &Faults,
) -> Option<Box<str>> {
    let audience = route.assertion_audience.as_deref()?;
    if gateway.identity.assertion.is_none() {
        faults
            .expected("assertion_audience", "a signed assertion that it is for")
            .found_as("no `[gateway.identity.assertion]`")
            .given_elsewhere(&["gateway.identity.assertion"])
            .help("add `[gateway.identity.assertion]`, or leave it out");
    }
    if audience.is_empty() || !audience.bytes().all(|byte| byte.is_ascii_graphic()) {
        faults
            .expected("assertion_audience", "a name in ASCII without spaces")
            .found(audience)
            .help("write what the upstream expects in `aud`, such as `https://orders.internal`");
    }
    Some(audience.into())
}

/// How long this route waits for the head of an answer.
fn timeout(route: &RouteConfig, default: Duration, faults: &Faults) -> Duration {
    match route.timeout {
        Some(written) => seconds("timeout", Some(written), 60, faults),
        None => default,
    }
}

/// Which pages may call this route, where it says so.
fn cors(route: &RouteConfig, faults: &Faults) -> Option<Arc<CorsRules>> {
    let written = route.cors.as_ref()?;
    Some(Arc::new(cors_rules(written, &faults.at("cors"))))
}

/// What the log calls a route.
fn name(place: &str, route: &RouteConfig, taken: &[Box<str>], faults: &Faults) -> Box<str> {
    let Some(name) = &route.name else {
        return format!("{place} {}", route.path).into();
    };
    let is_readable =
        // The name is written into log lines and labels, where a line break would forge an entry.
        (1..=100).contains(&name.len()) && name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let expected = match () {
        () if !is_readable => Some("a short name in ASCII"),
        // Metrics and alerts group by this name, so a second meaning would mix two counts.
        () if matches!(name.as_str(), "default" | "none") => {
            Some("another name than `default` and `none`, which the log uses itself")
        }
        () if taken.iter().any(|other| **other == **name) => Some("a name that no other route has"),
        () => None,
    };
    if let Some(expected) = expected {
        faults
            .expected("name", expected)
            .found(name)
            .help("write a short name of its own in ASCII, such as `orders`");
    }
    name.as_str().into()
}

/// How policies see a route, if it asks them.
fn resource(route: &RouteConfig, faults: &Faults) -> Option<Resource> {
    let mut parameters: Vec<(usize, Box<str>)> = Vec::new();
    for (index, segment) in route.path.split('/').skip(1).enumerate() {
        let Some(name) = parameter(segment) else {
            continue;
        };
        if parameters.iter().any(|(_, taken)| **taken == *name) {
            faults
                .expected("path", format!("one segment called `{{{name}}}`"))
                .found_as("two")
                .help("rename the second");
        }
        parameters.push((index, name.into()));
    }
    let mut asked = Vec::new();
    demands(route.require.as_ref(), &mut asked);
    if asked.is_empty() {
        return None;
    }
    Some(Resource {
        id: route.name.as_deref().unwrap_or(&route.path).into(),
        path: route.path.as_str().into(),
        parameters,
    })
}

fn limit_of(bytes: u64) -> Option<u64> {
    (bytes > 0).then_some(bytes)
}

/// What a route says about paths.
struct Paths {
    /// Nothing where the path is at fault.
    pattern: Option<PathPattern>,
    escaped_slashes: EscapedSlashes,
    stripped_segments: usize,
}

const ESCAPED_SLASHES: [(&str, EscapedSlashes); 2] = [
    ("refuse", EscapedSlashes::Refuse),
    ("keep", EscapedSlashes::Keep),
];

impl Paths {
    fn read(route: &RouteConfig, faults: &Faults) -> Self {
        let written = route.encoded_slashes.as_deref();
        let escaped_slashes = one_of("encoded_slashes", written, &ESCAPED_SLASHES, faults);
        let escaped_slashes = escaped_slashes.unwrap_or(EscapedSlashes::Refuse);
        let pattern = match PathPattern::parse(&route.path, escaped_slashes) {
            Ok(pattern) => Some(pattern),
            Err(fault) => {
                let help = "write a path such as `/orders/*/lines` or `/public/**`, as it would be \
                    forwarded";
                faults
                    .expected("path", path_without(&fault))
                    .found(&route.path)
                    .given(&["encoded_slashes"])
                    .help(help);
                None
            }
        };
        let stripped_segments = match (&pattern, &route.strip_prefix) {
            (Some(pattern), Some(prefix)) => {
                stripped_segments(pattern, prefix, escaped_slashes, faults)
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

fn stripped_segments(
    pattern: &PathPattern,
    prefix: &str,
    escaped_slashes: EscapedSlashes,
    faults: &Faults,
) -> usize {
    if let Ok(stripped) = PathPattern::parse(prefix, escaped_slashes)
        // Whole segments are counted: `/api` cuts nothing off `/apis`, however they are spelled.
        && let Some(segments) = pattern.length_of_prefix(&stripped)
        && segments > 0
    {
        return segments;
    }
    faults
        .expected("strip_prefix", "what the path of the route begins with")
        .found(prefix)
        .given(&["path", "encoded_slashes"])
        .help("write the first segments of `path`, such as `/api`, or leave it out");
    0
}

/// Every host with every method: what a route stands for.
fn patterns(route: &RouteConfig, path: Option<&PathPattern>, faults: &Faults) -> Vec<RoutePattern> {
    let methods = or_any(methods(&route.methods, faults));
    let hosts = or_any(hosts(&route.hosts, faults));
    let Some(path) = path else { return Vec::new() };
    let mut patterns = Vec::new();
    for host in &hosts {
        for method in &methods {
            patterns.push(RoutePattern {
                host: host.clone(),
                path: path.clone(),
                method: method.clone(),
            });
        }
    }
    patterns
}

/// What was listed, or one `None` that stands for all.
fn or_any<T>(listed: Vec<T>) -> Vec<Option<T>> {
    if listed.is_empty() {
        return vec![None];
    }
    listed.into_iter().map(Some).collect()
}

/// Both demands, if both are made.
fn join(audience: Option<Requirement>, required: Option<Requirement>) -> Option<Requirement> {
    match (audience, required) {
        (Some(audience), Some(Requirement::All(mut all))) => {
            all.insert(0, audience);
            Some(Requirement::All(all))
        }
        (Some(audience), Some(required)) => Some(Requirement::all([audience, required])),
        (one, other) => one.or(other),
    }
}

fn access(route: &RouteConfig, faults: &Faults) -> Access {
    let within = faults.at("require");
    let required = route.require.as_ref();
    let required = required.map(|written| requirement(written, &within));
    let audience = route.audience.as_ref();
    let audience = audience.map(|names| demand_audience(names, faults));
    let beside = if required.is_some() {
        "require"
    } else {
        "audience"
    };
    let required = join(audience, required);
    match (route.access.as_deref(), required) {
        (Some("public"), None) => Access::Public,
        (None | Some("token"), required) => {
            Access::Required(required.unwrap_or(Requirement::ValidToken))
        }
        (Some("optional"), required) => {
            Access::Optional(required.unwrap_or(Requirement::ValidToken))
        }
        // Either choice could be the mistake, so neither is guessed; `public` would open the route.
        (Some("public"), Some(required)) => {
            faults
                .expected("access", format!("no `{beside}` beside `public`"))
                .found_as("both")
                .help("leave one of them out");
            Access::Required(required)
        }
        (Some(other), required) => {
            faults
                .expected("access", "`token`, `public` or `optional`")
                .found(other)
                .help("leave it out for `token`");
            Access::Required(required.unwrap_or(Requirement::ValidToken))
        }
    }
}
