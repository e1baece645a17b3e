//! How the documents are served: what servers that keep keys go by.

use super::super::evidence::{spoken, when};
use super::super::{Check, Rule, Seen, Severity};
use http::header::{CONTENT_TYPE, ETAG, LOCATION, STRICT_TRANSPORT_SECURITY};
use portcullis_core::rejection::shown;
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
        check: Check::Issuer(redirected),
    },
    Rule {
        id: "audit.content_type",
        severity: Severity::Warning,
        section: "RFC 8414, section 3.2",
        title: "a document has the wrong media type",
        cure: "serve metadata as `application/json`, key sets as `application/json` or \
            `application/jwk-set+json`",
        check: Check::Issuer(content_type),
    },
    Rule {
        id: "audit.keys_cache_long",
        severity: Severity::Warning,
        section: "RFC 9111, section 5.2.2.1",
        title: "the key set may be kept for more than a day",
        cure: "send a `max-age` of an hour or so: for as long, a key that was withdrawn verifies \
            forgeries",
        check: Check::Issuer(cache_long),
    },
    Rule {
        id: "audit.keys_cache_none",
        severity: Severity::Note,
        section: "RFC 9111, section 5.2.2",
        title: "the key set may not be kept at all",
        cure: "send a `max-age` of some minutes; we ask every five minutes, others may ask for \
            each token",
        check: Check::Issuer(cache_none),
    },
    Rule {
        id: "audit.keys_cache_unsaid",
        severity: Severity::Note,
        section: "RFC 9111, section 5.2.2",
        title: "nothing says how long the key set may be kept",
        cure: "send `Cache-Control: public, max-age=3600`; we ask every ten minutes where nothing \
            is said",
        check: Check::Issuer(cache_unsaid),
    },
    Rule {
        id: "audit.keys_etag_missing",
        severity: Severity::Note,
        section: "RFC 9110, section 8.8.3",
        title: "the key set has no `ETag`",
        cure: "send one, so that a set that has not changed need not be sent again",
        check: Check::Issuer(no_etag),
    },
    Rule {
        id: "audit.hsts_missing",
        severity: Severity::Note,
        section: "RFC 6797, section 7.1",
        title: "browsers are not told to stay with https",
        cure: "send `Strict-Transport-Security` from the hosts that users sign in at",
        check: Check::Issuer(no_hsts),
    },
    Rule {
        id: "audit.slow",
        severity: Severity::Warning,
        section: "docs/audit.md#what-is-measured",
        title: "a document takes long",
        cure: "serve it from a cache: a request with a key that is new waits that long, for two \
            seconds at most",
        check: Check::Issuer(slow),
    },
    Rule {
        id: "audit.document_large",
        severity: Severity::Warning,
        section: "docs/audit.md#what-is-measured",
        title: "a document is near the bound on its size",
        cure: "publish the keys in use only; or raise `document_bytes` under `[limits]` in our \
            settings",
        check: Check::Issuer(large),
    },
];

/// Everything that was asked for.
fn looked(seen: &Seen) -> impl Iterator<Item = (&Inspection, &InspectedResponse)> {
    let all = seen
        .forms
        .iter()
        .map(|form| &form.looked)
        .chain(seen.keys.as_ref().map(|keys| &keys.looked));
    all.filter_map(|looked| Some((looked, looked.answer.as_ref().ok()?)))
}

fn keys(seen: &Seen) -> Option<&InspectedResponse> {
    seen.keys
        .as_ref()?
        .answer()
        .filter(|answer| answer.status == 200)
}

fn redirected(seen: &Seen) -> Vec<String> {
    let moved = looked(seen).filter(|(_, answer)| (300..400).contains(&answer.status));
    let told = moved.map(|(looked, answer)| {
        let to = answer
            .headers
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .map(shown);
        format!(
            "{}: {} to {}",
            looked.url,
            answer.status,
            to.unwrap_or_else(|| "nowhere".to_owned())
        )
    });
    told.collect()
}

fn content_type(seen: &Seen) -> Vec<String> {
    let keys = seen.keys.as_ref().map(|keys| &keys.looked.url);
    let told = seen
        .answers()
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
            (!right).then(|| format!("{url}: {}", found.map_or_else(|| "none".to_owned(), shown)))
        });
    told.collect()
}

fn cache_long(seen: &Seen) -> Vec<String> {
    let most = KeySettings::default().refresh_bounds.1;
    let age = keys(seen)
        .and_then(InspectedResponse::max_age)
        .filter(|age| *age > most);
    age.map(|age| {
        format!(
            "`max-age` is {}; we keep it for {} at most",
            spoken(age),
            spoken(most)
        )
    })
    .into_iter()
    .collect()
}

fn cache_none(seen: &Seen) -> Vec<String> {
    let none = keys(seen)
        .and_then(InspectedResponse::max_age)
        .is_some_and(|age| age.is_zero());
    when(none, || {
        "`Cache-Control` has `no-store`, `no-cache` or `max-age=0`".to_owned()
    })
}

fn cache_unsaid(seen: &Seen) -> Vec<String> {
    let unsaid = keys(seen).is_some_and(|answer| answer.max_age().is_none());
    when(unsaid, || "no `max-age` in `Cache-Control`".to_owned())
}

fn no_etag(seen: &Seen) -> Vec<String> {
    let keys = seen.keys.as_ref().filter(|keys| {
        keys.answer()
            .is_some_and(|answer| answer.status == 200 && !answer.headers.contains_key(ETAG))
    });
    keys.map(|keys| keys.looked.url.to_string())
        .into_iter()
        .collect()
}

/// Of the first answer over https of an issuer with users: keys alone are for no browser.
fn no_hsts(seen: &Seen) -> Vec<String> {
    let first = seen
        .answers()
        .find(|(url, _)| url.scheme() == "https")
        .filter(|_| seen.has_users());
    let missing =
        first.filter(|(_, answer)| !answer.headers.contains_key(STRICT_TRANSPORT_SECURITY));
    missing
        .map(|(url, _)| format!("{url} is without `Strict-Transport-Security`"))
        .into_iter()
        .collect()
}

fn slow(seen: &Seen) -> Vec<String> {
    let patience = KeySettings::default().patience;
    let slow =
        looked(seen).filter(|(_, answer)| answer.took > patience.min(Duration::from_secs(1)));
    slow.map(|(looked, answer)| format!("{}: {} ms", looked.url, answer.took.as_millis()))
        .collect()
}

fn large(seen: &Seen) -> Vec<String> {
    let bound = seen.limits.document_bytes;
    let large = looked(seen).filter(|(_, answer)| answer.body.len() > bound / 2);
    large
        .map(|(looked, answer)| format!("{}: {} of {bound} bytes", looked.url, answer.body.len()))
        .collect()
}
