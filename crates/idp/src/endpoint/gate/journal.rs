//! Records requests, and the tokens in their responses, for the console. In memory only.
//!
//! Only small bodies are read, and only what the pages show is kept.

use crate::endpoint::gate::fault::InjectedFault;
use crate::endpoint::http::header::text;
use crate::fault::Fault;
use crate::state::IdpState;
use crate::state::record::keep_token;
use crate::store::journal::RequestRecord;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// The largest body that is read.
const LARGEST: usize = 64 * 1_024;

/// The longest text that is kept, except for tokens.
const LONGEST: usize = 200;

pub(crate) async fn keep(
    State(state): State<Arc<IdpState>>,
    request: Request,
    next: Next,
) -> Response {
    // The console's own requests would push out the ones that people look for.
    if !state.config.console || is_of_the_console(request.uri().path()) {
        return next.run(request).await;
    }
    let begun = Instant::now();
    let (parts, body) = request.into_parts();
    let (form, body) = if is_small(&parts.headers) {
        let content = to_bytes(body, LARGEST).await.unwrap_or_default();
        (fields(&content), Body::from(content))
    } else {
        (BTreeMap::new(), body)
    };
    let summary = RequestSummary::of(&parts, &form);
    let response = next.run(Request::from_parts(parts, body)).await;
    let (head, body) = response.into_parts();
    // A body of unknown size, such as one that is cut off on purpose, goes through unread.
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
        keep_tokens(&state, &summary, &answer, &content);
    }
    let record = summary.record(&response, &answer, state.now(), begun);
    state.journal().add_request(record);
    response
}

/// The fault that was switched on for this response.
fn injected_fault(response: &Response) -> Option<String> {
    let InjectedFault(fault) = response.extensions().get()?;
    (*fault != Fault::None).then_some(fault.to_string())
}

fn is_of_the_console(path: &str) -> bool {
    path == "/" || path.starts_with("/console") || path == "/dev/faults"
}

/// The parts of a request that are kept.
struct RequestSummary {
    method: String,
    path: String,
    client: Option<String>,
    grant_type: Option<String>,
}

impl RequestSummary {
    fn of(parts: &Parts, form: &BTreeMap<String, String>) -> Self {
        let query = fields(parts.uri.query().unwrap_or_default().as_bytes());
        let named = form
            .get("client_id")
            .or(query.get("client_id"))
            .or(form.get("user"));
        let client = match named {
            Some(client) => Some(short(client)),
            None => basic_client(&parts.headers),
        };
        Self {
            method: parts.method.to_string(),
            path: short(parts.uri.path()),
            client,
            grant_type: form.get("grant_type").map(String::as_str).map(short),
        }
    }

    fn record(self, response: &Response, answer: &Value, at: u64, begun: Instant) -> RequestRecord {
        RequestRecord {
            at,
            method: self.method,
            path: self.path,
            client: self.client,
            grant_type: self.grant_type,
            status: response.status().as_u16(),
            error: error_in(answer).or(error_sent_back(response.headers())),
            fault: injected_fault(response),
            took: begun.elapsed(),
        }
    }
}

fn basic_client(headers: &HeaderMap) -> Option<String> {
    let (id, _) = crate::endpoint::http::basic::basic(headers.get(AUTHORIZATION)?.as_bytes())?;
    Some(short(&id))
}

fn keep_tokens(state: &IdpState, request: &RequestSummary, answer: &Value, content: &[u8]) {
    let client = request.client.as_deref();
    if request.path == "/dev/token" {
        if let Ok(token) = std::str::from_utf8(content) {
            keep_token(
                state,
                "access token",
                "/dev/token".to_owned(),
                client,
                token,
            );
        }
        return;
    }
    let Some(grant_type) = &request.grant_type else {
        return;
    };
    // The newest is listed first, and the access token is what people look for.
    for (member, kind) in [
        ("refresh_token", "refresh token"),
        ("id_token", "ID token"),
        ("access_token", "access token"),
    ] {
        if let Some(token) = answer.get(member).and_then(Value::as_str) {
            keep_token(state, kind, grant_type.clone(), client, token);
        }
    }
}

/// Whether the body is declared small.
fn is_small(headers: &HeaderMap) -> bool {
    match text(headers, CONTENT_LENGTH).parse::<usize>() {
        Ok(length) => length <= LARGEST,
        Err(_) => false,
    }
}

fn fields(form: &[u8]) -> BTreeMap<String, String> {
    let pairs = form_urlencoded::parse(form);
    pairs.into_owned().collect()
}

fn error_in(answer: &Value) -> Option<(String, String)> {
    let error = answer.get("error")?.as_str()?;
    let description = answer.get("error_description").and_then(Value::as_str);
    Some((short(error), short(description.unwrap_or_default())))
}

/// The error in a redirect to the client.
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
