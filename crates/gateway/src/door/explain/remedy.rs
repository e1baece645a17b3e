//! What can be done about a request that does not pass, and who can do it.

use super::super::request_error::RequestError;
use crate::refusal::Refusal;
use portcullis_core::policy::DemandStep;
use portcullis_core::rejection::Party;
use portcullis_core::{Code, Denial};

/// What somebody can do about it.
pub(super) fn remedy_of(error: &RequestError, demands: &[DemandStep]) -> &'static str {
    match error {
        RequestError::Refusal(refusal) => remedy_of_refusal(refusal).0,
        RequestError::Denial(Denial::Rejection(rejection)) => match rejection.code() {
            // Only policies are unmet, and the requirement of the route does not show their text.
            Code::PolicyDenied if lacking(demands) == [Party::Operator] => {
                "change the policy that forbids it, or write one that permits it"
            }
            code => code.entry().cure,
        },
        RequestError::Denial(Denial::Outage(outage)) => outage.code().cure(),
    }
}

/// Who can do it. Where a permission is missing, these are the parties of what the token lacks.
pub(super) fn parties(error: &RequestError, demands: &[DemandStep]) -> Vec<Party> {
    match error {
        RequestError::Refusal(refusal) => vec![remedy_of_refusal(refusal).1],
        RequestError::Denial(Denial::Outage(outage)) => vec![outage.code().party()],
        RequestError::Denial(Denial::Rejection(rejection)) => {
            let code = rejection.code();
            let mut parties = match code {
                Code::PolicyDenied | Code::PolicyRole => lacking(demands),
                _ => Vec::new(),
            };
            if parties.is_empty() {
                parties.push(code.party());
            }
            parties
        }
    }
}

fn lacking(demands: &[DemandStep]) -> Vec<Party> {
    // Unknown counts as unmet: without a token, nothing is known of any part.
    let unmet = demands.iter().filter(|step| step.met != Some(true));
    let mut parties: Vec<Party> = unmet.filter_map(|step| step.party).collect();
    parties.sort();
    parties.dedup();
    parties
}

fn remedy_of_refusal(refusal: &Refusal) -> (&'static str, Party) {
    match refusal {
        Refusal::Path(_) => (
            "send the path in its one reading; docs/gateway/paths.md has the rule",
            Party::ClientDeveloper,
        ),
        Refusal::Target(_) | Refusal::Host(_) | Refusal::Original(_) => (
            "send one `Host`, and a target that is a path with an escaped query",
            Party::ClientDeveloper,
        ),
        Refusal::Misdirected => (
            "call a host of `gateway.hosts`, or add this one there",
            Party::Operator,
        ),
        Refusal::Method => (
            "send a method in capitals; CONNECT and TRACE are never forwarded",
            Party::ClientDeveloper,
        ),
        Refusal::Coding => (
            "send the body with `Content-Length`, or as `chunked` alone",
            Party::ClientDeveloper,
        ),
        Refusal::BodyTooLarge => (
            "send less, or raise `body_bytes` of the route",
            Party::Operator,
        ),
        Refusal::IdentityTooLong => (
            "have shorter claims in the token, or tell the upstream less of them",
            Party::Operator,
        ),
        Refusal::Unsigned(_) => (
            "see `gateway.identity.assertion`: its key cannot sign",
            Party::Operator,
        ),
        Refusal::Untrusted(_) => (
            "name the proxy that asks in `trusted_peers`",
            Party::Operator,
        ),
        Refusal::Forged(_) => (
            "leave the header out: only the gateway may set it",
            Party::ClientDeveloper,
        ),
        Refusal::TooManyFields(_) => ("send fewer header fields", Party::ClientDeveloper),
        Refusal::BodyTooSlow | Refusal::BodyBroken => {
            ("send the body whole, and in time", Party::ClientDeveloper)
        }
        // Never explained: these depend on other requests.
        Refusal::FailingCaller(_) | Refusal::Busy | Refusal::CallerBusy => {
            ("try again later", Party::Time)
        }
        Refusal::UpstreamBusy(_)
        | Refusal::Unreachable(_)
        | Refusal::TooSlow
        | Refusal::Broken(_)
        | Refusal::AnswerHead(_) => ("see to the server behind the gateway", Party::Operator),
    }
}
