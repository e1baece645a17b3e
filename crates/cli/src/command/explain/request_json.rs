//! The explanation of a request as JSON. Documented in docs/explain.md: members are added, and
//! never removed.

use super::json;
use super::request::RoutePlace;
use portcullis_core::policy::DemandStep;
use portcullis_core::token::AccessToken;
use portcullis_gateway::{
    Access, CertificateExplanation, RequestExplanation, RequestVerdict, RouteExplanation,
    VerdictKind,
};
use serde_json::{Map, Value, json};

pub(super) fn document(explanation: &RequestExplanation, place: &RoutePlace<'_>) -> Value {
    let verdict = &explanation.verdict;
    let demands: Vec<Value> = explanation.demands.iter().map(demand).collect();
    let failed = explanation.failed_policies.iter();
    let failed: Vec<Value> = failed
        .map(|(policy, reason)| json!({ "policy": policy, "reason": reason }))
        .collect();
    json!({
        "request": {
            "method": explanation.method,
            "host": explanation.host,
            "path": explanation.path,
            "certificate": explanation.certificate.as_ref().map(certificate),
        },
        "route": explanation.route.as_ref().map(|it| route(it, place)),
        "resource": explanation.resource.as_ref().map(|it| json!({
            "url": it.url,
            "metadata": it.metadata_url,
        })),
        "needs_token": explanation.needs_token,
        "token": explanation.token.as_ref().map(json::checks),
        "caller": explanation.caller.as_ref().map(caller),
        "demands": demands,
        "policies": { "determining": explanation.policies, "failed": failed },
        "verdict": {
            "outcome": outcome(verdict.kind),
            "status": verdict.status,
            "code": verdict.code,
            "facts": verdict.facts,
            "cure": verdict.cure,
            "who": verdict.parties.iter().map(|party| party.as_str()).collect::<Vec<_>>(),
        },
        "response": response(verdict),
        "forward": verdict.forward.as_ref().map(|forward| json!({
            "upstream": forward.upstream,
            "target": forward.target,
            "identity_headers": forward.identity_headers,
        })),
    })
}

fn certificate(certificate: &CertificateExplanation) -> Value {
    json!({
        "header": certificate.header,
        "x5t#S256": certificate.thumbprint,
        "fault": certificate.fault,
    })
}

fn outcome(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::Forwarded => "forwarded",
        VerdictKind::Answered => "answered",
        VerdictKind::Refused => "refused",
        // A verdict that this version does not know is no leave to pass.
        _ => "undecided",
    }
}

fn route(route: &RouteExplanation, place: &RoutePlace<'_>) -> Value {
    let access = match &route.access {
        Access::Public => "public",
        Access::Optional(_) => "optional",
        Access::Required(_) => "token",
    };
    json!({
        "name": route.name,
        "index": route.index,
        "line": place.line,
        "path": route.path,
        "methods": route.methods,
        "hosts": route.hosts,
        "access": access,
        "demand": route.access.to_string(),
        "near": route.near,
    })
}

fn demand(step: &DemandStep) -> Value {
    json!({
        "depth": step.depth,
        "demand": step.demand,
        "met": step.met,
        "found": step.found,
        "who": step.party.map(|party| party.as_str()),
    })
}

fn caller(token: &AccessToken) -> Value {
    let mut caller = json!({ "issuer": token.issuer().as_str() });
    // The same members as in the report on a token: a program reads both with one type.
    if let (Value::Object(caller), Value::Object(identity)) =
        (&mut caller, json::identity(token.identity()))
    {
        caller.extend(identity);
    }
    caller
}

/// What the client gets; `null` where the upstream answers.
fn response(verdict: &RequestVerdict) -> Option<Value> {
    let status = verdict.status?;
    let mut headers = Map::new();
    for (name, value) in &verdict.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.insert(name.to_string(), value.into());
    }
    // The gateway writes its own responses as problem details (RFC 9457), which are JSON.
    let body: Value = serde_json::from_slice(&verdict.body).unwrap_or_default();
    Some(json!({ "status": status, "headers": headers, "body": body }))
}
