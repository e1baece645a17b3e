//! The explanation of a request as a door: its verdict is the gateway's, and what it shows beside
//! the verdict fits to it.

use super::case::{Case, Outcome};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_core::policy::DemandStep;
use portcullis_gateway::{RequestExplainer, RequestExplanation, TrialRequest, VerdictKind};

/// What the explanation says that a client gets.
pub(super) async fn outcome(explainer: &RequestExplainer, case: &Case) -> Outcome {
    let mut headers = HeaderMap::new();
    for (name, value) in case.host_fields().iter().chain(&case.headers) {
        let name = HeaderName::try_from(name).unwrap();
        headers.append(name, HeaderValue::from_bytes(value).unwrap());
    }
    let request = TrialRequest::new(&case.method, &case.target, headers);
    let explanation = explainer.explain(request).await;
    check(&explanation, case);
    let verdict = &explanation.verdict;
    let outcome = Outcome::new(
        verdict.status.unwrap_or(200),
        &verdict.headers,
        &verdict.body,
    );
    assert_eq!(outcome.code, verdict.code.unwrap_or_default(), "{case:?}");
    outcome
}

/// The checks of the token and the parts of the requirement lead to the verdict.
fn check(explanation: &RequestExplanation, case: &Case) {
    let verdict = &explanation.verdict;
    let code = verdict.code.unwrap_or_default();
    let context = || format!("{case:?}: {explanation:?}");
    let is_met = |step: &DemandStep| step.depth > 0 || step.met == Some(true);
    let is_refused = matches!(verdict.kind, VerdictKind::Refused | VerdictKind::Undecided);
    assert_eq!(is_refused, verdict.cure.is_some(), "{}", context());
    assert_eq!(is_refused, !verdict.parties.is_empty(), "{}", context());
    // The request itself is at fault, whatever the token is.
    if code.starts_with("request.") {
        return;
    }
    match &explanation.token {
        Some(token) if verdict.kind == VerdictKind::Forwarded => {
            assert!(token.is_accepted(), "{}", context());
            assert!(explanation.demands.iter().all(is_met), "{}", context());
        }
        Some(token) if code.starts_with("policy.") || code == "outage.policy" => {
            assert!(token.is_accepted(), "{}", context());
            assert!(!explanation.demands.iter().all(is_met), "{}", context());
        }
        // Its issuer's audience is in order, and another resource is asked for.
        Some(token) if code == "token.audience" && token.is_accepted() => {
            assert!(!explanation.demands.iter().all(is_met), "{}", context());
        }
        // By itself a token does not show what the request has to prove.
        Some(token) if code.starts_with("proof.") => {
            let obstacle = token.first_obstacle().map(|step| step.code);
            let is_of_proof = obstacle.is_none_or(|found| found.starts_with("proof."));
            assert!(is_of_proof, "{}", context());
        }
        Some(token) => {
            let obstacle = token.first_obstacle().map(|step| step.code);
            assert_eq!(obstacle, Some(code), "{}", context());
        }
        // None was needed, or none was found.
        None => assert!(
            !is_refused || code.starts_with("credential.") || code == "token.malformed",
            "{}",
            context()
        ),
    }
}
