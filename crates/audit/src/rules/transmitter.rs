//! What a transmitter of security events says about itself (SSF 1.0, section 7), and its keys.

use crate::rule::{Rule, RuleCheck, Severity};
use crate::transmitter::{ENDPOINTS, TransmitterObservation};
use portcullis_core::jose::json::Json;
use portcullis_core::rejection::quote;
use portcullis_core::token::issuer::is_loopback_host;
use portcullis_provider::address;
use url::Url;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.ssf_metadata_missing",
        severity: Severity::Error,
        section: "SSF 1.0, section 7.2",
        title: "the transmitter does not describe itself",
        cure: "serve one strict JSON object at `/.well-known/ssf-configuration`, which stands \
            before the path of the issuer; or pass its address with `--metadata-url`",
        check: RuleCheck::Transmitter(missing),
    },
    Rule {
        id: "audit.ssf_issuer",
        severity: Severity::Error,
        section: "SSF 1.0, section 7.2.4",
        title: "the metadata is of another issuer",
        cure: "write `issuer` as receivers have it and as `iss` of events is, character for \
            character; they discard the document otherwise",
        check: RuleCheck::Transmitter(identity),
    },
    Rule {
        id: "audit.ssf_plain_http",
        severity: Severity::Error,
        section: "SSF 1.0, section 7.1",
        title: "the transmitter uses plain HTTP",
        cure: "serve it over https: tokens and events cross the network unencrypted",
        check: RuleCheck::Transmitter(plain_http),
    },
    Rule {
        id: "audit.ssf_endpoint",
        severity: Severity::Error,
        section: "SSF 1.0, section 7.1",
        title: "an endpoint of the transmitter cannot be used",
        cure: "write an absolute https URL without user information, at an address that receivers \
            reach",
        check: RuleCheck::Transmitter(endpoints),
    },
    Rule {
        id: "audit.ssf_member_type",
        severity: Severity::Error,
        section: "SSF 1.0, section 7.1",
        title: "members of the metadata have the wrong type",
        cure: "write lists as arrays of strings, addresses as strings, and each authorization \
            scheme as an object with `spec_urn`",
        check: RuleCheck::Transmitter(types),
    },
    Rule {
        id: "audit.ssf_keys",
        severity: Severity::Error,
        section: "SSF 1.0, section 7.1",
        title: "the events of the transmitter cannot be verified",
        cure: "publish `jwks_uri` with a public key for signatures that receivers can use",
        check: RuleCheck::Transmitter(keys),
    },
    Rule {
        id: "audit.ssf_key_unusable",
        severity: Severity::Warning,
        section: "RFC 7517, section 5",
        title: "receivers leave out a key of the transmitter",
        cure: "replace it by an EC key, an Ed25519 key, or an RSA key of 2048 to 8192 bits, or \
            see that no event is signed with it",
        check: RuleCheck::Transmitter(unusable_keys),
    },
    Rule {
        id: "audit.ssf_rs256_missing",
        severity: Severity::Note,
        section: "CAEP Interoperability Profile 1.0, section 2.6",
        title: "no key is fit for RS256",
        cure: "ignore this if the receivers know other algorithms; the profile wants RS256",
        check: RuleCheck::Transmitter(no_rs256),
    },
    Rule {
        id: "audit.ssf_spec_version",
        severity: Severity::Warning,
        section: "SSF 1.0, section 7.1",
        title: "the transmitter does not follow the final specification",
        cure: "follow it, and say so: `\"spec_version\": \"1_0\"`; without it, receivers assume \
            the first draft",
        check: RuleCheck::Transmitter(version),
    },
    Rule {
        id: "audit.ssf_elsewhere",
        severity: Severity::Note,
        section: "SSF 1.0, section 8",
        title: "an endpoint is at another site than the issuer",
        cure: "see that the site is the transmitter's: receivers send their access tokens there",
        check: RuleCheck::Transmitter(elsewhere),
    },
    Rule {
        id: "audit.ssf_media_type",
        severity: Severity::Warning,
        section: "SSF 1.0, section 7.2",
        title: "the metadata is not sent as JSON",
        cure: "send it with `Content-Type: application/json`",
        check: RuleCheck::Transmitter(media_type),
    },
];

