//! Requests that stand for all others: one for each set of patterns that a request can match.
//!
//! The walk through the routes depends on nothing but the patterns that a request matches, and on
//! whether its path has an escaped slash. So two tables that agree on these samples agree on every
//! request.

use super::{PathPattern, RoutePattern};
use crate::request::host::HostPattern;
use http::Method;

/// More samples are not made: settings with so many overlaps are not compared.
// Each star can multiply the paths, so a short file could ask for endless work.
const MOST_PATHS: usize = 50_000;
/// A segment that no route names.
pub(crate) const ANY_SEGMENT: &str = "portcullis-any";
/// The same with an escaped slash.
pub(crate) const SLASHED_SEGMENT: &str = "portcullis%2Fany";
// `.invalid` is reserved (RFC 2606, section 2), so nobody serves it.
/// A host that no route names.
pub(crate) const ANY_HOST: &str = "portcullis-any.invalid";
/// A method that no route names.
pub(crate) const ANY_METHOD: &str = "PORTCULLIS-ANY";

/// The hosts of all samples.
pub(crate) fn sample_hosts<'p>(patterns: impl Iterator<Item = &'p HostPattern>) -> Vec<String> {
    let mut hosts = vec![ANY_HOST.to_owned()];
    for pattern in patterns {
        let host = match pattern {
            HostPattern::Exact(name) => name.to_string(),
            HostPattern::Below(below) => format!("portcullis-any{below}"),
        };
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

/// The methods of all samples. `HEAD` is there as it may fall to a route for `GET`.
pub(crate) fn sample_methods<'p>(patterns: impl Iterator<Item = &'p RoutePattern>) -> Vec<Method> {
    let mut methods = vec![Method::GET, Method::HEAD];
    methods.extend(Method::from_bytes(ANY_METHOD.as_bytes()));
    for pattern in patterns {
        if let Some(method) = &pattern.method
            && !methods.contains(method)
        {
            methods.push(method.clone());
        }
    }
    methods
}

/// The paths of all samples; `None` if they are too many.
pub(crate) fn sample_paths<'p>(
    patterns: impl Iterator<Item = &'p RoutePattern>,
) -> Option<Vec<String>> {
    let mut alive: Vec<&PathPattern> = Vec::new();
    for pattern in patterns {
        if !alive.contains(&&pattern.path) {
            alive.push(&pattern.path);
        }
    }
    let mut walk = SampleWalk { paths: Vec::new() };
    walk.visit(&alive, 0, "")?;
    Some(walk.paths)
}

struct SampleWalk {
    paths: Vec<String>,
}

impl SampleWalk {
    /// Adds the paths that begin with `prefix`, whose segments the patterns match so far.
    fn visit(&mut self, alive: &[&PathPattern], depth: usize, prefix: &str) -> Option<()> {
        if self.paths.len() >= MOST_PATHS {
            return None;
        }
        let path = if prefix.is_empty() { "/" } else { prefix };
        self.paths.push(path.to_owned());
        let mut next: Vec<&str> = vec![ANY_SEGMENT, SLASHED_SEGMENT];
        for pattern in alive {
            if let Some(Some(written)) = pattern.segments.get(depth)
                && !next.contains(&&**written)
            {
                next.push(written);
            }
        }
        // Whatever is longer is matched by the same open patterns.
        let goes_on = alive.iter().any(|it| it.segments.len() > depth);
        if !goes_on && !alive.iter().any(|it| it.open) {
            return Some(());
        }
        for segment in next {
            let path = format!("{prefix}/{segment}");
            if !goes_on {
                self.paths.push(path);
                continue;
            }
            let mut still = alive.to_vec();
            still.retain(|it| takes(it, depth, segment));
            self.visit(&still, depth + 1, &path)?;
        }
        Some(())
    }
}

/// Whether a pattern takes this segment at this place.
fn takes(pattern: &PathPattern, depth: usize, segment: &str) -> bool {
    match pattern.segments.get(depth) {
        Some(Some(written)) => **written == *segment,
        Some(None) => true,
        None => pattern.open,
    }
}
