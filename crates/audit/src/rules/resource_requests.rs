//! How an API answers requests that it should refuse. Without `--probe` none was sent, and nothing
//! is found.

use crate::probe::{Probe, ProbeCredential};
use crate::resource::ResourceObservation;
use crate::rule::{Rule, RuleCheck, Severity};
use http::header::WWW_AUTHENTICATE;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.api_open",
        severity: Severity::Error,
        section: "RFC 6750, section 3",
        title: "the API answers without a token",
        cure: "require a token there; or probe the address of a protected operation",
        check: RuleCheck::Resource(open),
    },
    Rule {
        id: "audit.api_forged",
        severity: Severity::Error,
        section: "RFC 9068, section 4",
        title: "the API accepts tokens that its issuer did not sign",
        cure: "verify the signature with the issuer's published keys only, before anything of the \
            token is used",
        check: RuleCheck::Resource(find_forged),
    },
    Rule {
        id: "audit.api_refusal",
        severity: Severity::Warning,
        section: "RFC 6750, section 3.1",
        title: "the API does not refuse with 401",
        cure: "answer 401 to a request without a valid token: clients renew theirs only then",
        check: RuleCheck::Resource(refusal),
    },
    Rule {
        id: "audit.api_challenge",
        severity: Severity::Warning,
        section: "RFC 9110, section 15.5.2",
        title: "a refusal does not say how to authenticate",
        cure: "send `WWW-Authenticate: Bearer`, or DPoP, with each 401",
        check: RuleCheck::Resource(challenge),
    },
    Rule {
        id: "audit.api_trace",
        severity: Severity::Warning,
        section: "RFC 9457, section 5",
        title: "a refusal shows the inside of the API",
        cure: "answer with a short error, and keep its cause for the log",
        check: RuleCheck::Resource(trace),
    },
    Rule {
        id: "audit.api_repeats",
        severity: Severity::Warning,
        section: "RFC 6750, section 5.2",
        title: "a refusal repeats the token",
        cure: "leave the token out of answers: they are stored and logged",
        check: RuleCheck::Resource(repeats),
    },
    Rule {
        id: "audit.api_token_refused",
        severity: Severity::Note,
        section: "RFC 6750, section 3.1",
        title: "the API refuses your token too",
        cure: "pass a token that may call this address: the other answers say little without it",
        check: RuleCheck::Resource(token_refused),
    },
];

const fn succeeds(status: u16) -> bool {
    status >= 200 && status < 300
}

fn open(resource: &ResourceObservation) -> Vec<String> {
    let probe = resource.probe(ProbeCredential::None);
    let status = probe.and_then(Probe::status);
    as_list(
        status
            .filter(|it| succeeds(*it))
            .map(|it| format!("without a token: {it}")),
    )
}

fn find_forged(resource: &ResourceObservation) -> Vec<String> {
    // Whoever answers everybody reads no token, and has been found already.
    if !open(resource).is_empty() {
        return Vec::new();
    }
    let forged = |probe: &&Probe| probe.credential.is_forged() && answers(probe, succeeds);
    resource
        .probes
        .iter()
        .filter(forged)
        .map(tell)
        .collect()
}

fn refusal(resource: &ResourceObservation) -> Vec<String> {
    // RFC 6750, section 3.1: what cannot be read as a token may also be a bad request.
    let wrong = |probe: &&Probe| match probe.credential {
        ProbeCredential::Given => false,
        ProbeCredential::None => answers(probe, |it| !succeeds(it) && it != 401),
        _ => answers(probe, |it| !succeeds(it) && it != 401 && it != 400),
    };
    resource
        .probes
        .iter()
        .filter(wrong)
        .map(tell)
        .collect()
}

fn challenge(resource: &ResourceObservation) -> Vec<String> {
    let silent = |probe: &&Probe| answers(probe, |it| it == 401) && !has_challenge(probe);
    let probe = resource.probes.iter().find(silent);
    // One is enough: the same code refuses the others.
    as_list(probe.map(|probe| format!("{}, with no such `WWW-Authenticate`", tell(probe))))
}

fn has_challenge(probe: &Probe) -> bool {
    let Ok(answer) = &probe.inspection.answer else {
        return true;
    };
    let mut fields = answer.headers.get_all(WWW_AUTHENTICATE).iter();
    fields.any(|field| {
        let text = String::from_utf8_lossy(field.as_bytes()).to_ascii_lowercase();
        text.contains("bearer") || text.contains("dpop")
    })
}

/// How the traces of common languages begin or continue.
const TRACES: [&str; 8] = [
    "Traceback (most recent call last)",
    "\tat java.",
    "\tat org.",
    "   at System.",
    "   at Microsoft.",
    "goroutine 1 [",
    "panicked at ",
    "/node_modules/",
];

fn trace(resource: &ResourceObservation) -> Vec<String> {
    let shows = |probe: &&Probe| {
        let Ok(answer) = &probe.inspection.answer else {
            return false;
        };
        let text = String::from_utf8_lossy(&answer.body);
        TRACES.iter().any(|it| text.contains(it))
    };
    let probe = resource.probes.iter().find(shows);
    as_list(probe.map(|probe| format!("{}, and a trace of the program", tell(probe))))
}

fn repeats(resource: &ResourceObservation) -> Vec<String> {
    let repeated = |probe: &&Probe| probe.is_repeated && !answers(probe, succeeds);
    resource
        .probes
        .iter()
        .filter(repeated)
        .map(tell)
        .collect()
}

fn token_refused(resource: &ResourceObservation) -> Vec<String> {
    let probe = resource.probe(ProbeCredential::Given);
    as_list(
        probe
            .filter(|it| answers(it, |status| status == 401 || status == 403))
            .map(tell),
    )
}

fn answers(probe: &Probe, is: impl Fn(u16) -> bool) -> bool {
    probe.status().is_some_and(is)
}

fn tell(probe: &Probe) -> String {
    match (&probe.inspection.answer, probe.credential.describe()) {
        (Ok(answer), what) => format!("{what}: {}", answer.status),
        (Err(reason), what) => format!("{what}: {reason}"),
    }
}

fn as_list(evidence: Option<String>) -> Vec<String> {
    evidence.into_iter().collect()
}