/// The evidence, if it is so.
pub(super) fn evidence(is_so: bool, text: &str) -> Vec<String> {
    match is_so {
        true => vec![text.to_owned()],
        false => Vec::new(),
    }
}

/// A member that should be there, where there is a document at all.
pub(super) fn absence(transmitter: &TransmitterObservation, name: &str) -> Vec<String> {
    let lacks = transmitter.document.is_ok() && transmitter.member(name).is_none();
    evidence(lacks, &format!("there is no `{name}`"))
}

fn missing(transmitter: &TransmitterObservation) -> Vec<String> {
    match &transmitter.document {
        Ok(_) => Vec::new(),
        Err(reason) => vec![format!("{}: {reason}", transmitter.metadata.url)],
    }
}

fn identity(transmitter: &TransmitterObservation) -> Vec<String> {
    if transmitter.document.is_err() {
        return Vec::new();
    }
    match transmitter.text("issuer") {
        Some(named) if named == transmitter.issuer.as_str() => Vec::new(),
        Some(named) => vec![format!("`issuer` is {}", quote(named))],
        None => vec!["there is no `issuer`".to_owned()],
    }
}

fn plain_http(transmitter: &TransmitterObservation) -> Vec<String> {
    let mut found = Vec::new();
    let issuer = ("issuer", Some(transmitter.issuer.as_str()));
    let endpoints = ENDPOINTS.map(|name| (name, transmitter.text(name)));
    for (name, text) in [issuer].into_iter().chain(endpoints) {
        if let Some(text) = text
            && is_plain(text)
        {
            found.push(format!("`{name}` is {}", quote(text)));
        }
    }
    found
}

/// Whether a URL is http beyond this machine, which has no network that could listen.
fn is_plain(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| url.scheme() == "http" && !url.host_str().is_some_and(is_loopback_host))
}

fn endpoints(transmitter: &TransmitterObservation) -> Vec<String> {
    let is_inside = |text: &str| address::parse(text).is_ok_and(|url| address::is_inside(&url));
    let mut found = Vec::new();
    for name in ENDPOINTS {
        let Some(text) = transmitter.text(name).filter(|it| !is_plain(it)) else {
            continue;
        };
        match address::parse_fetchable(text, false) {
            Err(reason) => found.push(format!("`{name}`: {reason}")),
            Ok(_) if is_inside(text) && !is_inside(transmitter.issuer.as_str()) => {
                found.push(format!(
                    "`{name}`: it leads inside, and the issuer does not"
                ));
            }
            Ok(_) => {}
        }
    }
    found
}

fn types(transmitter: &TransmitterObservation) -> Vec<String> {
    let mut found = Vec::new();
    for name in ENDPOINTS.into_iter().chain(["issuer", "spec_version"]) {
        if let Some(value) = transmitter.member(name)
            && value.as_str().is_none()
        {
            found.push(format!("`{name}` is {}", value.type_name()));
        }
    }
    for name in ["delivery_methods_supported", "critical_subject_members"] {
        let is_list = |value: &Json| match value {
            Json::Array(elements) => elements.iter().all(|it| it.as_str().is_some()),
            _ => false,
        };
        if transmitter.member(name).is_some_and(|it| !is_list(it)) {
            found.push(format!("`{name}` is no list of strings"));
        }
    }
    let is_scheme = |scheme: &Json| {
        let urn = scheme.as_object().and_then(|it| it.get("spec_urn"));
        urn.and_then(Json::as_str).is_some()
    };
    let schemes = transmitter.member("authorization_schemes");
    let are_schemes = |value: &Json| {
        value
            .as_array()
            .is_some_and(|it| it.iter().all(is_scheme))
    };
    if schemes.is_some_and(|it| !are_schemes(it)) {
        found.push("`authorization_schemes` is no list of objects with `spec_urn`".to_owned());
    }
    let subjects = transmitter.member("default_subjects");
    if subjects.is_some_and(|it| !matches!(it.as_str(), Some("ALL" | "NONE"))) {
        found.push("`default_subjects` is neither `ALL` nor `NONE`".to_owned());
    }
    found
}

