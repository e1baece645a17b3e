//! The responses that every guard gives, once for the whole document.

use super::operation::Operation;
use super::security::Access;
use portcullis_core::Requirement;
use serde_json::{Map, Value, json};

/// A response of a guard: its status, its name among the components, and when it is given.
struct GuardResponse {
    status: &'static str,
    name: &'static str,
    description: &'static str,
    header: (&'static str, &'static str),
}

const CHALLENGE: (&str, &str) = ("WWW-Authenticate", "The challenge (RFC 6750, section 3).");

const RESPONSES: [GuardResponse; 4] = [
    GuardResponse {
        status: "400",
        name: "InvalidCredential",
        description: "The credential cannot be read: it is there twice, or has a wrong form.",
        header: CHALLENGE,
    },
    GuardResponse {
        status: "401",
        name: "Unauthorized",
        description: "There is no token, or it is not valid.",
        header: CHALLENGE,
    },
    GuardResponse {
        status: "403",
        name: "Forbidden",
        description: "The token is valid, and does not allow this.",
        header: CHALLENGE,
    },
    GuardResponse {
        status: "503",
        name: "NoDecision",
        description: "It cannot be decided now, for example because the issuer's keys are missing.",
        header: ("Retry-After", "When to try again, in seconds."),
    },
];

/// Adds what the guards of an operation answer.
pub(super) fn describe(operation: &mut Operation) {
    let demand = match operation.access() {
        Access::Public => return,
        Access::Optional(requirement) | Access::Token(requirement) => requirement,
    };
    let any_token = matches!(demand, Requirement::ValidToken);
    for response in &RESPONSES {
        // Any valid token will do, so none is forbidden.
        if response.status != "403" || !any_token {
            operation.common_response(response.status, response.name);
        }
    }
}

/// The responses, as components of the document.
pub(super) fn components() -> Map<String, Value> {
    let mut components = Map::new();
    for response in &RESPONSES {
        let (header, text) = response.header;
        let object = json!({
            "description": response.description,
            "headers": { header: { "description": text, "schema": { "type": "string" } } },
            "content": { "application/problem+json": {
                "schema": { "$ref": format!("#/components/schemas/{PROBLEM}") },
            }},
        });
        components.insert(response.name.to_owned(), object);
    }
    components
}

/// The name of its schema. Applications call their own `Problem`.
pub(super) const PROBLEM: &str = "GuardProblem";

/// The problem document (RFC 9457) of a guard.
pub(super) fn problem() -> Value {
    json!({
        "type": "object",
        "description": "A problem document (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": { "type": "string", "description": "A URN with the code." },
            "title": { "type": "string", "description": "The reason phrase of the status." },
            "status": { "type": "integer", "description": "The status." },
            "detail": { "type": "string", "description": "The fixed phrase of the code." },
            "code": { "type": "string", "description": "The stable code." },
            "request_id": { "type": "string", "description": "The request in the log." },
        },
    })
}
