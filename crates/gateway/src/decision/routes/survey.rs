//! The routes that decide the requests of a pattern: of all its paths, and not of one.
//!
//! The walk is that of a request, in the same order. Where a segment of the pattern is any one,
//! requests part: some have the written name of a route there, and the others fall to its star. So
//! every way is followed, and each ends at the path that it stands for.

use super::{Access, Node, PathPattern, Route, Routes};
use crate::request::host::Host;
use http::Method;
use portcullis_core::Requirement;

/// A route as the settings decide by it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RouteRule<'s> {
    /// What the log calls it; `default` is for requests that match no route.
    pub name: &'s str,
    /// Its methods; none for any.
    pub methods: &'s [String],
    /// Its hosts; none for any.
    pub hosts: &'s [String],
    /// Its path, as it is written; empty for the default.
    pub path: &'s str,
    /// What it demands.
    pub access: &'s Access,
}

/// A route, and the requests of a pattern that it decides.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteMatch<'s> {
    /// The route.
    pub rule: RouteRule<'s>,
    /// The paths, in the words of a route: the pattern, or a part of it.
    pub path: String,
}

impl<'s> From<&'s Route> for RouteRule<'s> {
    fn from(route: &'s Route) -> Self {
        Self {
            name: &route.name,
            methods: &route.terms.methods,
            hosts: &route.terms.hosts,
            path: &route.terms.path,
            access: &route.access,
        }
    }
}

/// A way through the tree, and what was found on all ways so far.
struct Walk<'p> {
    method: &'p Method,
    /// The segments so far, `None` for any one.
    path: Vec<Option<&'p str>>,
    found: Vec<(String, usize)>,
}

impl RouteRule<'_> {
    /// Whether it decides every request that no other route does.
    pub(crate) fn is_for_everything(&self) -> bool {
        self.path == "/**" && self.hosts.is_empty() && self.methods.is_empty()
    }
}

impl Routes {
    /// Whether a valid token alone opens nothing that is not open without one.
    pub(crate) fn demand_more_than_a_token(&self) -> bool {
        let mut rules: Vec<RouteRule<'_>> = self.iter().map(RouteRule::from).collect();
        // The default comes last. A route for everything leaves it no request.
        let default = rules.pop();
        if !rules.iter().any(RouteRule::is_for_everything) {
            rules.extend(default);
        }
        let is_satisfied = Access::Required(Requirement::ValidToken);
        rules.iter().all(|rule| *rule.access != is_satisfied)
    }

    /// The routes that decide requests of this method for the paths of a closed pattern. Without a
    /// host, only routes for any host count.
    pub(crate) fn survey(
        &self,
        host: Option<&Host>,
        pattern: &PathPattern,
        method: &Method,
    ) -> Vec<RouteMatch<'_>> {
        let mut walk = Walk {
            method,
            path: Vec::new(),
            found: Vec::new(),
        };
        let is_decided = match host {
            // As for a request, a more specific host wins only where all of its paths match.
            Some(host) => self
                .trees(host.name())
                .any(|tree| tree.survey(&pattern.segments, &mut walk)),
            None => self.any.survey(&pattern.segments, &mut walk),
        };
        let mut matches = Vec::new();
        for (path, index) in walk.found {
            let rule = RouteRule::from(self.routes.get(index).unwrap_or(&self.default));
            matches.push(RouteMatch { rule, path });
        }
        if !is_decided {
            let rule = RouteRule::from(&self.default);
            let path = spell(&[], &pattern.segments);
            matches.push(RouteMatch { rule, path });
        }
        matches
    }
}

impl Node {
    /// Follows the rest of a path. Returns whether every request of it is decided by a route here
    /// or below.
    fn survey<'p>(&'p self, rest: &'p [Option<Box<str>>], walk: &mut Walk<'p>) -> bool {
        let is_decided = match rest {
            [] => walk.end(self.here.find(walk.method), rest),
            [segment, rest @ ..] => self.survey_below(segment.as_deref(), rest, walk),
        };
        is_decided || walk.end(self.open.find(walk.method), rest)
    }

    fn survey_below<'p>(
        &'p self,
        segment: Option<&'p str>,
        rest: &'p [Option<Box<str>>],
        walk: &mut Walk<'p>,
    ) -> bool {
        match segment {
            Some(name) => {
                if let Some(node) = self.written.get(name)
                    && walk.down(segment, node, rest)
                {
                    return true;
                }
            }
            // Sorted, so that two runs report in one order. Other names fall to the star.
            None => {
                let mut written: Vec<_> = self.written.iter().collect();
                written.sort_by_key(|(name, _)| *name);
                for (name, node) in written {
                    walk.down(Some(name), node, rest);
                }
            }
        }
        match &self.star {
            Some(node) => walk.down(segment, node, rest),
            None => false,
        }
    }
}

impl<'p> Walk<'p> {
    fn down(
        &mut self,
        segment: Option<&'p str>,
        node: &'p Node,
        rest: &'p [Option<Box<str>>],
    ) -> bool {
        self.path.push(segment);
        let is_decided = node.survey(rest, self);
        self.path.pop();
        is_decided
    }