fn keys(transmitter: &TransmitterObservation) -> Vec<String> {
    match &transmitter.keys {
        None => absence(transmitter, "jwks_uri"),
        Some(keys) => match &keys.jwks {
            Ok(_) => Vec::new(),
            Err(reason) => vec![format!("{}: {reason}", keys.inspection.url)],
        },
    }
}

fn unusable_keys(transmitter: &TransmitterObservation) -> Vec<String> {
    let mut found = Vec::new();
    // Of a set without any usable key, the rule above tells.
    let keys = transmitter.keys.as_ref().filter(|it| it.jwks.is_ok());
    for key in keys.into_iter().flat_map(|it| &it.keys) {
        if let Err(fault) = &key.verdict
            && !key.is_for_others()
        {
            found.push(format!("{}: {fault}", key.name()));
        }
    }
    found
}

fn no_rs256(transmitter: &TransmitterObservation) -> Vec<String> {
    let Some(keys) = transmitter.keys.as_ref().filter(|it| it.jwks.is_ok()) else {
        return Vec::new();
    };
    let fits = keys.keys.iter().any(|key| {
        key.verdict.is_ok()
            && key.text("kty") == Some("RSA")
            && matches!(key.text("alg"), None | Some("RS256"))
    });
    evidence(!fits, "none of the usable keys is an RSA key for RS256")
}

fn version(transmitter: &TransmitterObservation) -> Vec<String> {
    match transmitter.text("spec_version") {
        // Drafts have a suffix, such as `1_0-ID3`; later versions begin in another way.
        Some(version) => evidence(
            version.contains('-') || !version.contains('_'),
            &format!("`spec_version` is {}", quote(version)),
        ),
        None => absence(transmitter, "spec_version"),
    }
}

fn elsewhere(transmitter: &TransmitterObservation) -> Vec<String> {
    let host_of = |text: &str| {
        let url = Url::parse(text).ok()?;
        Some(url.host_str()?.to_owned())
    };
    let Some(own) = host_of(transmitter.issuer.as_str()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    // Keys are public: no token goes there.
    for name in ENDPOINTS
        .into_iter()
        .filter(|name| *name != "jwks_uri")
    {
        if let Some(host) = transmitter.text(name).and_then(host_of)
            && site(&host) != site(&own)
        {
            found.push(format!("`{name}` is at {}", quote(&host)));
        }
    }
    found
}

/// The last two parts of a name: near enough for a note, without a list of public suffixes.
fn site(host: &str) -> &str {
    let is_address = host.starts_with('[') || host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let start = match is_address {
        true => None,
        false => host.rmatch_indices('.').nth(1),
    };
    start
        .and_then(|(at, _)| host.get(at + 1..))
        .unwrap_or(host)
}

fn media_type(transmitter: &TransmitterObservation) -> Vec<String> {
    let Some(answer) = transmitter
        .answer()
        .filter(|_| transmitter.document.is_ok())
    else {
        return Vec::new();
    };
    let sent = answer
        .headers
        .get("content-type")
        .map_or("", |value| value.to_str().unwrap_or("unreadable"));
    let bare = sent.split(';').next().unwrap_or_default().trim();
    evidence(
        !bare.eq_ignore_ascii_case("application/json"),
        &format!("`Content-Type` is {}", quote(sent)),
    )
}
