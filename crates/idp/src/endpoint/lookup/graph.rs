//! An imitation of the one call of Microsoft Graph that tells a user's groups, for tokens that
//! cannot hold them.
//!
//! As the real one, it wants an application's token for Graph itself, and answers in pages. It does
//! not look at the permissions of the application.

use crate::config::user::User;
use crate::dialect::entra::GRAPH_AUDIENCE;
use crate::endpoint::http::bearer::bearer;
use crate::state::State;
use axum::extract::{Path, RawQuery};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, extract};
use serde_json::{Value, json};
use std::sync::Arc;

const PAGE: usize = 100;

struct GraphError(StatusCode, &'static str, &'static str);

/// `POST /graph/v1.0/users/{oid}/getMemberObjects`; further pages also by GET.
pub(crate) async fn member_objects(
    extract::State(state): extract::State<Arc<State>>,
    Path(oid): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: String,
) -> Response {
    let answer =
        member_objects_of(&state, &oid, &query.unwrap_or_default(), &headers).and_then(|page| {
            if method == Method::POST {
                asks_properly(&body).map(|()| page)
            } else {
                Ok(page)
            }
        });
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
    state: &State,
    oid: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Value, GraphError> {
    let unauthorized =
        |why| GraphError(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", why);
    let token = bearer(headers).ok_or(unauthorized("Access token is empty."))?;
    let issued = state.store().access_token(token, state.now());
    let issued = issued.ok_or(unauthorized("Access token validation failure."))?;
    if issued.audience != GRAPH_AUDIENCE && issued.audience != state.url("/graph") {
        return Err(unauthorized(
            "Access token validation failure. Invalid audience.",
        ));
    }
    if issued.username.is_some() {
        let message = "Insufficient privileges to complete the operation.";
        return Err(GraphError(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            message,
        ));
    }
    let unknown = GraphError(
        StatusCode::NOT_FOUND,
        "Request_ResourceNotFound",
        "There is no user of that id.",
    );
    let user = state
        .config
        .users
        .iter()
        .find(|user| state.user_id(user) == oid)
        .ok_or(unknown)?;
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let skipped = parameters
        .find(|(name, _)| name == "$skiptoken")
        .map(|(_, value)| value.parse());
    let malformed = |_| {
        GraphError(
            StatusCode::BAD_REQUEST,
            "Request_BadRequest",
            "`$skiptoken` is not from here.",
        )
    };
    Ok(page(
        state,
        user,
        oid,
        skipped.transpose().map_err(malformed)?.unwrap_or_default(),
    ))
}

fn page(state: &State, user: &User, oid: &str, skipped: usize) -> Value {
    let ids: Vec<&String> = user.groups.iter().skip(skipped).take(PAGE).collect();
    let mut page = json!({
        "@odata.context": format!("{GRAPH_AUDIENCE}/v1.0/$metadata#Collection(Edm.String)"),
        "value": ids,
    });
    let next = skipped.saturating_add(PAGE);
    if let Some(members) = page.as_object_mut().filter(|_| next < user.groups.len()) {
        let link = state.url(&format!(
            "/graph/v1.0/users/{oid}/getMemberObjects?$skiptoken={next}"
        ));
        members.insert("@odata.nextLink".to_owned(), link.into());
    }
    page
}

fn asks_properly(body: &str) -> Result<(), GraphError> {
    let body: Option<Value> = serde_json::from_str(body).ok();
    let told = body.is_some_and(|body| {
        body.get("securityEnabledOnly")
            .is_some_and(Value::is_boolean)
    });
    let message = "The body must be JSON with `securityEnabledOnly`.";
    told.then_some(()).ok_or(GraphError(
        StatusCode::BAD_REQUEST,
        "Request_BadRequest",
        message,
    ))
}
