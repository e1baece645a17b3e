//! The metadata as a document (RFC 8414; OpenID Connect Discovery 1.0).

use crate::evidence::{quote_list, when};
use crate::observation::MetadataResponse;
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use crate::sample::is_verified;
use portcullis_core::Limits;
use portcullis_core::jose::compact;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::rejection::quote;
use portcullis_resource_server::Metadata;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.metadata_missing",
        severity: Severity::Error,
        section: "RFC 8414, section 3",
        title: "there is no metadata",
        cure: "serve it under `/.well-known/openid-configuration`; or name it with \
            `--metadata-url` (`metadata_url` in our settings), or the kind of provider with \
            `--profile` (`profile`)",
        check: RuleCheck::Issuer(missing),
    },
    Rule {
        id: "audit.metadata_unreadable",
        severity: Severity::Error,
        section: "RFC 8414, section 3.2",
        title: "the metadata cannot be read strictly",
        cure: "answer with one JSON object in which no member stands twice, within the bounds on \
            documents",
        check: RuleCheck::Issuer(unreadable),
    },
    Rule {
        id: "audit.metadata_page",
        severity: Severity::Note,
        section: "RFC 8414, section 3.2",
        title: "a web page stands where metadata may be",
        cure: "answer 404 there: a client that asks this address first has to guess that the page \
            is no metadata",
        check: RuleCheck::Issuer(page),
    },
    Rule {
        id: "audit.issuer_mismatch",
        severity: Severity::Error,
        section: "RFC 8414, section 3.3",
        title: "the metadata is of another issuer",
        cure: "use the issuer letter by letter as the metadata has it, final slash included",
        check: RuleCheck::Issuer(issuer_mismatch),
    },
    Rule {
        id: "audit.metadata_refused",
        severity: Severity::Error,
        section: "RFC 8414, section 2",
        title: "a server of ours does not take the metadata into use",
        cure: "write every endpoint as an absolute https URL without user information",
        check: RuleCheck::Issuer(refused),
    },
    Rule {
        id: "audit.jwks_uri_missing",
        severity: Severity::Error,
        section: "RFC 8414, section 2",
        title: "the metadata names no key set",
        cure: "publish `jwks_uri`: without keys nobody but the issuer can verify its tokens",
        check: RuleCheck::Issuer(no_jwks_uri),
    },
    Rule {
        id: "audit.member_missing",
        severity: Severity::Warning,
        section: "OpenID Connect Discovery 1.0, section 3",
        title: "the metadata lacks required members",
        cure: "publish them: clients that follow the standard refuse the document otherwise",
        check: RuleCheck::Issuer(members_missing),
    },
    Rule {
        id: "audit.member_type",
        severity: Severity::Warning,
        section: "RFC 8414, section 2",
        title: "members of the metadata have the wrong type",
        cure: "write lists as arrays of strings, addresses as strings, and choices as true or \
            false",
        check: RuleCheck::Issuer(member_types),
    },
    Rule {
        id: "audit.forms_differ",
        severity: Severity::Warning,
        section: "RFC 8414, section 5",
        title: "the well-known addresses give different metadata",
        cure: "serve one document at both: clients choose the address, and would not mean the same \
            endpoints",
        check: RuleCheck::Issuer(forms_differ),
    },
    Rule {
        id: "audit.signed_metadata",
        severity: Severity::Warning,
        section: "RFC 8414, section 2.1",
        title: "the signed metadata does not hold",
        cure: "sign it with a published key and put the issuer into its `iss`, or leave \
            `signed_metadata` out",
        check: RuleCheck::Issuer(signed_metadata),
    },
];

fn missing(observation: &Observation) -> Vec<String> {
    let asked = !observation.metadata.is_empty()
        && observation
            .metadata
            .iter()
            .all(|response| response.document.is_none());
    when(asked, || {
        let told = observation
            .metadata
            .iter()
            .map(|response| match &response.inspection.answer {
                Ok(_) if response.is_page() => {
                    format!("{}: the answer was a web page", response.inspection.url)
                }
                Ok(answer) => format!(
                    "{}: the answer was {}",
                    response.inspection.url, answer.status
                ),
                Err(reason) => format!("{}: {reason}", response.inspection.url),
            });
        told.collect::<Vec<_>>().join("; ")
    })
}

/// Beside metadata; where there is none, the page is told as the reason.
fn page(observation: &Observation) -> Vec<String> {
    let pages = observation
        .metadata
        .iter()
        .filter(|response| response.is_page() && observation.metadata_object().is_some());
    pages
        .map(|response| format!("{}: a web page with status 200", response.inspection.url))
        .collect()
}

fn unreadable(observation: &Observation) -> Vec<String> {
    let fault = |response: &MetadataResponse| {
        Some(format!(
            "{}: {}",
            response.inspection.url,
            response.document.as_ref()?.as_ref().err()?
        ))
    };
    observation.metadata.iter().filter_map(fault).collect()
}

fn issuer_mismatch(observation: &Observation) -> Vec<String> {
    let named = |object: &Object| {
        object
            .get("issuer")
            .and_then(Json::as_str)
            .map(str::to_owned)
    };
    let wrong = observation
        .documents()
        .filter(|(_, object)| named(object).as_deref() != Some(observation.issuer.as_str()));
    let told = wrong.map(|(response, object)| match named(object) {
        Some(other) => format!("{} has `issuer` {}", response.inspection.url, quote(&other)),
        None => format!("{} names no `issuer`", response.inspection.url),
    });
    told.collect()
}

