//! The operations of a document against the routes of settings.
//!
//! Which routes decide an operation, the gateway says itself. Here only demands are compared: those
//! of a route may hold more than scopes, and whatever else they hold can only make them stricter.

use super::openapi::demand::{Demand, ScopeSets};
use super::openapi::relation::{Relation, relation};
use super::openapi::template::Template;
use super::openapi::{Document, Operation};
use crate::exit::CommandError;
use portcullis_core::Requirement;
use portcullis_gateway::{Access, RouteMatch, RouteRule, Settings};
use std::collections::{BTreeSet, HashSet};

/// The most sets of demands of one route. More are not compared, and count as looser.
const MOST_CLAUSES: usize = 4_096;

/// What a route is beside the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// It stops nobody, and lets nobody pass, whom the document does not.
    Same,
    /// It stops callers whom the document lets pass.
    Stricter,
    /// It needs no token, and the document does not say that it should.
    Unsaid,
    /// It lets callers pass whom the document stops.
    Looser,
}

/// An operation, and a route that decides requests of it.
#[derive(Clone, Debug)]
pub(super) struct Comparison<'a> {
    pub(super) operation: &'a Operation,
    /// The part of the operation's paths, in the words of a route; `None` for all that no other
    /// line has.
    pub(super) part: Option<String>,
    pub(super) rule: RouteRule<'a>,
    pub(super) verdict: Verdict,
}

/// All operations beside all routes.
#[derive(Clone, Debug, Default)]
pub(super) struct Comparisons<'a> {
    /// A line for each operation that the gateway serves, and more for parts that differ from it.
    pub(super) lines: Vec<Comparison<'a>>,
    /// Operations whose path the gateway refuses.
    pub(super) refused: Vec<&'a Operation>,
    /// Routes that no operation has.
    pub(super) unused: Vec<RouteRule<'a>>,
}

impl Comparisons<'_> {
    /// How many operations have this verdict: the worst of their lines.
    pub(super) fn count(&self, verdict: Verdict) -> usize {
        let is_same = |one: &Comparison<'_>, other: &Comparison<'_>| {
            std::ptr::eq(one.operation, other.operation)
        };
        let operations = self.lines.chunk_by(is_same);
        let worst = operations.filter_map(|lines| lines.iter().map(|line| line.verdict).max());
        worst.filter(|worst| *worst == verdict).count()
    }
}

/// Compares all operations with the routes for a host.
///
/// # Errors
///
/// A malformed host.
pub(super) fn compare<'a>(
    settings: &'a Settings,
    document: &'a Document,
    host: Option<&str>,
) -> Result<Comparisons<'a>, CommandError> {
    let mut comparisons = Comparisons::default();
    let mut used: HashSet<&str> = HashSet::new();
    for operation in &document.operations {
        let Some(template) = &operation.template else {
            comparisons.refused.push(operation);
            continue;
        };
        let matches = settings
            .routes_for(&operation.method, host, &template.shape())
            .map_err(|fault| CommandError::could_not_run(format!("--{fault}")))?;
        used.extend(matches.iter().map(|it| it.rule.name));
        // The last is for all paths that none before is for.
        if let Some((main, parts)) = matches.split_last() {
            comparisons.lines.push(line(operation, main, None));
            for part in parts {
                comparisons
                    .lines
                    .extend(part_line(document, operation, template, part));
            }
        }
    }
    let routes = settings.routes();
    comparisons.unused = routes
        .filter(|rule| !used.contains(rule.name))
        .collect();
    // The default is no route that could be left out.
    comparisons
        .unused
        .retain(|rule| rule.name != "default");
    Ok(comparisons)
}

fn line<'a>(
    operation: &'a Operation,
    found: &RouteMatch<'a>,
    part: Option<String>,
) -> Comparison<'a> {
    Comparison {
        operation,
        part,
        rule: found.rule,
        verdict: verdict(&operation.demand, found.rule.access),
    }
}

