//! Writes down requests and the tokens that they got, for the console. Kept in memory, and nowhere
//! else.
//!
//! Only small bodies are looked at, and only what the pages show is kept. A token that left the
//! house is told apart by where it left: the token endpoint's answer, or `/dev/token`.

use crate::endpoint::gate::fault::Ordered;
use crate::fault::Fault;
use crate::state::State;
use crate::state::record::keep_token;
use crate::store::journal::Answered;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// The largest body that is looked at.
const LARGEST: usize = 64 * 1_024;

/// The longest text that is kept of anything but a token.
const LONGEST: usize = 200;

pub(crate) async fn keep(
    extract::State(state): extract::State<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    if !state.config.console || is_of_the_console(request.uri().path()) {
        return next.run(request).await;
    }
    let begun = Instant::now();
    let (parts, body) = request.into_parts();
    let (form, body) = match small(&parts.headers) {
        true => {
            let content = to_bytes(body, LARGEST).await.unwrap_or_default();
            (fields(&content), Body::from(content))
        }
        false => (BTreeMap::new(), body),
    };
    let asked = Asked::of(&parts, &form);
    let response = next.run(Request::from_parts(parts, body)).await;
    let (head, body) = response.into_parts();
    let (content, body) = match body.size_hint().exact() {
        Some(size) if size <= LARGEST as u64 => {
            let content = to_bytes(body, LARGEST).await.unwrap_or_default();
            (content.clone(), Body::from(content))
        }
        _ => (Default::default(), body),
    };
    let answer: Value = serde_json::from_slice(&content).unwrap_or_default();
    let response = Response::from_parts(head, body);
    if response.status() == StatusCode::OK {
        keep_tokens(&state, &asked, &answer, &content);
    }
    state.journal().add_request(Answered {
        at: state.now(),
        status: response.status().as_u16(),
        error: error_in(&answer).or_else(|| error_sent_back(response.headers())),
        fault: response
            .extensions()
            .get::<Ordered>()
            .filter(|ordered| ordered.0 != Fault::None)
            .map(|ordered| ordered.0.to_string()),
        took: begun.elapsed(),
        method: asked.method,
        path: asked.path,
        client: asked.client,
        grant_type: asked.grant_type,
    });
    response
}

fn is_of_the_console(path: &str) -> bool {
    path == "/" || path.starts_with("/console") || path == "/dev/faults"
}

/// What is kept of a request.
struct Asked {
    method: String,
    path: String,
    client: Option<String>,
    grant_type: Option<String>,
}

impl Asked {
    fn of(parts: &Parts, form: &BTreeMap<String, String>) -> Self {
        let query = fields(parts.uri.query().unwrap_or_default().as_bytes());
        let client = form
            .get("client_id")
            .or_else(|| query.get("client_id"))
            .or_else(|| form.get("user"));
        Self {
            method: parts.method.to_string(),
            path: short(parts.uri.path()),
            client: client
                .map(|client| short(client))
                .or_else(|| basic_client(&parts.headers)),
            grant_type: form.get("grant_type").map(|grant_type| short(grant_type)),
        }
    }
}

fn basic_client(headers: &HeaderMap) -> Option<String> {
    let (id, _) = crate::endpoint::http::basic::basic(headers.get(AUTHORIZATION)?.as_bytes())?;
    Some(short(&id))
}

fn keep_tokens(state: &State, asked: &Asked, answer: &Value, content: &[u8]) {
    let kinds = [
        ("access_token", "access token"),
        ("id_token", "ID token"),
        ("refresh_token", "refresh token"),
    ];
    let way = asked.grant_type.clone();
    let told = |name: &str| answer.get(name).and_then(Value::as_str);
    if asked.path == "/dev/token" {
        if let Ok(token) = std::str::from_utf8(content) {
            keep_token(
                state,
                "access token",
                "/dev/token".to_owned(),
                asked.client.as_deref(),
                token,
            );
        }
    } else if let Some(way) = way {
        // The access token last, so that it stands first.
        for (kind, token) in kinds
            .iter()
            .rev()
            .filter_map(|(name, kind)| Some((*kind, told(name)?)))
        {
            keep_token(state, kind, way.clone(), asked.client.as_deref(), token);
        }
    }
}

/// Whether a body says that it is small.
fn small(headers: &HeaderMap) -> bool {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    length.is_some_and(|length: usize| length <= LARGEST)
}

fn fields(form: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(form)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

fn error_in(answer: &Value) -> Option<(String, String)> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(short);
    Some((
        text("error")?,
        text("error_description").unwrap_or_default(),
    ))
}

/// The error that the browser takes back to the client.
fn error_sent_back(headers: &HeaderMap) -> Option<(String, String)> {
    let (_, query) = headers.get(LOCATION)?.to_str().ok()?.split_once('?')?;
    let mut query = fields(query.as_bytes());
    Some((
        short(&query.remove("error")?),
        short(&query.remove("error_description").unwrap_or_default()),
    ))
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
