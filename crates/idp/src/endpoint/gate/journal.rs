//! Records requests, and the tokens in their responses, for the console. In memory only.
//!
//! Only small bodies are read, and only what the pages show is kept: [`summary`] hides secrets.
//!
//! [`summary`]: super::summary

use crate::endpoint::dev::making::TokenMark;
use crate::endpoint::gate::fault::EndpointMark;
use crate::endpoint::gate::marks::{Reason, ReturnMark};
use crate::endpoint::gate::summary::{LONGEST, RequestSummary, fields, hide, members, short};
use crate::endpoint::http::header::text;
use crate::fault::Fault;
use crate::state::IdpState;
use crate::state::record::keep_token;
use crate::store::journal::RequestRecord;
use crate::token::kind::TokenKind;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, LOCATION, WWW_AUTHENTICATE};
use axum::http::response::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;
use std::time::Instant;

/// The largest body that is read.
const LARGEST: usize = 64 * 1_024;

/// The longest description that is kept: it names what was sent and what is registered.
const LONGEST_DESCRIPTION: usize = 2_000;

pub(crate) async fn keep(
    State(state): State<Arc<IdpState>>,
    request: Request,
    next: Next,
) -> Response {
    // The console's own requests would push out the ones that people look for.
    if !state.config.console || is_of_the_console(request.uri().path()) {
        return next.run(request).await;
    }
    // The real clock: the provider's own may be switched to a wrong time.
    let begun = Instant::now();
    let (parts, body) = request.into_parts();
    let (sent, body) = if is_small(&parts.headers) {
        let content = to_bytes(body, LARGEST).await.unwrap_or_default();
        (content.clone(), Body::from(content))
    } else {
        (Default::default(), body)
    };
    let summary = RequestSummary::of(&parts, &sent);
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
    let answer = Answer::read(&head, &content);
    let response = Response::from_parts(head, body);
    let tokens = keep_tokens(&state, &summary, &response, &answer, &content);
    let record = RequestRecord {
        at: state.true_time(),
        tokens,
        took: begun.elapsed(),
        ..record(summary, &response, &answer)
    };
    state.journal().add_request(record);
    response
}

/// What an answer says: a document, or a redirect.
struct Answer {
    document: Value,
    /// The address of a redirect without its parameters, and those.
    redirect: Option<(String, Vec<(String, String)>)>,
}

impl Answer {
    fn read(head: &Parts, content: &[u8]) -> Self {
        // A fault redirects too, and has no mark.
        let location = head
            .headers
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        let mark: Option<&ReturnMark> = head.extensions.get();
        let redirect = match mark {
            Some(mark) => Some((short(&mark.address, LONGEST), mark.pairs.clone())),
            None => location.map(|location| {
                let (address, query) = location.split_once('?').unwrap_or((location, ""));
                (short(address, LONGEST), fields(query.as_bytes()))
            }),
        };
        Self {
            document: serde_json::from_slice(content).unwrap_or_default(),
            redirect,
        }
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.document.get(member)?.as_str()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let (_, parameters) = self.redirect.as_ref()?;
        let (_, value) = parameters.iter().find(|(known, _)| known == name)?;
        Some(value)
    }
}

fn record(summary: RequestSummary, response: &Response, answer: &Answer) -> RequestRecord {
    let mark: Option<&EndpointMark> = response.extensions().get();
    let fault = mark
        .map(|mark| mark.fault)
        .filter(|it| *it != Fault::None);
    let shown = match &answer.redirect {
        Some((_, parameters)) => parameters.clone(),
        None => members(&answer.document),
    };
    RequestRecord {
        id: 0,
        at: 0,
        endpoint: match mark {
            Some(mark) => mark.endpoint.name(),
            None => group(&summary.path),
        },
        method: summary.method,
        path: summary.path,
        client: summary.client,
        grant_type: summary.grant_type,
        scheme: summary.scheme,
        parameters: summary.parameters,
        status: response.status().as_u16(),
        error: error(response, answer),
        location: answer
            .redirect
            .as_ref()
            .map(|(address, _)| address.clone()),
        answer: hide(shown),
        tokens: Vec::new(),
        fault: fault.map(|fault| fault.to_string()),
        took: Default::default(),
    }
}

/// The error of a document, a redirect, a challenge or a page.
fn error(response: &Response, answer: &Answer) -> Option<(String, String)> {
    let long = |text: Option<&str>| short(text.unwrap_or_default(), LONGEST_DESCRIPTION);
    if let Some(error) = answer.text("error") {
        let description = answer.text("error_description");
        return Some((short(error, LONGEST), long(description)));
    }
    if let Some(error) = answer.parameter("error") {
        let description = answer.parameter("error_description");
        return Some((short(error, LONGEST), long(description)));
    }
    // UserInfo has its errors in the challenge alone (RFC 6750, section 3).
    let challenge = text(response.headers(), WWW_AUTHENTICATE);
    if let Some((_, rest)) = challenge.split_once("error=\"") {
        let error = rest.split('"').next().unwrap_or_default();
        return Some((short(error, LONGEST), String::new()));
    }
    let Reason(reason) = response.extensions().get()?;
    Some((String::new(), long(Some(reason))))
}

/// What the endpoints without switches are for.
fn group(path: &str) -> &'static str {
    // The rest of the path has names and numbers that would make groups of one.
    let first = path.split('/').nth(1).unwrap_or_default();
    let groups = ["dev", "device", "logout", "register", "ssf", "health"];
    let known = groups.into_iter().find(|group| *group == first);
    match known {
        Some("device") => "device page",
        known => known.unwrap_or("other"),
    }
}

fn is_of_the_console(path: &str) -> bool {
    path == "/" || path.starts_with("/console") || path == "/dev/faults"
}

fn keep_tokens(
    state: &IdpState,
    request: &RequestSummary,
    response: &Response,
    answer: &Answer,
    content: &[u8],
) -> Vec<u64> {
    let client = request.client.as_deref();
    let keep =
        |kind, way: &str, token: &str| keep_token(state, kind, way.to_owned(), client, token);
    // `/dev/token` answers with the bare token, so only the mark tells which kind it is.
    if let Some(TokenMark(kind)) = response.extensions().get() {
        let token = std::str::from_utf8(content).ok();
        let kept = token.map(|token| keep(*kind, "/dev/token", token));
        return kept.into_iter().collect();
    }
    if let Some(code) = answer.parameter("code") {
        return vec![keep(TokenKind::Code, "authorization_code", code)];
    }
    let Some(grant_type) = &request.grant_type else {
        return Vec::new();
    };
    // An error issues no token, whatever its document says.
    if response.status() != StatusCode::OK {
        return Vec::new();
    }
    let mut kept = Vec::new();
    // The newest is listed first, and the access token is what people look for.
    for (member, kind) in [
        ("refresh_token", TokenKind::Refresh),
        ("id_token", TokenKind::Id),
        ("access_token", TokenKind::Access),
    ] {
        if let Some(token) = answer.text(member) {
            kept.push(keep(kind, grant_type, token));
        }
    }
    kept
}

/// Whether the body is declared small.
fn is_small(headers: &HeaderMap) -> bool {
    match text(headers, CONTENT_LENGTH).parse::<usize>() {
        Ok(length) => length <= LARGEST,
        Err(_) => false,
    }
}
