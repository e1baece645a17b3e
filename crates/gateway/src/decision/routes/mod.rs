//! From method, host and path to one route, by a walk that costs the same for any number of routes.
//!
//! The most specific route wins: first by host (a host, all below a host, any), then by path,
//! segment by segment (written out, `*`, `**`), then by method (listed, any). Two routes of the
//! same rank are the operator's fault and found at the start. A request that no route matches falls
//! to the default, which demands a valid token.
//!
//! A path with an escaped slash is refused if its route does not keep them. It never falls to a
//! less specific route.

mod pattern;
mod samples;
mod survey;

pub(crate) use pattern::{PathPattern, RoutePattern};
pub(crate) use samples::{sample_hosts, sample_methods, sample_paths};
pub use survey::{RouteMatch, RouteRule};

use crate::decision::cedar::Resource;
use crate::decision::cors::CorsRules;
use crate::refusal::{PathFault, Refusal};
use crate::request::host::{Host, HostPattern};
use crate::request::path::{EscapedSlashes, RequestPath};
use crate::request::target::Target;
use http::Method;
use http::uri::PathAndQuery;
use portcullis_core::Requirement;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The settings for the requests of a route.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// The name in the log: its place in the settings and its path.
    pub(crate) name: Box<str>,
    pub(crate) terms: RouteTerms,
    pub(crate) access: Access,
    /// The route as policies see it; `None` where it asks none.
    pub(crate) resource: Option<Resource>,
    /// The index of the upstream.
    pub(crate) upstream: usize,
    /// Most bytes of a request's body.
    pub(crate) body_bytes: Option<u64>,
    /// Whether escaped slashes are kept.
    pub(crate) escaped_slashes: EscapedSlashes,
    /// How many segments at the beginning of a path are not forwarded.
    pub(crate) stripped_segments: usize,
    /// For the head of the upstream's answer.
    pub(crate) response_timeout: Duration,
    /// The audience of a signed assertion; `None` for the one of `gateway.identity.assertion`.
    pub(crate) assertion_audience: Option<Box<str>>,
    /// Which pages may call; `None` where the gateway's own rules hold.
    pub(crate) cors: Option<Arc<CorsRules>>,
}

/// The requests of a route, as the settings write them; empty lists stand for any.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteTerms {
    pub(crate) methods: Vec<String>,
    pub(crate) hosts: Vec<String>,
    pub(crate) path: String,
}

impl Route {
    /// The target to forward: the path as this route takes it, without the route's prefix, below
    /// the upstream's path.
    pub(crate) fn upstream_target(
        &self,
        target: &Target,
        base_path: &str,
    ) -> Result<PathAndQuery, Refusal> {
        // Checked once more on the way out, so that no other caller can forward an escaped slash.
        let path = target.path.on_route(self.escaped_slashes);
        let (_, rest) = path
            .map_err(Refusal::Path)?
            .split_after(self.stripped_segments);
        match (rest, base_path) {
            ("", "") => target.with_query("/"),
            (rest, "") => target.with_query(rest),
            (rest, base) => target.with_query(&format!("{base}{rest}")),
        }
    }

    /// Refuses a body that says of itself that it is longer than this route takes.
    pub(crate) fn check_body(&self, declared_bytes: u64) -> Result<(), Refusal> {
        match self.body_bytes {
            Some(most) if declared_bytes > most => Err(Refusal::BodyTooLarge),
            _ => Ok(()),
        }
    }

    /// The prefix that this route takes off the path before forwarding; `None` if there is none.
    pub(crate) fn stripped_prefix<'t>(&self, target: &'t Target) -> Option<&'t str> {
        let path = target.path.on_route(self.escaped_slashes).ok()?;
        let (prefix, _) = path.split_after(self.stripped_segments);
        Some(prefix).filter(|prefix| !prefix.is_empty())
    }
}

/// The callers that a route lets pass.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    /// Everybody; tokens are ignored.
    Public,
    /// Everybody without a credential; a credential that is sent must meet this.
    Optional(Requirement),
    /// Callers whose token meets this.
    Required(Requirement),
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Optional(requirement) => write!(f, "{requirement}, if there is a token"),
            Self::Required(requirement) => requirement.fmt(f),
        }
    }
}

/// All routes, ready to be walked.
#[derive(Debug)]
pub(crate) struct Routes {
    routes: Vec<Route>,
    /// The patterns of each route, for people and comparisons: requests walk the trees.
    patterns: Vec<Vec<RoutePattern>>,
    default: Route,
    exact: HashMap<Box<str>, Node>,
    below: HashMap<Box<str>, Node>,
    any: Node,
}

#[derive(Debug, Default)]
struct Node {
    written: HashMap<Box<str>, Node>,
    star: Option<Box<Node>>,
    here: Methods,
    open: Methods,
}

