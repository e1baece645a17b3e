//! What an endpoint answers in place of what it should, on command.

use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::peer::ConnectionPeer;
use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use crate::state::IdpState;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, RETRY_AFTER,
};
use axum::http::{StatusCode, Uri};
use axum::middleware;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use serde_json::{Value, json};
use std::sync::Arc;

/// Marks an answer with its endpoint and the fault that was ordered, for the journal.
#[derive(Clone, Copy)]
pub(crate) struct EndpointMark {
    pub(crate) endpoint: Endpoint,
    pub(crate) fault: Fault,
}

/// The endpoint with its switch: requests are counted, and answered as it is set.
pub(crate) fn with_switch(
    route: MethodRouter<Arc<IdpState>>,
    state: &Arc<IdpState>,
    endpoint: Endpoint,
) -> MethodRouter<Arc<IdpState>> {
    let state = (Arc::clone(state), endpoint);
    route.route_layer(middleware::from_fn_with_state(state, answer))
}

async fn answer(
    State((state, endpoint)): State<(Arc<IdpState>, Endpoint)>,
    request: Request,
    next: Next,
) -> Response {
    // Counted before it fails: tests count attempts.
    let fault = state.switches.request(endpoint);
    let mut response = answer_with(fault, request, next).await;
    let mark = EndpointMark { endpoint, fault };
    response.extensions_mut().insert(mark);
    response
}

async fn answer_with(fault: Fault, mut request: Request, next: Next) -> Response {
    match fault {
        Fault::None => next.run(request).await,
        Fault::Slow(late) => {
            tokio::time::sleep(late).await;
            next.run(request).await
        }
        fault @ (Fault::Truncated | Fault::WrongIssuer) => {
            // A 304 has no body to spoil.
            request.headers_mut().remove(IF_NONE_MATCH);
            spoil(next.run(request).await, fault).await
        }
        Fault::Closed => match request
            .extensions()
            .get::<ConnectInfo<ConnectionPeer>>()
        {
            Some(ConnectInfo(peer)) => {
                // The connection is marked; the response that follows is never sent.
                peer.hang_up();
                StatusCode::BAD_GATEWAY.into_response() // nobody sees it
            }
            None => std::future::pending().await,
        },
        // Ends only when the client gives up and closes the connection.
        Fault::Hang => std::future::pending().await,
        fault => instead(fault, request.uri()),
    }
}

fn instead(fault: Fault, uri: &Uri) -> Response {
    let json = [(CONTENT_TYPE, "application/json")];
    match fault {
        Fault::Html => (
            [(CONTENT_TYPE, "text/html")],
            "<!doctype html><title>Sign in</title>",
        )
            .into_response(),
        // White space is valid JSON so far: only a bound on the size stops a reader.
        Fault::Huge => (json, vec![b' '; 10_000_000]).into_response(),
        // To itself: a client that follows redirects without a limit never ends.
        Fault::Redirect => (StatusCode::FOUND, [(LOCATION, uri.path())]).into_response(),
        Fault::Empty => (json, r#"{"keys":[]}"#).into_response(),
        Fault::Garbage => (json, &b"\xff\xfe{\"}\0\x80garbage"[..]).into_response(),
        Fault::Unauthorized => OAuthError::invalid_client("on command").into_response(),
        Fault::InvalidRequest => refuse("invalid_request"),
        Fault::InvalidGrant => refuse("invalid_grant"),
        Fault::InvalidScope => refuse("invalid_scope"),
        Fault::UnauthorizedClient => refuse("unauthorized_client"),
        Fault::UnsupportedGrantType => refuse("unsupported_grant_type"),
        Fault::TooManyRequests => (
            StatusCode::TOO_MANY_REQUESTS,
            [(RETRY_AFTER, "7")],
            "on command",
        )
            .into_response(),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "on command").into_response(),
    }
}

/// The refusal of a token endpoint (RFC 6749, section 5.2).
fn refuse(error: &'static str) -> Response {
    OAuthError::new(error, "on command").into_response()
}

/// The proper answer, spoilt.
async fn spoil(response: Response, fault: Fault) -> Response {
    const LONGEST: usize = 1 << 20;
    let (mut head, body) = response.into_parts();
    let bytes = to_bytes(body, LONGEST).await.unwrap_or_default();
    // They describe the document before it was spoiled.
    for name in [ETAG, CONTENT_LENGTH] {
        head.headers.remove(name);
    }
    let bytes = match fault {
        Fault::WrongIssuer => of_another_issuer(&bytes).unwrap_or(bytes.to_vec()),
        _ => bytes
            .get(..bytes.len() / 2)
            .unwrap_or_default()
            .to_vec(),
    };
    Response::from_parts(head, Body::from(bytes))
}

fn of_another_issuer(document: &[u8]) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(document).ok()?;
    *document.get_mut("issuer")? = json!("https://another-issuer.example");
    Some(document.to_string().into_bytes())
}
