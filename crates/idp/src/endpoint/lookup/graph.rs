//! An imitation of the one call of Microsoft Graph that returns a user's groups, for tokens that
//! cannot hold them.
//!
//! Like the real one, it demands an application's token for Graph itself, and answers in pages. It
//! ignores the permissions of the application.

use crate::config::user::User;
use crate::dialect::entra::GRAPH_AUDIENCE;
use crate::endpoint::http::bearer::bearer;
use crate::state::IdpState;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::sync::Arc;

const PAGE: usize = 100;

struct GraphError(StatusCode, &'static str, &'static str);

/// `POST /graph/v1.0/users/{oid}/getMemberObjects`; further pages also by GET.
pub(crate) async fn member_objects(
    State(state): State<Arc<IdpState>>,
    Path(oid): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: String,
) -> Response {
    let mut answer = member_objects_of(&state, &oid, &query.unwrap_or_default(), &headers);
    // Further pages come by GET, without a body.
    if answer.is_ok() && method == Method::POST && !asks_properly(&body) {
        answer = Err(GraphError(
            StatusCode::BAD_REQUEST,
            "Request_BadRequest",
            "The body must be JSON with `securityEnabledOnly`.",
        ));
    }
    match answer {
        Ok(page) => ([(CACHE_CONTROL, "no-cache")], Json(page)).into_response(),
        Err(GraphError(status, code, message)) => (
            status,
            Json(json!({ "error": { "code": code, "message": message } })),
        )
            .into_response(),
    }
}

fn member_objects_of(
    state: &IdpState,
    oid: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Value, GraphError> {
    let Some(token) = bearer(headers) else {
        return Err(refuse_token("Access token is empty."));
    };
    let issued = state.store().access_token(token, state.now());
    let Some(issued) = issued else {
        return Err(refuse_token("Access token validation failure."));
    };
    if issued.audience != GRAPH_AUDIENCE && issued.audience != state.url("/graph") {
        return Err(refuse_token(
            "Access token validation failure. Invalid audience.",
        ));
    }
    // An application asks, with a token of its own: a user's token would need a delegated
    // permission.
    if issued.username.is_some() {
        let message = "Insufficient privileges to complete the operation.";
        return Err(GraphError(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            message,
        ));
    }
    let mut users = state.users.all().into_iter().map(|(user, _)| user);
    let Some(user) = users.find(|user| state.user_id(user) == oid) else {
        return Err(GraphError(
            StatusCode::NOT_FOUND,
            "Request_ResourceNotFound",
            "There is no user of that id.",
        ));
    };
    Ok(page(state, &user, oid, skip_token(query)?))
}

fn refuse_token(message: &'static str) -> GraphError {
    GraphError(
        StatusCode::UNAUTHORIZED,
        "InvalidAuthenticationToken",
        message,
    )
}

/// How many groups the earlier pages had.
fn skip_token(query: &str) -> Result<usize, GraphError> {
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "$skiptoken" {
            return value.parse().map_err(|_| {
                GraphError(
                    StatusCode::BAD_REQUEST,
                    "Request_BadRequest",
                    "`$skiptoken` is not from here.",
                )
            });
        }
    }
    Ok(0)
}

fn page(state: &IdpState, user: &User, oid: &str, skipped: usize) -> Value {
    let ids: Vec<&String> = user.groups.iter().skip(skipped).take(PAGE).collect();
    let mut page = json!({
        "@odata.context": format!("{GRAPH_AUDIENCE}/v1.0/$metadata#Collection(Edm.String)"),
        "value": ids,
    });
    // A full URL, as clients follow it without building it themselves.
    let next = skipped.saturating_add(PAGE);
    if let Some(members) = page
        .as_object_mut()
        .filter(|_| next < user.groups.len())
    {
        let link = state.url(&format!(
            "/graph/v1.0/users/{oid}/getMemberObjects?$skiptoken={next}"
        ));
        members.insert("@odata.nextLink".to_owned(), link.into());
    }
    page
}

fn asks_properly(body: &str) -> bool {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    body.get("securityEnabledOnly")
        .is_some_and(Value::is_boolean)
}