/// By the server's own reading, where neither the issuer nor a missing key set is the reason: those
/// have their rules.
fn refused(observation: &Observation) -> Vec<String> {
    let Some(response) = observation.metadata_in_use() else {
        return Vec::new();
    };
    let text = |name: &str| {
        observation
            .metadata_object()
            .and_then(|object| object.get(name))
            .and_then(Json::as_str)
    };
    let own = text("issuer") == Some(observation.issuer.as_str()) && text("jwks_uri").is_some();
    let answer = response.inspection.answer.as_ref().ok().filter(|_| own);
    let read = answer
        .map(|answer| Metadata::parse(&answer.body, &observation.issuer, &observation.limits));
    read.and_then(Result::err)
        .map(|reason| format!("{}: {reason}", response.inspection.url))
        .into_iter()
        .collect()
}

fn no_jwks_uri(observation: &Observation) -> Vec<String> {
    let wrong = observation.metadata_object().is_some() && observation.text("jwks_uri").is_none();
    when(wrong, || {
        "`jwks_uri` is not there, or not a string".to_owned()
    })
}

/// An issuer that has no users and no token endpoint, as clouds have for their workloads, needs
/// neither address.
fn members_missing(observation: &Observation) -> Vec<String> {
    let openid = observation
        .metadata_in_use()
        .is_some_and(MetadataResponse::is_openid);
    let hands_out = observation.has("token_endpoint") || observation.has_users();
    let code = observation
        .list("response_types_supported")
        .unwrap_or_default()
        .iter()
        .any(|name| name.contains("code"));
    let required = [
        ("response_types_supported", true),
        ("subject_types_supported", openid),
        ("id_token_signing_alg_values_supported", openid),
        ("authorization_endpoint", hands_out && code),
        ("token_endpoint", observation.has_users() && code),
    ];
    let missing = required
        .iter()
        .filter(|(name, needed)| *needed && !observation.has(name));
    let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
    when(
        observation.metadata_object().is_some() && !missing.is_empty(),
        || format!("not there: {}", quote_list(missing)),
    )
}

fn member_types(observation: &Observation) -> Vec<String> {
    let Some(metadata) = observation.metadata_object() else {
        return Vec::new();
    };
    let wrong = |(name, value): &(&str, &Json)| match (*name, value) {
        (_, Json::Null) => false,
        (name, value) if LISTS.contains(&name) => !value
            .as_array()
            .is_some_and(|list| list.iter().all(|element| element.as_str().is_some())),
        (name, value) if CHOICES.contains(&name) => value.as_bool().is_none(),
        (name, value) => {
            (name.ends_with("_endpoint") || name == "jwks_uri") && value.as_str().is_none()
        }
    };
    let wrong: Vec<String> = metadata
        .iter()
        .filter(wrong)
        .map(|(name, value)| format!("{} is {}", quote(name), value.type_name()))
        .collect();
    when(!wrong.is_empty(), || wrong.join(", "))
}

const LISTS: &[&str] = &[
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "scopes_supported",
    "subject_types_supported",
    "code_challenge_methods_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_methods_supported",
    "id_token_signing_alg_values_supported",
    "id_token_encryption_alg_values_supported",
    "dpop_signing_alg_values_supported",
];

const CHOICES: &[&str] = &[
    "authorization_response_iss_parameter_supported",
    "require_pushed_authorization_requests",
    "tls_client_certificate_bound_access_tokens",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
    "backchannel_logout_supported",
];

/// Of the members that decide where secrets and users go.
fn forms_differ(observation: &Observation) -> Vec<String> {
    let mut documents = observation.documents();
    let Some((first, one)) = documents.next() else {
        return Vec::new();
    };
    let weighty = [
        "issuer",
        "jwks_uri",
        "authorization_endpoint",
        "token_endpoint",
    ];
    documents
        .filter_map(|(response, other)| {
            let text =
                |object: &Object, name| object.get(name).and_then(Json::as_str).map(str::to_owned);
            let differing: Vec<&str> = weighty
                .into_iter()
                .filter(|name| text(one, name) != text(other, name))
                .collect();
            (!differing.is_empty()).then(|| {
                format!(
                    "{} and {} differ in {}",
                    first.inspection.url,
                    response.inspection.url,
                    quote_list(differing)
                )
            })
        })
        .collect()
}

fn signed_metadata(observation: &Observation) -> Vec<String> {
    let Some(text) = observation.text("signed_metadata") else {
        return Vec::new();
    };
    let limits = Limits {
        token_bytes: observation.limits.document_bytes,
        ..observation.limits
    };
    let Ok(jws) = compact::parse_jws(text, &limits) else {
        return vec!["it is no JWS that a server would read".to_owned()];
    };
    let payload = json::parse(jws.unverified_payload(), &limits).ok();
    let iss = payload
        .as_ref()
        .and_then(|it| it.as_object()?.get("iss")?.as_str())
        .map(str::to_owned);
    let jwks = observation
        .keys
        .as_ref()
        .and_then(|keys| keys.jwks.as_ref().ok());
    let signed = jwks.is_some_and(|jwks| is_verified(&jws, jwks));
    let wrong_issuer = iss.as_deref() != Some(observation.issuer.as_str());
    let mut told = when(!signed, || "no published key verifies it".to_owned());
    told.extend(when(wrong_issuer, || {
        "its `iss` is not this issuer".to_owned()
    }));
    told
}
