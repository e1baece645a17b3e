//! What an API says about itself (RFC 9728).

use crate::resource::ResourceObservation;
use crate::rule::{Rule, RuleCheck, Severity};
use portcullis_core::rejection::quote;
use portcullis_core::token::issuer::is_loopback_host;
use url::Url;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.resource_metadata_missing",
        severity: Severity::Error,
        section: "RFC 9728, section 3.2",
        title: "the API does not describe itself",
        cure: "serve the metadata as JSON to everybody, at the well-known address before the path \
            (`[[resource]]` in our settings)",
        check: RuleCheck::Resource(missing),
    },
    Rule {
        id: "audit.resource_identity",
        severity: Severity::Error,
        section: "RFC 9728, section 3.3",
        title: "the metadata is of another resource",
        cure: "write `resource` as clients have the URL, code point for code point; they discard \
            the document otherwise",
        check: RuleCheck::Resource(identity),
    },
    Rule {
        id: "audit.resource_plain_http",
        severity: Severity::Error,
        section: "RFC 9728, section 2",
        title: "the resource uses plain HTTP",
        cure: "serve it over https: tokens cross the network unencrypted",
        check: RuleCheck::Resource(plain_http),
    },
    Rule {
        id: "audit.resource_issuer_missing",
        severity: Severity::Error,
        section: "RFC 9728, section 2",
        title: "the metadata names no issuer",
        cure: "list the issuers in `authorization_servers`",
        check: RuleCheck::Resource(no_issuer),
    },
    Rule {
        id: "audit.resource_issuer",
        severity: Severity::Error,
        section: "RFC 9728, section 7.6",
        title: "an issuer of the resource cannot be used",
        cure: "write each issuer exactly as its own metadata has it, and see that clients reach it",
        check: RuleCheck::Resource(issuers),
    },
    Rule {
        id: "audit.resource_bearer_methods",
        severity: Severity::Warning,
        section: "RFC 9700, section 4.3.2",
        title: "the API takes tokens in queries or forms",
        cure: "take them in the header `Authorization` only, and say so",
        check: RuleCheck::Resource(bearer_methods),
    },
    Rule {
        id: "audit.resource_scopes",
        severity: Severity::Warning,
        section: "RFC 9728, section 2",
        title: "the API lists `offline_access` among its scopes",
        cure: "list what its operations need: clients that ask for all get grants without an end",
        check: RuleCheck::Resource(scopes),
    },
    Rule {
        id: "audit.resource_cors",
        severity: Severity::Note,
        section: "RFC 9728, section 3.1",
        title: "pages cannot read the metadata",
        cure: "answer with `Access-Control-Allow-Origin: *`: the document is public",
        check: RuleCheck::Resource(cors),
    },
];

fn missing(resource: &ResourceObservation) -> Vec<String> {
    let reason = resource.document.as_ref().err();
    let url = &resource.metadata.url;
    reason
        .map(|reason| format!("{url}: {reason}"))
        .into_iter()
        .collect()
}

fn identity(resource: &ResourceObservation) -> Vec<String> {
    if resource.document.is_err() {
        return Vec::new();
    }
    match resource.text("resource") {
        Some(named) if named == resource.asked => Vec::new(),
        Some(named) => vec![format!("`resource` is {}", quote(named))],
        None => vec!["there is no `resource`".to_owned()],
    }
}

fn plain_http(resource: &ResourceObservation) -> Vec<String> {
    let mut evidence = Vec::new();
    for text in [Some(&*resource.asked), resource.text("resource")]
        .into_iter()
        .flatten()
    {
        // A server on this machine has no network that could listen.
        if let Ok(url) = Url::parse(text)
            && url.scheme() == "http"
            && !url.host_str().is_some_and(is_loopback_host)
        {
            evidence.push(quote(text));
        }
    }
    evidence.dedup();
    evidence
}

fn no_issuer(resource: &ResourceObservation) -> Vec<String> {
    let lacks = resource.document.is_ok() && resource.texts("authorization_servers").is_empty();
    lacks
        .then(|| "`authorization_servers` is absent or empty".to_owned())
        .into_iter()
        .collect()
}

fn issuers(resource: &ResourceObservation) -> Vec<String> {
    let mut evidence = Vec::new();
    for (issuer, found) in &resource.issuers {
        if let Err(reason) = found {
            evidence.push(format!("{}: {reason}", quote(issuer)));
        }
    }
    evidence
}

fn bearer_methods(resource: &ResourceObservation) -> Vec<String> {
    let mut evidence = Vec::new();
    for method in resource.texts("bearer_methods_supported") {
        if method != "header" {
            evidence.push(format!("`bearer_methods_supported` has {}", quote(method)));
        }
    }
    evidence
}

fn scopes(resource: &ResourceObservation) -> Vec<String> {
    let lists = resource
        .texts("scopes_supported")
        .contains(&"offline_access");
    let evidence = lists.then(|| "`scopes_supported` has `offline_access`".to_owned());
    evidence.into_iter().collect()
}

fn cors(resource: &ResourceObservation) -> Vec<String> {
    let Some(answer) = resource.answer().filter(|_| resource.document.is_ok()) else {
        return Vec::new();
    };
    match answer.headers.get("access-control-allow-origin") {
        Some(value) if value == "*" => Vec::new(),
        Some(_) => vec!["`Access-Control-Allow-Origin` names some origin".to_owned()],
        None => vec!["there is no `Access-Control-Allow-Origin`".to_owned()],
    }
}
