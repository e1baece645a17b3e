//! What an endpoint answers in place of what it should, on command.

use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::peer::Peer;
use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use crate::state::State;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, RETRY_AFTER,
};
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use axum::{extract, middleware};
use serde_json::{Value, json};
use std::sync::Arc;

/// Marks an answer with the fault that was ordered, for whoever keeps the journal.
#[derive(Clone, Copy)]
pub(crate) struct Ordered(pub(crate) Fault);

/// The endpoint with its switch: requests are counted, and answered as it is set.
pub(crate) fn switched(
    route: MethodRouter<Arc<State>>,
    state: &Arc<State>,
    endpoint: Endpoint,
) -> MethodRouter<Arc<State>> {
    let state = (Arc::clone(state), endpoint);
    route.route_layer(middleware::from_fn_with_state(state, answer))
}

async fn answer(
    extract::State((state, endpoint)): extract::State<(Arc<State>, Endpoint)>,
    request: Request,
    next: Next,
) -> Response {
    let fault = state.switches.request(endpoint);
    let mut response = answer_with(fault, request, next).await;
    response.extensions_mut().insert(Ordered(fault));
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
            request.headers_mut().remove(IF_NONE_MATCH);
            changed(next.run(request).await, fault).await
        }
        Fault::Closed => match request.extensions().get::<ConnectInfo<Peer>>() {
            Some(ConnectInfo(peer)) => {
                peer.hang_up();
                StatusCode::BAD_GATEWAY.into_response() // nobody sees it
            }
            None => std::future::pending().await,
        },
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
        Fault::Huge => (json, vec![b' '; 10_000_000]).into_response(),
        Fault::Redirect => (StatusCode::FOUND, [(LOCATION, uri.path())]).into_response(),
        Fault::Empty => (json, r#"{"keys":[]}"#).into_response(),
        Fault::Garbage => (json, &b"\xff\xfe{\"}\0\x80garbage"[..]).into_response(),
        Fault::Unauthorized => OAuthError::invalid_client().into_response(),
        Fault::TooManyRequests => (
            StatusCode::TOO_MANY_REQUESTS,
            [(RETRY_AFTER, "7")],
            "on command",
        )
            .into_response(),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "on command").into_response(),
    }
}

/// The proper answer, spoilt.
async fn changed(response: Response, fault: Fault) -> Response {
    const LONGEST: usize = 1 << 20;
    let (mut head, body) = response.into_parts();
    let bytes = to_bytes(body, LONGEST).await.unwrap_or_default();
    for name in [ETAG, CONTENT_LENGTH] {
        head.headers.remove(name);
    }
    let bytes = match fault {
        Fault::WrongIssuer => of_another_issuer(&bytes).unwrap_or(bytes.to_vec()),
        _ => bytes.get(..bytes.len() / 2).unwrap_or_default().to_vec(),
    };
    Response::from_parts(head, Body::from(bytes))
}

fn of_another_issuer(document: &[u8]) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(document).ok()?;
    *document.get_mut("issuer")? = json!("https://another-issuer.example");
    Some(document.to_string().into_bytes())
}
