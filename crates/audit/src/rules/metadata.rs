//! The metadata as a document (RFC 8414; OpenID Connect Discovery 1.0).

use crate::evidence::{quote_list, when};
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
        cure: "serve it under `/.well-known/openid-configuration`; or pass its address with \
            `--metadata-url` (`metadata_url` in our settings), or the kind of provider with \
            `--profile` (`profile`)",
        check: RuleCheck::Issuer(missing),
    },
    Rule {
        id: "audit.metadata_unreadable",
        severity: Severity::Error,
        section: "RFC 8414, section 3.2",
        title: "the metadata cannot be read strictly",
        cure: "respond with one JSON object without repeated members, within the bounds on \
            documents",
        check: RuleCheck::Issuer(unreadable),
    },
    Rule {
        id: "audit.metadata_page",
        severity: Severity::Note,
        section: "RFC 8414, section 3.2",
        title: "a web page stands where metadata may be",
        cure: "respond with 404 there: a client that asks this address first cannot tell a page \
            from metadata",
        check: RuleCheck::Issuer(page),
    },
    Rule {
        id: "audit.issuer_mismatch",
        severity: Severity::Error,
        section: "RFC 8414, section 3.3",
        title: "the metadata belongs to another issuer",
        cure: "if it is your issuer in another spelling, use it exactly as the metadata spells it, \
            with its final slash; if that name is not yours, stop: somebody else answers here",
        check: RuleCheck::Issuer(issuer_mismatch),
    },
    Rule {
        id: "audit.metadata_refused",
        severity: Severity::Error,
        section: "RFC 8414, section 2",
        title: "a server of ours refuses the metadata",
        cure: "write every endpoint as an absolute https URL without user information",
        check: RuleCheck::Issuer(server_refusal),
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
        title: "the well-known addresses serve different metadata",
        cure: "serve one document at both: each client chooses an address, and would use other \
            endpoints than the next",
        check: RuleCheck::Issuer(forms_differ),
    },
    Rule {
        id: "audit.signed_metadata",
        severity: Severity::Warning,
        section: "RFC 8414, section 2.1",
        title: "the signed metadata cannot be verified",
        cure: "sign it with a published key and put the issuer into its `iss`, or leave \
            `signed_metadata` out",
        check: RuleCheck::Issuer(signed_metadata),
    },
];

fn missing(observation: &Observation) -> Vec<String> {
    // Over a connection that is not trusted nothing is fetched: the certificate is the fault then.
    let mut responses = observation.metadata.iter();
    if observation.is_untrusted() && responses.all(|it| it.inspection.answer.is_err()) {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    for response in &observation.metadata {
        if response.document.is_some() {
            return Vec::new();
        }
        let url = &response.inspection.url;
        // A page with status 200 is the usual answer of a single-page application.
        reasons.push(match &response.inspection.answer {
            Ok(_) if response.is_page() => format!("{url}: the answer was a web page"),
            Ok(answer) => format!("{url}: the answer was {}", answer.status),
            Err(reason) => format!("{url}: {reason}"),
        });
    }
    when(!reasons.is_empty(), reasons.join("; "))
}

fn page(observation: &Observation) -> Vec<String> {
    // Without any metadata, `missing` gives the page as its reason.
    if observation.metadata_object().is_none() {
        return Vec::new();
    }
    let mut evidence = Vec::new();
    for response in &observation.metadata {
        if response.is_page() {
            let url = &response.inspection.url;
            evidence.push(format!("{url}: a web page with status 200"));
        }
    }
    evidence
}

fn unreadable(observation: &Observation) -> Vec<String> {
    let mut evidence = Vec::new();
    for response in &observation.metadata {
        if let Some(Err(fault)) = &response.document {
            evidence.push(format!("{}: {fault}", response.inspection.url));
        }
    }
    evidence
}

fn issuer_mismatch(observation: &Observation) -> Vec<String> {
    let mut evidence = Vec::new();
    for (response, object) in observation.documents() {
        let url = &response.inspection.url;
        match text(object, "issuer") {
            Some(issuer) if issuer == observation.issuer.as_str() => {}
            Some(issuer) => evidence.push(format!("{url} has `issuer` {}", quote(issuer))),
            None => evidence.push(format!("{url} names no `issuer`")),
        }
    }
    evidence
}

fn text<'o>(object: &'o Object, name: &str) -> Option<&'o str> {
    object.get(name)?.as_str()
}

