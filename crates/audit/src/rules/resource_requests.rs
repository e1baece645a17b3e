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
        check: RuleCheck::Resource(find_open),
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
        check: RuleCheck::Resource(find_wrong_status),
    },
    Rule {
        id: "audit.api_challenge",
        severity: Severity::Warning,
        section: "RFC 9110, section 15.5.2",
        title: "a refusal does not say how to authenticate",
        cure: "send `WWW-Authenticate: Bearer`, or DPoP, with each 401",
        check: RuleCheck::Resource(find_silence),
    },
    Rule {
        id: "audit.api_trace",
        severity: Severity::Warning,
        section: "RFC 9457, section 5",
        title: "a refusal shows the inside of the API",
        cure: "answer with a short error, and keep its cause for the log",
        check: RuleCheck::Resource(find_trace),
    },
    Rule {
        id: "audit.api_repeats",
        severity: Severity::Warning,
        section: "RFC 6750, section 5.2",
        title: "a refusal repeats the token",
        cure: "leave the token out of answers: they are stored and logged",
        check: RuleCheck::Resource(find_repetition),
    },
    Rule {
        id: "audit.api_token_refused",
        severity: Severity::Note,
        section: "RFC 6750, section 3.1",
        title: "the API refuses your token too",
        cure: "pass a token that may call this address: the other answers say little without it",
        check: RuleCheck::Resource(find_refused_token),
    },
];

/// What the probes show that this chooses.
fn list(resource: &ResourceObservation, chooses: fn(&Probe) -> bool) -> Vec<String> {
    let mut evidence = Vec::new();
    for probe in &resource.probes {
        if chooses(probe) {
            evidence.push(describe(probe));
        }
    }
    evidence
}

/// The first of them, and what it shows. One is enough where the same code makes all answers.
fn list_first(
    resource: &ResourceObservation,
    chooses: fn(&Probe) -> bool,
    shows: &str,
) -> Vec<String> {
    let mut evidence = list(resource, chooses);
    evidence.truncate(1);
    for text in &mut evidence {
        text.push_str(shows);
    }
    evidence
}

fn describe(probe: &Probe) -> String {
    let what = probe.credential.describe();
    match &probe.inspection.answer {
        Ok(answer) => format!("{what}: {}", answer.status),
        Err(reason) => format!("{what}: {reason}"),
    }
}

fn find_open(resource: &ResourceObservation) -> Vec<String> {
    list(resource, is_open)
}

fn is_open(probe: &Probe) -> bool {
    probe.credential == ProbeCredential::None && succeeds(probe)
}

fn succeeds(probe: &Probe) -> bool {
    matches!(probe.status(), Some(200..=299))
}

fn find_forged(resource: &ResourceObservation) -> Vec<String> {
    // Whoever answers everybody reads no token, and has been found already.
    if resource.probes.iter().any(is_open) {
        return Vec::new();
    }
    list(resource, is_accepted_forgery)
}

fn is_accepted_forgery(probe: &Probe) -> bool {
    probe.credential.is_forged() && succeeds(probe)
}

fn find_wrong_status(resource: &ResourceObservation) -> Vec<String> {
    list(resource, has_wrong_status)
}

fn has_wrong_status(probe: &Probe) -> bool {
    let Some(status) = probe.status() else {
        // No answer is no answer with another status.
        return false;
    };
    match probe.credential {
        _ if succeeds(probe) => false,
        ProbeCredential::Given => false,
        ProbeCredential::None => status != 401,
        // RFC 6750, section 3.1: what cannot be read as a token may also be a bad request.
        _ => !matches!(status, 400 | 401),
    }
}

fn find_silence(resource: &ResourceObservation) -> Vec<String> {
    list_first(resource, is_silent, ", with no such `WWW-Authenticate`")
}

fn is_silent(probe: &Probe) -> bool {
    let Ok(answer) = &probe.inspection.answer else {
        return false;
    };
    // Only 401 has to name a scheme: RFC 9110, section 15.5.2.
    if answer.status != 401 {
        return false;
    }
    for field in answer.headers.get_all(WWW_AUTHENTICATE) {
        let text = String::from_utf8_lossy(field.as_bytes());
        let text = text.to_ascii_lowercase();
        // Several challenges may share a field, so neither has to begin it.
        if text.contains("bearer") || text.contains("dpop") {
            return false;
        }
    }
    true
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

fn find_trace(resource: &ResourceObservation) -> Vec<String> {
    list_first(resource, shows_trace, ", and a trace of the program")
}

fn shows_trace(probe: &Probe) -> bool {
    let Ok(answer) = &probe.inspection.answer else {
        return false;
    };
    // Any encoding will do: these words are ASCII.
    let text = String::from_utf8_lossy(&answer.body);
    for trace in TRACES {
        if text.contains(trace) {
            return true;
        }
    }
    false
}

fn find_repetition(resource: &ResourceObservation) -> Vec<String> {
    list(resource, repeats_token)
}

fn repeats_token(probe: &Probe) -> bool {
    // An API may answer a good token with what it says.
    probe.is_repeated && !succeeds(probe)
}

fn find_refused_token(resource: &ResourceObservation) -> Vec<String> {
    list(resource, is_refused_token)
}

fn is_refused_token(probe: &Probe) -> bool {
    let is_refused = matches!(probe.status(), Some(401 | 403));
    probe.credential == ProbeCredential::Given && is_refused
}
