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
            ended ones accepted",
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

/// The least of all answers: one that was kept somewhere without saying so is no proof.
fn least(observation: &Observation) -> Option<i64> {
    observation
        .answers()
        .into_iter()
        .filter_map(|(_, answer)| difference(answer))
        .min_by_key(|seconds| seconds.unsigned_abs())
}

fn apart(observation: &Observation) -> Vec<String> {
    least(observation)
        .filter(|seconds| seconds.abs() > LEEWAY)
        .map(describe)
        .into_iter()
        .collect()
}

fn drifting(observation: &Observation) -> Vec<String> {
    least(observation)
        .filter(|seconds| (DRIFT + 1..=LEEWAY).contains(&seconds.abs()))
        .map(describe)
        .into_iter()
        .collect()
}
