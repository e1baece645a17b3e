//! The responses of guards and of strict reading, once for the whole document.

use super::described_response::{CommonResponse, DescribedResponse};
use super::operation::Operation;
use super::security::Access;
use portcullis_core::Requirement;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const CHALLENGE: Option<(&str, &str)> = Some((
    "WWW-Authenticate",
    "The challenge (RFC 6750, section 3), where the credential is at fault.",
));

static BAD_REQUEST: CommonResponse = CommonResponse {
    status: "400",
    name: "BadRequest",
    description: "The credential or the request cannot be read.",
    header: CHALLENGE,
    schema: PROBLEM,
};

static UNAUTHORIZED: CommonResponse = CommonResponse {
    status: "401",
    name: "Unauthorized",
    description: "There is no token, or it is not valid.",
    header: CHALLENGE,
    schema: PROBLEM,
};

static FORBIDDEN: CommonResponse = CommonResponse {
    status: "403",
    name: "Forbidden",
    description: "The token is valid, and does not allow this.",
    header: CHALLENGE,
    schema: PROBLEM,
};

static NO_DECISION: CommonResponse = CommonResponse {
    status: "503",
    name: "NoDecision",
    description: "It cannot be decided now, for example because the issuer's keys are missing.",
    header: Some(("Retry-After", "When to try again, in seconds.")),
    schema: PROBLEM,
};

static TOO_LARGE: CommonResponse = CommonResponse {
    status: "413",
    name: "BodyTooLarge",
    description: "The body is larger than this operation allows.",
    header: None,
    schema: PROBLEM,
};

static MEDIA_TYPE: CommonResponse = CommonResponse {
    status: "415",
    name: "UnsupportedMediaType",
    description: "The body has a media type that this operation does not read.",
    header: Some(("Accept", "What would be read.")),
    schema: PROBLEM,
};

static INVALID: CommonResponse = CommonResponse {
    status: "422",
    name: "InvalidRequest",
    description: "The request does not have the form that this operation expects.",
    header: None,
    schema: INVALID_PROBLEM,
};

static ALL: [&CommonResponse; 7] = [
    &BAD_REQUEST,
    &UNAUTHORIZED,
    &FORBIDDEN,
    &TOO_LARGE,
    &MEDIA_TYPE,
    &INVALID,
    &NO_DECISION,
];

/// Adds what the guards of an operation answer.
pub(super) fn describe_guards(operation: &mut Operation) {
    let demand = match operation.access() {
        Access::Public => return,
        Access::Optional(requirement) | Access::Token(requirement) => requirement,
    };
    // Where any valid token will do, none is forbidden.
    let forbids = !matches!(demand, Requirement::ValidToken);
    for response in [&BAD_REQUEST, &UNAUTHORIZED, &NO_DECISION] {
        operation.common_response(response);
    }
    if forbids {
        operation.common_response(&FORBIDDEN);
    }
}

/// Adds what `Valid` answers to parameters.
#[cfg(feature = "validate")]
pub(super) fn describe_strict_parameters(operation: &mut Operation) {
    for response in [&BAD_REQUEST, &INVALID] {
        operation.common_response(response);
    }
}

/// Adds what `Valid` answers to a body.
#[cfg(feature = "validate")]
pub(super) fn describe_strict_body(operation: &mut Operation) {
    for response in [&BAD_REQUEST, &TOO_LARGE, &MEDIA_TYPE, &INVALID] {
        operation.common_response(response);
    }
}

/// The responses that any operation gives, as components of the document.
pub(super) fn components(used: &BTreeSet<&'static str>) -> Map<String, Value> {
    let mut components = Map::new();
    for response in ALL.iter().filter(|it| used.contains(it.name)) {
        let mut described = DescribedResponse::default();
        response.add_to(&mut described);
        components.insert(response.name.to_owned(), described.into_value());
    }
    components
}

// The names are ours alone: applications call their own schema `Problem`.
const PROBLEM: &str = "RequestProblem";
const INVALID_PROBLEM: &str = "InvalidRequestProblem";

/// The schemas of these responses: problem documents (RFC 9457), one with every fault of a request.
pub(super) fn schemas(used: &BTreeSet<&'static str>) -> Vec<(&'static str, Value)> {
    let members = json!({
        "type": { "type": "string", "description": "A URN with the code." },
        "title": { "type": "string", "description": "The reason phrase of the status." },
        "status": { "type": "integer", "description": "The status." },
        "detail": { "type": "string", "description": "The fixed phrase of the code." },
        "code": { "type": "string", "description": "The stable code." },
        "request_id": { "type": "string", "description": "The request in the log." },
    });
    let mut invalid_members = members.clone();
    if let Some(members) = invalid_members.as_object_mut() {
        members.insert("errors".to_owned(), errors());
    }
    let mut schemas = Vec::new();
    if used.iter().any(|name| *name != INVALID.name) {
        schemas.push((PROBLEM, problem(&members)));
    }
    if used.contains(INVALID.name) {
        schemas.push((INVALID_PROBLEM, problem(&invalid_members)));
    }
    schemas
}

fn problem(members: &Value) -> Value {
    json!({
        "type": "object",
        "description": "A problem document (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": members,
    })
}

/// The faults, in the form that clients of FastAPI know.
fn errors() -> Value {
    json!({
        "type": "array",
        "description": "Every fault of the request.",
        "items": {
            "type": "object",
            "required": ["loc", "msg", "type"],
            "properties": {
                "loc": { "type": "array", "items": { "type": ["string", "integer"] } },
                "msg": { "type": "string" },
                "type": { "type": "string" },
                "ctx": { "type": "object" },
            },
        },
    })
}