    /// Ends a way at a route, if there is one.
    fn end(&mut self, route: Option<usize>, rest: &[Option<Box<str>>]) -> bool {
        if let Some(index) = route {
            self.found.push((spell(&self.path, rest), index));
        }
        route.is_some()
    }
}

/// A path in the words of a route.
fn spell(path: &[Option<&str>], rest: &[Option<Box<str>>]) -> String {
    let rest = rest.iter().map(Option::as_deref);
    let mut text = String::new();
    for segment in path.iter().copied().chain(rest) {
        text.push('/');
        match segment {
            // A plain star would be any segment.
            Some(name) => text.push_str(&name.replace('*', "%2A")),
            None => text.push('*'),
        }
    }
    if text.is_empty() {
        text.push('/');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::routes;
    use super::*;
    use crate::request::path::{EscapedSlashes, RequestPath};

    /// The matches as `path: route`.
    fn survey(routes: &Routes, host: Option<&str>, method: &str, pattern: &str) -> Vec<String> {
        let host = host.map(|host| Host::parse(host).unwrap());
        let pattern = PathPattern::parse(pattern, EscapedSlashes::Refuse).unwrap();
        let matches = routes.survey(host.as_ref(), &pattern, &method.parse().unwrap());
        let spell = |it: &RouteMatch<'_>| format!("{}: {}", it.path, it.rule.name);
        matches.iter().map(spell).collect()
    }

    #[test]
    fn every_route_of_a_pattern_is_found_with_its_paths() {
        let routes = routes(&[
            "- /orders/**",
            "GET /orders/*",
            "POST /orders/new",
            "- /orders/*/lines",
            "GET /a%2Ab",
            "- x.example/orders/7",
        ]);
        for (method, pattern, expected) in [
            ("GET", "/orders/{id}", &["/orders/*: GET /orders/*"][..]),
            ("HEAD", "/orders/{id}", &["/orders/*: GET /orders/*"]),
            (
                "POST",
                "/orders/{id}",
                &["/orders/new: POST /orders/new", "/orders/*: - /orders/**"],
            ),
            ("POST", "/orders/new", &["/orders/new: POST /orders/new"]),
            (
                "GET",
                "/*/*",
                &["/orders/*: GET /orders/*", "/*/*: default"],
            ),
            ("GET", "/orders/a/b", &["/orders/a/b: - /orders/**"]),
            ("GET", "/", &["/: default"]),
            ("GET", "/a%2Ab", &["/a%2Ab: GET /a%2Ab"]),
        ] {
            assert_eq!(
                survey(&routes, None, method, pattern),
                expected,
                "{pattern}"
            );
        }
        let with_host = survey(&routes, Some("x.example"), "GET", "/orders/*");
        assert_eq!(
            with_host,
            [
                "/orders/7: - x.example/orders/7",
                "/orders/*: GET /orders/*"
            ]
        );
    }

    /// Whatever a request of a pattern finds, the survey of the pattern has it.
    #[test]
    fn a_survey_misses_no_request() {
        const NAMES: [&str; 4] = ["a", "b", "*", "**"];
        let mut patterns = Vec::new();
        for first in NAMES {
            for second in NAMES {
                for method in ["-", "GET", "HEAD"] {
                    match first {
                        "**" => patterns.push(format!("{method} /{second}")),
                        _ => patterns.push(format!("{method} /{first}/{second}")),
                    }
                }
            }
        }
        patterns.sort();
        patterns.dedup();
        let mut requests = 0;
        for seed in 0..400 {
            // Every seed takes another part of the patterns, about a quarter.
            let taken = patterns.iter().enumerate();
            let taken = taken.filter(|(index, _)| (seed * 31 + index * index * 7) % 11 < 3);
            let taken: Vec<&str> = taken.map(|(_, it)| it.as_str()).collect();
            let routes = routes(&taken);
            for pattern in ["/*", "/*/*", "/a/*", "/*/b", "/a/b", "/"] {
                for method in ["GET", "HEAD", "POST"] {
                    let found = survey(&routes, None, method, pattern);
                    for path in ["/", "/a", "/c", "/a/b", "/a/c", "/c/b", "/b/b", "/c/c"] {
                        if !is_of(path, pattern) {
                            continue;
                        }
                        let path = RequestPath::parse(path).unwrap();
                        let host = Host::parse("h").unwrap();
                        let route = routes.find(&host, &path, &method.parse().unwrap());
                        let name = &route.unwrap().name;
                        let is_found = found.iter().any(|it| {
                            let (part, route) = it.split_once(": ").unwrap();
                            route == &**name && is_of(path.as_str(), part)
                        });
                        assert!(is_found, "{method} {path:?} {name}: {found:?} of {taken:?}");
                        requests += 1;
                    }
                }
            }
        }
        assert!(requests > 10_000, "{requests}");
    }

    fn is_of(path: &str, pattern: &str) -> bool {
        let (path, pattern) = (path.split('/'), pattern.split('/'));
        path.clone().count() == pattern.clone().count()
            && path
                .zip(pattern)
                .all(|(name, it)| it == name || (it == "*" && !name.is_empty()))
    }
}
