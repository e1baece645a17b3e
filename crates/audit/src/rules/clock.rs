//! The provider's clock beside ours.

use crate::clock::{DRIFT, describe, difference};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.clock_apart",
        severity: Severity::Error,
        section: "RFC 7519, section 4.1.4",
        title: "the provider's clock and ours are too far apart",
        cure: "set both by NTP: beyond our leeway of 60 seconds, fresh tokens are refused and \
            expired ones accepted",
        check: RuleCheck::Issuer(apart),
    },
    Rule {
        id: "audit.clock_drifting",
        severity: Severity::Warning,
        section: "RFC 7519, section 4.1.4",
        title: "the provider's clock and ours drift apart",
        cure: "set both by NTP; our leeway is 60 seconds by default",
        check: RuleCheck::Issuer(drifting),
    },
];

const LEEWAY: i64 = 60;

/// The least difference of all answers: a cache that does not say so has made the others old.
fn least(observation: &Observation) -> Option<i64> {
    let mut least: Option<i64> = None;
    for (_, answer) in observation.answers() {
        let Some(seconds) = difference(answer) else {
            continue;
        };
        least = match least {
            Some(known) if known.unsigned_abs() <= seconds.unsigned_abs() => Some(known),
            _ => Some(seconds),
        };
    }
    least
}

fn apart(observation: &Observation) -> Vec<String> {
    match least(observation) {
        Some(seconds) if seconds.abs() > LEEWAY => vec![describe(seconds)],
        _ => Vec::new(),
    }
}

fn drifting(observation: &Observation) -> Vec<String> {
    match least(observation) {
        Some(seconds) if (DRIFT + 1..=LEEWAY).contains(&seconds.abs()) => vec![describe(seconds)],
        _ => Vec::new(),
    }
}
