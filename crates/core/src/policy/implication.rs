//! Whether one requirement is at least as strict as another: whatever meets the one meets the
//! other.
//!
//! The answer "yes" is proved; "no" may also mean that it could not be shown, as for roles that
//! include each other at the provider.

use super::requirement::Requirement;

/// The most alternatives of one requirement. More are not compared.
const MOST_CLAUSES: usize = 4_096;

/// A part that holds no others, or its opposite.
#[derive(Clone, Copy)]
struct Literal<'r> {
    part: &'r Requirement,
    is_negated: bool,
}

/// Parts that are met together.
type Clause<'r> = Vec<Literal<'r>>;

impl Requirement {
    /// Whether every token that meets this requirement meets the other one, now or at any time.
    ///
    /// ```
    /// use portcullis_core::Requirement;
    ///
    /// let one = Requirement::all([Requirement::scope("a"), Requirement::scope("b")]);
    /// let other = Requirement::any([Requirement::scope("b"), Requirement::role("Admin")]);
    /// assert!(one.implies(&other) && !other.implies(&one));
    /// ```
    pub fn implies(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (clauses(self, false), clauses(other, false)) else {
            return false;
        };
        let implies_one = |clause: &Clause<'_>| others.iter().any(|it| clause_implies(clause, it));
        own.iter().all(implies_one)
    }
}

fn clause_implies(clause: &Clause<'_>, other: &Clause<'_>) -> bool {
    let is_implied = |wanted: &Literal<'_>| clause.iter().any(|it| it.implies(*wanted));
    other.iter().all(is_implied)
}

impl Literal<'_> {
    fn implies(self, other: Self) -> bool {
        match (self.is_negated, other.is_negated) {
            (false, false) => part_implies(self.part, other.part),
            // Turned round: what is no `a` is no `b`, if every `b` is an `a`.
            (true, true) => part_implies(other.part, self.part),
            _ => false,
        }
    }
}

fn part_implies(part: &Requirement, other: &Requirement) -> bool {
    match (part, other) {
        (Requirement::Acr(values), Requirement::Acr(others)) => {
            values.iter().all(|value| others.contains(value))
        }
        (Requirement::Audience(names), Requirement::Audience(others)) => {
            names.iter().all(|name| others.contains(name))
        }
        (Requirement::MaxAge(age), Requirement::MaxAge(longest)) => age <= longest,
        // Two rules are never the same object where two settings are compared; their words are.
        (Requirement::Rule(rule), Requirement::Rule(other)) => {
            rule.to_string() == other.to_string()
        }
        _ => part == other,
    }
}

/// The alternatives of a requirement, or of its opposite. `None` if they are too many.
fn clauses(requirement: &Requirement, is_negated: bool) -> Option<Vec<Clause<'_>>> {
    match (requirement, is_negated) {
        (Requirement::ValidToken, false) => Some(vec![Vec::new()]),
        (Requirement::ValidToken, true) => Some(Vec::new()),
        (Requirement::Not(inner), _) => clauses(inner, !is_negated),
        (Requirement::Any(parts), false) | (Requirement::All(parts), true) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(clauses(part, is_negated)?);
            }
            (all.len() <= MOST_CLAUSES).then_some(all)
        }
        (Requirement::All(parts), false) | (Requirement::Any(parts), true) => {
            let mut all = vec![Vec::new()];
            for part in parts {
                all = product(&all, &clauses(part, is_negated)?)?;
            }
            Some(all)
        }
        (part, is_negated) => Some(vec![vec![Literal { part, is_negated }]]),
    }
}

/// Each clause of one together with each of the other.
fn product<'r>(one: &[Clause<'r>], other: &[Clause<'r>]) -> Option<Vec<Clause<'r>>> {
    if one.len().saturating_mul(other.len()) > MOST_CLAUSES {
        return None;
    }
    let mut all = Vec::new();
    for first in one {
        for second in other {
            all.push([first.as_slice(), second].concat());
        }
    }
    Some(all)
}
