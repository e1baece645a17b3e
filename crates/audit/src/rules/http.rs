//! How the documents are served. Servers that keep keys obey these header fields.

use crate::evidence::{format_duration, when};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use http::HeaderName;
use http::header::{CONTENT_TYPE, ETAG, LOCATION, STRICT_TRANSPORT_SECURITY};
use portcullis_core::rejection::quote;
use portcullis_provider::inspect::InspectedResponse;
use portcullis_resource_server::KeySettings;
use std::time::Duration;
use url::Url;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.redirected",
        severity: Severity::Error,
        section: "RFC 8414, section 3.2",
        title: "a document redirects",
        cure: "serve it at its own address: servers follow no redirects, as keys could come from \
            anywhere",
        check: RuleCheck::Issuer(redirects),
    },
    Rule {
        id: "audit.content_type",
        severity: Severity::Warning,
        section: "RFC 8414, section 3.2",
        title: "a document has the wrong media type",
        cure: "serve metadata as `application/json`, key sets as `application/json` or \
            `application/jwk-set+json`",
        check: RuleCheck::Issuer(content_type),
    },
    Rule {
        id: "audit.keys_cache_long",
        severity: Severity::Warning,
        section: "RFC 9111, section 5.2.2.1",
        title: "the key set may be cached for more than a day",
        cure: "send a `max-age` of about an hour: a withdrawn key verifies forgeries for that long",
        check: RuleCheck::Issuer(cache_long),
    },
    Rule {
        id: "audit.keys_cache_none",
        severity: Severity::Note,
        section: "RFC 9111, section 5.2.2",
        title: "the key set may not be cached",
        cure: "send a `max-age` of some minutes; we fetch every five minutes, others may fetch \
            for each token",
        check: RuleCheck::Issuer(cache_none),
    },
    Rule {
        id: "audit.keys_cache_unsaid",
        severity: Severity::Note,
        section: "RFC 9111, section 5.2.2",
        title: "the key set has no cache lifetime",
        cure: "send `Cache-Control: public, max-age=3600`; without it we fetch every ten minutes",
        check: RuleCheck::Issuer(cache_unsaid),
    },
    Rule {
        id: "audit.keys_etag_missing",
        severity: Severity::Note,
        section: "RFC 9110, section 8.8.3",
        title: "the key set has no `ETag`",
        cure: "send one, so that an unchanged set is not sent again",
        check: RuleCheck::Issuer(no_etag),
    },
    Rule {
        id: "audit.hsts_missing",
        severity: Severity::Note,
        section: "RFC 6797, section 7.1",
        title: "browsers are not told to stay with https",
        cure: "send `Strict-Transport-Security` from the hosts where users sign in",
        check: RuleCheck::Issuer(no_hsts),
    },
    Rule {
        id: "audit.slow",
        severity: Severity::Warning,
        section: "docs/audit.md#what-is-measured",
        title: "a document takes too long",
        cure: "serve it from a cache: a request with a new key waits for it, for two seconds at \
            most",
        check: RuleCheck::Issuer(slow),
    },
    Rule {
        id: "audit.document_large",
        severity: Severity::Warning,
        section: "docs/audit.md#what-is-measured",
        title: "a document is close to the limit of its size",
        cure: "publish only keys in use; or raise `document_bytes` under `[limits]` in our \
            settings",
        check: RuleCheck::Issuer(large),
    },
];

/// Every answer, with its address.
fn answers(observation: &Observation) -> Vec<(&Url, &InspectedResponse)> {
    let mut answers = Vec::new();
    for inspection in observation.requests() {
        if let Ok(answer) = &inspection.answer {
            answers.push((&inspection.url, answer));
        }
    }
    answers
}

/// The answer with the key set.
fn keys(observation: &Observation) -> Option<&InspectedResponse> {
    let answer = observation.keys.as_ref()?.answer()?;
    (answer.status == 200).then_some(answer)
}

/// A header field as text; nothing if it is missing or not ASCII.
fn field(answer: &InspectedResponse, name: HeaderName) -> Option<&str> {
    answer.headers.get(name)?.to_str().ok()
}