/// Reads the metadata as a server does. Another issuer and a missing key set have their own rules.
fn server_refusal(observation: &Observation) -> Vec<String> {
    let (Some(response), Some(object)) =
        (observation.metadata_in_use(), observation.metadata_object())
    else {
        return Vec::new();
    };
    let issuer = &observation.issuer;
    if text(object, "issuer") != Some(issuer.as_str()) || text(object, "jwks_uri").is_none() {
        return Vec::new();
    }
    let Ok(answer) = &response.inspection.answer else {
        return Vec::new();
    };
    match Metadata::parse(&answer.body, issuer, &observation.limits) {
        Err(reason) => vec![format!("{}: {reason}", response.inspection.url)],
        Ok(_) => Vec::new(),
    }
}

fn no_jwks_uri(observation: &Observation) -> Vec<String> {
    when(
        observation.metadata_object().is_some() && observation.text("jwks_uri").is_none(),
        "`jwks_uri` is not there, or not a string",
    )
}

fn members_missing(observation: &Observation) -> Vec<String> {
    let Some(response) = observation.metadata_in_use() else {
        return Vec::new();
    };
    let types = observation.list("response_types_supported");
    let code = types
        .unwrap_or_default()
        .iter()
        .any(|it| it.contains("code"));
    // An issuer for workloads has neither users nor a token endpoint, and needs neither address.
    let gives_tokens = observation.has("token_endpoint") || observation.has_users();
    let mut missing = Vec::new();
    for (name, is_needed) in [
        ("response_types_supported", true),
        ("subject_types_supported", response.is_openid()),
        (
            "id_token_signing_alg_values_supported",
            response.is_openid(),
        ),
        ("authorization_endpoint", gives_tokens && code),
        ("token_endpoint", observation.has_users() && code),
    ] {
        if is_needed && !observation.has(name) {
            missing.push(name);
        }
    }
    if observation.metadata_object().is_none() || missing.is_empty() {
        return Vec::new();
    }
    vec![format!("not there: {}", quote_list(missing))]
}

fn member_types(observation: &Observation) -> Vec<String> {
    let Some(metadata) = observation.metadata_object() else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    for (name, value) in metadata.iter() {
        if !has_its_type(name, value) {
            wrong.push(format!("{} is {}", quote(name), value.type_name()));
        }
    }
    when(!wrong.is_empty(), wrong.join(", "))
}

/// Whether a member has the type of the standards; members that they do not define may have any.
fn has_its_type(name: &str, value: &Json) -> bool {
    if matches!(value, Json::Null) {
        return true;
    }
    // A string in the place of a list of one is the usual slip.
    if LISTS.contains(&name) {
        return match value.as_array() {
            Some(list) => list.iter().all(|element| element.as_str().is_some()),
            None => false,
        };
    }
    if CHOICES.contains(&name) {
        return value.as_bool().is_some();
    }
    let is_url = name.ends_with("_endpoint") || name == "jwks_uri";
    !is_url || value.as_str().is_some()
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

/// The members that decide where secrets and users go.
const DECISIVE: [&str; 4] = [
    "issuer",
    "jwks_uri",
    "authorization_endpoint",
    "token_endpoint",
];

fn forms_differ(observation: &Observation) -> Vec<String> {
    // Clients read one form or the other, so both must lead to the same places.
    let mut documents = observation.documents();
    let Some((first, object)) = documents.next() else {
        return Vec::new();
    };
    let mut evidence = Vec::new();
    for (response, other) in documents {
        let mut members = Vec::new();
        for name in DECISIVE {
            if text(object, name) != text(other, name) {
                members.push(name);
            }
        }
        if !members.is_empty() {
            evidence.push(format!(
                "{} and {} differ in {}",
                first.inspection.url,
                response.inspection.url,
                quote_list(members)
            ));
        }
    }
    evidence
}

fn signed_metadata(observation: &Observation) -> Vec<String> {
    let Some(text) = observation.text("signed_metadata") else {
        return Vec::new();
    };
    // It holds a document, so it may be as long as one.
    let limits = Limits {
        token_bytes: observation.limits.document_bytes,
        ..observation.limits
    };
    let Ok(jws) = compact::parse_jws(text, &limits) else {
        return vec!["it is no JWS that a server would read".to_owned()];
    };
    let mut evidence = Vec::new();
    // RFC 8414, section 2.1: its values take precedence, so a client must be able to check them.
    let is_signed = match &observation.keys {
        Some(set) => set
            .jwks
            .as_ref()
            .is_ok_and(|jwks| is_verified(&jws, jwks)),
        None => false,
    };
    if !is_signed {
        evidence.push("no published key verifies it".to_owned());
    }
    // RFC 8414, section 2.1: `iss` names the party that attests. Metadata of another issuer proves
    // nothing here.
    let is_own = match json::parse(jws.unverified_payload(), &limits) {
        Ok(Json::Object(claims)) => {
            claims.get("iss").and_then(Json::as_str) == Some(observation.issuer.as_str())
        }
        Ok(_) | Err(_) => false,
    };
    if !is_own {
        evidence.push("its `iss` is not this issuer".to_owned());
    }
    evidence
}
