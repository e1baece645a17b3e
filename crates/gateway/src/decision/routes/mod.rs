//! Who may call what: from method, host and path to one route, by a walk that costs the same for
//! any number of routes.
//!
//! The most specific route wins: first by host (a host, all below a host, any), then by path,
//! segment by segment (written out, `*`, `**`), then by method (listed, any). Two routes of the
//! same rank are the operator's fault and found at the start. What no route matches falls to the
//! default, which demands a valid token.
//!
//! A path with an escaped slash is refused where its route does not keep them. It never falls to a
//! less specific one.

mod pattern;

pub(crate) use pattern::{PathPattern, Pattern};

use crate::decision::cedar::Resource;
use crate::refusal::Refusal;
use crate::request::host::{Host, HostPattern};
use crate::request::path::{EscapedSlashes, PathFault, RequestPath};
use crate::request::target::Target;
use http::Method;
use http::uri::PathAndQuery;
use portcullis_core::Requirement;
use std::collections::HashMap;
use std::time::Duration;

/// What holds for the requests of a route.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// What the log calls it: its place in the settings and its path.
    pub(crate) name: Box<str>,
    pub(crate) access: Access,
    /// How policies see it; nothing where none are asked.
    pub(crate) resource: Option<Resource>,
    /// Which of the upstreams the requests go to.
    pub(crate) upstream: usize,
    /// Most bytes of a request's body.
    pub(crate) body_bytes: Option<u64>,
    /// What becomes of escaped slashes.
    pub(crate) escaped_slashes: EscapedSlashes,
    /// How many segments at the beginning of a path are not forwarded.
    pub(crate) stripped_segments: usize,
    /// For the head of the upstream's answer.
    pub(crate) response_timeout: Duration,
    /// Whom a signed assertion is for; `None` for the usual audience.
    pub(crate) assertion_audience: Option<Box<str>>,
}

impl Route {
    /// The target to forward: the path as this route takes it, without the route's prefix, below
    /// the upstream's path.
    pub(crate) fn upstream_target(
        &self,
        target: &Target,
        base_path: &str,
    ) -> Result<PathAndQuery, Refusal> {
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

    /// What this route takes off the path before forwarding; `None` where it takes nothing.
    pub(crate) fn stripped_prefix<'t>(&self, target: &'t Target) -> Option<&'t str> {
        let path = target.path.on_route(self.escaped_slashes).ok()?;
        let (prefix, _) = path.split_after(self.stripped_segments);
        Some(prefix).filter(|prefix| !prefix.is_empty())
    }
}

/// Who may pass.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// Everybody, and no token is looked at.
    Public,
    /// Everybody without a credential; who sends one must meet this.
    Optional(Requirement),
    /// Who meets this.
    Required(Requirement),
}

/// All routes, ready to be walked.
#[derive(Debug)]
pub(crate) struct Routes {
    routes: Vec<Route>,
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
            default,
            exact: HashMap::new(),
            below: HashMap::new(),
            any: Node::default(),
        }
    }

    /// Adds a route for these patterns. The names of routes that have the same rank as one of them
    /// come back.
    pub(crate) fn add(&mut self, route: Route, patterns: &[Pattern]) -> Vec<Box<str>> {
        let index = self.routes.len();
        self.routes.push(route);
        let before: Vec<usize> = patterns
            .iter()
            .filter_map(|pattern| self.place(pattern, index))
            .collect();
        before
            .into_iter()
            .filter_map(|other| Some(self.routes.get(other)?.name.clone()))
            .collect()
    }

    /// The routes as they were added, and the default.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().chain([&self.default])
    }

    /// Puts a route in its place; the route that has it already, if there is one.
    fn place(&mut self, pattern: &Pattern, index: usize) -> Option<usize> {
        let mut node = match &pattern.host {
            Some(HostPattern::Exact(name)) => self.exact.entry(name.clone()).or_default(),
            Some(HostPattern::Below(name)) => self.below.entry(name.clone()).or_default(),
            None => &mut self.any,
        };
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
        let route = self
            .trees(host.name())
            .find_map(|tree| tree.find(&segments, method))
            .and_then(|index| self.routes.get(index))
            .unwrap_or(&self.default);
        path.on_route(route.escaped_slashes).map(|_| route)
    }

    /// The trees for a host, the most specific first.
    fn trees<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t Node> {
        let dots = if self.below.is_empty() { "" } else { name };
        let below = dots.match_indices('.').filter(|(at, _)| *at > 0);
        let below = below.filter_map(move |(at, _)| self.below.get(name.get(at..)?));
        self.exact
            .get(name)
            .into_iter()
            .chain(below)
            .chain([&self.any])
    }
}

impl Node {
    fn find(&self, segments: &[&str], method: &Method) -> Option<usize> {
        let deeper = match segments {
            [] => self.here.find(method),
            [segment, rest @ ..] => self
                .written
                .get(*segment)
                .and_then(|node| node.find(rest, method))
                .or_else(|| self.star.as_ref().and_then(|node| node.find(rest, method))),
        };
        deeper.or_else(|| self.open.find(method))
    }
}

impl Methods {
    /// `HEAD` is asked for as `GET`: what hides the answer must hide its head.
    fn find(&self, method: &Method) -> Option<usize> {
        let as_get = || {
            if method == Method::HEAD {
                self.listed.get(&Method::GET)
            } else {
                None
            }
        };
        self.listed
            .get(method)
            .or_else(as_get)
            .copied()
            .or(self.any)
    }
}

#[cfg(test)]
mod spelling_tests;
#[cfg(test)]
mod tests;