fn redirects(observation: &Observation) -> Vec<String> {
    let mut evidence = Vec::new();
    for (url, answer) in answers(observation) {
        // A server follows no redirect: keys would come from a place that nobody has named.
        if (300..400).contains(&answer.status) {
            let target = match field(answer, LOCATION) {
                Some(target) => quote(target),
                None => "nowhere".to_owned(),
            };
            evidence.push(format!("{url}: {} to {target}", answer.status));
        }
    }
    evidence
}

fn content_type(observation: &Observation) -> Vec<String> {
    let mut evidence = Vec::new();
    for (url, answer) in observation.answers() {
        if answer.status != 200 {
            continue;
        }
        // The parameters, such as a charset, do not matter: JSON is always UTF-8.
        let found = field(answer, CONTENT_TYPE);
        let media_type = found
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        let media_type = media_type.trim().to_ascii_lowercase();
        let is_key_set = match &observation.keys {
            Some(keys) => keys.inspection.url == *url,
            None => false,
        };
        if media_type == "application/json"
            || (is_key_set && media_type == "application/jwk-set+json")
        {
            continue;
        }
        let found = match found {
            Some(found) => quote(found),
            None => "none".to_owned(),
        };
        evidence.push(format!("{url}: {found}"));
    }
    evidence
}

fn cache_long(observation: &Observation) -> Vec<String> {
    // A server of ours ignores a longer age, but others of the same provider may obey it.
    let most = KeySettings::default().refresh_bounds.1;
    match keys(observation).and_then(InspectedResponse::max_age) {
        Some(age) if age > most => vec![format!(
            "`max-age` is {}; we keep it for {} at most",
            format_duration(age),
            format_duration(most)
        )],
        _ => Vec::new(),
    }
}

fn cache_none(observation: &Observation) -> Vec<String> {
    let age = keys(observation).and_then(InspectedResponse::max_age);
    when(
        age == Some(Duration::ZERO),
        "`Cache-Control` has `no-store`, `no-cache` or `max-age=0`",
    )
}

fn cache_unsaid(observation: &Observation) -> Vec<String> {
    match keys(observation) {
        Some(answer) => when(
            answer.max_age().is_none(),
            "no `max-age` in `Cache-Control`",
        ),
        None => Vec::new(),
    }
}

fn no_etag(observation: &Observation) -> Vec<String> {
    match (keys(observation), &observation.keys) {
        (Some(answer), Some(set)) if !answer.headers.contains_key(ETAG) => {
            vec![set.inspection.url.to_string()]
        }
        _ => Vec::new(),
    }
}

fn no_hsts(observation: &Observation) -> Vec<String> {
    // Browsers come for the sign-in; an issuer of keys alone has no pages for them.
    if !observation.has_users() {
        return Vec::new();
    }
    for (url, answer) in observation.answers() {
        if url.scheme() == "https" {
            let is_missing = !answer.headers.contains_key(STRICT_TRANSPORT_SECURITY);
            return when(
                is_missing,
                format!("{url} is without `Strict-Transport-Security`"),
            );
        }
    }
    Vec::new()
}

fn slow(observation: &Observation) -> Vec<String> {
    // The first request with a new key waits for this document.
    let patience = KeySettings::default().patience;
    let bound = patience.min(Duration::from_secs(1));
    let mut evidence = Vec::new();
    for (url, answer) in answers(observation) {
        if answer.took > bound {
            evidence.push(format!("{url}: {} ms", answer.took.as_millis()));
        }
    }
    evidence
}

fn large(observation: &Observation) -> Vec<String> {
    let bound = observation.limits.document_bytes;
    let mut evidence = Vec::new();
    for (url, answer) in answers(observation) {
        let bytes = answer.body.len();
        // Half the bound is room for a rotation: old and new keys stand side by side for a while.
        if bytes > bound / 2 {
            evidence.push(format!("{url}: {bytes} of {bound} bytes"));
        }
    }
    evidence
}
