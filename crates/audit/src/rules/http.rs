//! How the documents are served: what servers that keep keys go by.

use crate::evidence::{format_duration, when};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use http::header::{CONTENT_TYPE, ETAG, LOCATION, STRICT_TRANSPORT_SECURITY};
use portcullis_core::rejection::quote;
use portcullis_provider::inspect::{InspectedResponse, Inspection};
use portcullis_resource_server::KeySettings;
use std::time::Duration;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.redirected",
        severity: Severity::Error,
        section: "RFC 8414, section 3.2",
        title: "a document is answered with a redirect",
        cure: "serve it where it is asked for: servers do not follow, lest keys come from \
            somewhere else",
        check: RuleCheck::Issuer(redirected),
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
        title: "the key set may be kept for more than a day",
        cure: "send a `max-age` of an hour or so: for as long, a key that was withdrawn verifies \
            forgeries",
        check: RuleCheck::Issuer(cache_long),
    },
    Rule {
        id: "audit.keys_cache_none",
        severity: Severity::Note,
        section: "RFC 9111, section 5.2.2",
        title: "the key set may not be kept at all",
        cure: "send a `max-age` of some minutes; we ask every five minutes, others may ask for \
            each token",
        check: RuleCheck::Issuer(cache_none),
    },
    Rule {
        id: "audit.keys_cache_unsaid",
        severity: Severity::Note,
        section: "RFC 9111, section 5.2.2",
        title: "nothing says how long the key set may be kept",
        cure: "send `Cache-Control: public, max-age=3600`; we ask every ten minutes where nothing \
            is said",
        check: RuleCheck::Issuer(cache_unsaid),
    },
    Rule {
        id: "audit.keys_etag_missing",
        severity: Severity::Note,
        section: "RFC 9110, section 8.8.3",
        title: "the key set has no `ETag`",
        cure: "send one, so that a set that has not changed need not be sent again",
        check: RuleCheck::Issuer(no_etag),
    },
    Rule {
        id: "audit.hsts_missing",
        severity: Severity::Note,
        section: "RFC 6797, section 7.1",
        title: "browsers are not told to stay with https",
        cure: "send `Strict-Transport-Security` from the hosts that users sign in at",
        check: RuleCheck::Issuer(no_hsts),
    },
    Rule {
        id: "audit.slow",
        severity: Severity::Warning,
        section: "docs/audit.md#what-is-measured",
        title: "a document takes long",
        cure: "serve it from a cache: a request with a key that is new waits that long, for two \
            seconds at most",
        check: RuleCheck::Issuer(slow),
    },
    Rule {
        id: "audit.document_large",
        severity: Severity::Warning,
        section: "docs/audit.md#what-is-measured",
        title: "a document is near the bound on its size",
        cure: "publish the keys in use only; or raise `document_bytes` under `[limits]` in our \
            settings",
        check: RuleCheck::Issuer(large),
    },
];

/// Everything that was asked for.
fn inspection(
    observation: &Observation,
) -> impl Iterator<Item = (&Inspection, &InspectedResponse)> {
    let all = observation
        .metadata
        .iter()
        .map(|response| &response.inspection)
        .chain(observation.keys.as_ref().map(|keys| &keys.inspection));
    all.filter_map(|inspection| Some((inspection, inspection.answer.as_ref().ok()?)))
}

fn keys(observation: &Observation) -> Option<&InspectedResponse> {
    observation
        .keys
        .as_ref()?
        .answer()
        .filter(|answer| answer.status == 200)
}

fn redirected(observation: &Observation) -> Vec<String> {
    let moved = inspection(observation).filter(|(_, answer)| (300..400).contains(&answer.status));
    let told = moved.map(|(inspection, answer)| {
        let to = answer
            .headers
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .map(quote);
        format!(
            "{}: {} to {}",
            inspection.url,
            answer.status,
            to.unwrap_or_else(|| "nowhere".to_owned())
        )
    });
    told.collect()
}

fn content_type(observation: &Observation) -> Vec<String> {
    let keys = observation.keys.as_ref().map(|keys| &keys.inspection.url);
    let told = observation
        .answers()
        .into_iter()
        .filter(|(_, answer)| answer.status == 200)
        .filter_map(|(url, answer)| {
            let found = answer
                .headers
                .get(CONTENT_TYPE)
                .map(|value| value.to_str().unwrap_or_default());
            let media = found
                .unwrap_or_default()
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            let right = media == "application/json"
                || (media == "application/jwk-set+json" && keys == Some(url));
            (!right).then(|| format!("{url}: {}", found.map_or_else(|| "none".to_owned(), quote)))
        });
    told.collect()
}

fn cache_long(observation: &Observation) -> Vec<String> {
    let most = KeySettings::default().refresh_bounds.1;
    let age = keys(observation)
        .and_then(InspectedResponse::max_age)
        .filter(|age| *age > most);
    age.map(|age| {
        format!(
            "`max-age` is {}; we keep it for {} at most",
            format_duration(age),
            format_duration(most)
        )
    })
    .into_iter()
    .collect()
}

fn cache_none(observation: &Observation) -> Vec<String> {
    let none = keys(observation)
        .and_then(InspectedResponse::max_age)
        .is_some_and(|age| age.is_zero());
    when(none, || {
        "`Cache-Control` has `no-store`, `no-cache` or `max-age=0`".to_owned()
    })
}

fn cache_unsaid(observation: &Observation) -> Vec<String> {
    let unsaid = keys(observation).is_some_and(|answer| answer.max_age().is_none());
    when(unsaid, || "no `max-age` in `Cache-Control`".to_owned())
}

fn no_etag(observation: &Observation) -> Vec<String> {
    let keys = observation.keys.as_ref().filter(|keys| {
        keys.answer()
            .is_some_and(|answer| answer.status == 200 && !answer.headers.contains_key(ETAG))
    });
    keys.map(|keys| keys.inspection.url.to_string())
        .into_iter()
        .collect()
}

/// Of the first answer over https of an issuer with users: keys alone are for no browser.
fn no_hsts(observation: &Observation) -> Vec<String> {
    let first = observation
        .answers()
        .into_iter()
        .find(|(url, _)| url.scheme() == "https")
        .filter(|_| observation.has_users());
    let missing =
        first.filter(|(_, answer)| !answer.headers.contains_key(STRICT_TRANSPORT_SECURITY));
    missing
        .map(|(url, _)| format!("{url} is without `Strict-Transport-Security`"))
        .into_iter()
        .collect()
}

fn slow(observation: &Observation) -> Vec<String> {
    let patience = KeySettings::default().patience;
    let slow = inspection(observation)
        .filter(|(_, answer)| answer.took > patience.min(Duration::from_secs(1)));
    slow.map(|(inspection, answer)| format!("{}: {} ms", inspection.url, answer.took.as_millis()))
        .collect()
}

fn large(observation: &Observation) -> Vec<String> {
    let bound = observation.limits.document_bytes;
    let large = inspection(observation).filter(|(_, answer)| answer.body.len() > bound / 2);
    large
        .map(|(inspection, answer)| {
            format!("{}: {} of {bound} bytes", inspection.url, answer.body.len())
        })
        .collect()
}