/// The line of a route that is for a part of the paths only, if it has to be told.
fn part_line<'a>(
    document: &Document,
    operation: &'a Operation,
    template: &Template,
    found: &RouteMatch<'a>,
) -> Option<Comparison<'a>> {
    let line = line(operation, found, Some(found.path.clone()));
    if line.verdict == Verdict::Same {
        return None;
    }
    let part = Template::of_route(&found.path);
    for other in &document.operations {
        let Some(theirs) = &other.template else {
            continue;
        };
        if std::ptr::eq(other, operation) {
            continue;
        }
        let is_theirs = relation(&part.segments, &theirs.segments) == Relation::Within;
        if other.method != operation.method || !theirs.is_exact || !is_theirs {
            continue;
        }
        // The document decides these paths by the other operation, which has a line itself.
        if theirs.is_closer_than(template) {
            return None;
        }
        // The document leaves open which of the two counts, so what is stricter is safe.
        if !template.is_closer_than(theirs) && line.verdict != Verdict::Looser {
            return None;
        }
    }
    Some(line)
}

pub(super) fn verdict(demand: &Demand, access: &Access) -> Verdict {
    match (demand, access) {
        (Demand::Silent, Access::Required(_)) => Verdict::Same,
        (Demand::Silent, Access::Public | Access::Optional(_)) => Verdict::Unsaid,
        (Demand::Public | Demand::Optional(_), Access::Public) => Verdict::Same,
        (Demand::Public, Access::Optional(_) | Access::Required(_)) => Verdict::Stricter,
        (Demand::Optional(_), Access::Required(_)) => Verdict::Stricter,
        (Demand::Optional(sets), Access::Optional(requirement)) => {
            match is_implied(requirement, sets) {
                true => Verdict::Same,
                false => Verdict::Stricter,
            }
        }
        (Demand::Token(_), Access::Public | Access::Optional(_)) => Verdict::Looser,
        (Demand::Token(sets), Access::Required(requirement)) => {
            match (implies(requirement, sets), is_implied(requirement, sets)) {
                (false, _) => Verdict::Looser,
                (true, true) => Verdict::Same,
                (true, false) => Verdict::Stricter,
            }
        }
    }
}

/// Demands that are met together: scopes, and perhaps something else.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Clause {
    scopes: BTreeSet<String>,
    has_more: bool,
}

/// Whether every token that a requirement lets pass has one of the sets.
fn implies(requirement: &Requirement, sets: &ScopeSets) -> bool {
    match clauses(requirement) {
        Some(clauses) => clauses.iter().all(|it| sets.is_met_by(&it.scopes)),
        None => false,
    }
}

/// Whether every token that has one of the sets passes.
fn is_implied(requirement: &Requirement, sets: &ScopeSets) -> bool {
    let clauses = clauses(requirement).unwrap_or_default();
    let passes = |set: &BTreeSet<String>| {
        let mut plain = clauses.iter().filter(|it| !it.has_more);
        plain.any(|it| it.scopes.is_subset(set))
    };
    sets.iter().all(passes)
}

/// A requirement as alternatives, each of demands that are met together. `None` if they are too
/// many.
fn clauses(requirement: &Requirement) -> Option<BTreeSet<Clause>> {
    let mut all = BTreeSet::new();
    match requirement {
        Requirement::ValidToken => {
            all.insert(Clause::default());
        }
        Requirement::Scope(scope) => {
            all.insert(Clause {
                scopes: [scope.to_string()].into(),
                has_more: false,
            });
        }
        Requirement::Any(list) => {
            for one in list {
                all.extend(clauses(one)?);
            }
        }
        Requirement::All(list) => {
            all.insert(Clause::default());
            for one in list {
                all = product(&all, &clauses(one)?)?;
            }
        }
        // A role, a claim, an opposite: it says nothing about scopes, so it implies none.
        _ => {
            all.insert(Clause {
                scopes: BTreeSet::new(),
                has_more: true,
            });
        }
    }
    (all.len() <= MOST_CLAUSES).then_some(all)
}

/// Each clause of one together with each of the other.
fn product(one: &BTreeSet<Clause>, other: &BTreeSet<Clause>) -> Option<BTreeSet<Clause>> {
    if one.len().saturating_mul(other.len()) > MOST_CLAUSES {
        return None;
    }
    let mut all = BTreeSet::new();
    for first in one {
        for second in other {
            let scopes = first.scopes.union(&second.scopes);
            all.insert(Clause {
                scopes: scopes.cloned().collect(),
                has_more: first.has_more || second.has_more,
            });
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests;