/// The routes at one place, by method.
#[derive(Debug, Default)]
struct Methods {
    listed: HashMap<Method, usize>,
    any: Option<usize>,
}

impl Routes {
    /// No routes yet: everything falls to the default.
    pub(crate) fn new(default: Route) -> Self {
        Self {
            routes: Vec::new(),
            patterns: Vec::new(),
            default,
            exact: HashMap::new(),
            below: HashMap::new(),
            any: Node::default(),
        }
    }

    /// Adds a route for these patterns. Returns the names of routes that already have the rank of
    /// one of them.
    pub(crate) fn add(&mut self, route: Route, patterns: &[RoutePattern]) -> Vec<Box<str>> {
        let index = self.routes.len();
        self.routes.push(route);
        self.patterns.push(patterns.to_vec());
        let mut rivals = Vec::new();
        for pattern in patterns {
            if let Some(other) = self.place(pattern, index)
                && let Some(other) = self.routes.get(other)
            {
                rivals.push(other.name.clone());
            }
        }
        rivals
    }

    /// The routes as they were added, and the default.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().chain([&self.default])
    }

    /// Lets nobody through who matches no route.
    pub(crate) fn close_default(&mut self) {
        self.default.access = Access::Required(Requirement::any([]));
    }

    /// The routes as they were added, each with its patterns. The default has none.
    pub(crate) fn with_patterns(&self) -> impl Iterator<Item = (&Route, &[RoutePattern])> {
        let patterns = self.patterns.iter().map(Vec::as_slice);
        self.routes.iter().zip(patterns)
    }

    /// Puts a route in its place. Returns the route that had it before.
    fn place(&mut self, pattern: &RoutePattern, index: usize) -> Option<usize> {
        let mut node = match &pattern.host {
            Some(HostPattern::Exact(name)) => self.exact.entry(name.clone()).or_default(),
            Some(HostPattern::Below(name)) => self.below.entry(name.clone()).or_default(),
            None => &mut self.any,
        };
        // One level per segment: a request walks its own path, however many routes there are.
        for segment in &pattern.path.segments {
            node = match segment {
                Some(written) => node.written.entry(written.clone()).or_default(),
                None => node.star.get_or_insert_default(),
            };
        }
        let methods = if pattern.path.open {
            &mut node.open
        } else {
            &mut node.here
        };
        match &pattern.method {
            Some(method) => methods.listed.insert(method.clone(), index),
            None => methods.any.replace(index),
        }
    }

    /// The most specific route for a request, or the default, if it takes the path.
    pub(crate) fn find(
        &self,
        host: &Host,
        path: &RequestPath,
        method: &Method,
    ) -> Result<&Route, PathFault> {
        let segments: Vec<&str> = path.segments().collect();
        let mut found = None;
        for tree in self.trees(host.name()) {
            found = tree.find(&segments, method);
            // A tree of a more specific host wins only with a route that matches.
            if found.is_some() {
                break;
            }
        }
        let route = match found {
            Some(index) => self.routes.get(index).unwrap_or(&self.default),
            None => &self.default,
        };
        path.on_route(route.escaped_slashes)?;
        Ok(route)
    }

    /// The trees for a host, the most specific first.
    fn trees<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t Node> {
        // Without patterns such as `*.example.com`, no dot has to be looked at.
        let dots = if self.below.is_empty() { "" } else { name };
        let below = dots.match_indices('.').filter(|(at, _)| *at > 0);
        let below = below.filter_map(move |(at, _)| self.below.get(name.get(at..)?));
        let exact = self.exact.get(name).into_iter();
        exact.chain(below).chain([&self.any])
    }
}

impl Node {
    fn find(&self, segments: &[&str], method: &Method) -> Option<usize> {
        let deeper = match segments {
            [] => self.here.find(method),
            [segment, rest @ ..] => self.find_below(segment, rest, method),
        };
        deeper.or_else(|| self.open.find(method))
    }

    fn find_below(&self, segment: &str, rest: &[&str], method: &Method) -> Option<usize> {
        // A written segment wins, but only if the rest of the path and the method match as well.
        if let Some(node) = self.written.get(segment)
            && let Some(index) = node.find(rest, method)
        {
            return Some(index);
        }
        self.star.as_ref()?.find(rest, method)
    }
}

impl Methods {
    /// `HEAD` is `GET` where no route lists it: whatever hides the answer must hide its head.
    fn find(&self, method: &Method) -> Option<usize> {
        if let Some(index) = self.listed.get(method) {
            return Some(*index);
        }
        if method == Method::HEAD
            && let Some(index) = self.listed.get(&Method::GET)
        {
            return Some(*index);
        }
        self.any
    }
}

#[cfg(test)]
mod spelling_tests;
#[cfg(test)]
mod tests;
