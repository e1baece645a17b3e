//! Sends the requests of a trial to this provider's own endpoints, through every layer: what
//! applications meet, a trial meets too, and the requests are listed as theirs are.

use crate::endpoint::gate::marks::{Reason, ReturnMark};
use crate::endpoint::http::header::text;
use crate::state::IdpState;
use crate::store::trials::{TrialRequest, TrialResponse};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE,
    WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::{Duration, Instant};
use tower::ServiceExt as _;
use url::Url;

/// How long a response may take: some faults never answer.
const PATIENCE: Duration = Duration::from_secs(12);

/// How much of a body is kept.
const LARGEST: usize = 64 * 1_024;

/// The endpoints without the console.
#[derive(Clone)]
pub(crate) struct EndpointRouter(pub(crate) Router);

/// The browser of a trial: its cookies are those of whoever looks at the console.
pub(crate) struct TrialBrowser {
    pub(crate) cookies: Option<HeaderValue>,
    /// The cookies that responses set.
    pub(crate) set: Vec<HeaderValue>,
}

impl TrialBrowser {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            cookies: headers.get(COOKIE).cloned(),
            set: Vec::new(),
        }
    }
}

/// Sends a request, and answers with the response, or with the time that nobody answered in.
pub(crate) async fn send(
    state: &IdpState,
    router: &EndpointRouter,
    browser: &mut TrialBrowser,
    request: &TrialRequest,
) -> TrialResponse {
    // The real clock: faults that are slow are slow by it.
    let begun = Instant::now();
    let sent = async {
        let response = router
            .0
            .clone()
            .oneshot(build(state, browser, request)?)
            .await;
        // A router always answers: its error type has no value.
        let Ok(response) = response;
        browser
            .set
            .extend(response.headers().get_all(SET_COOKIE).iter().cloned());
        Some(read(response).await)
    };
    let response = tokio::time::timeout(PATIENCE, sent).await;
    TrialResponse {
        took: begun.elapsed(),
        ..response.ok().flatten().unwrap_or_default()
    }
}

fn build(state: &IdpState, browser: &TrialBrowser, request: &TrialRequest) -> Option<Request> {
    let method = if request.form.is_some() {
        "POST"
    } else {
        "GET"
    };
    let mut head = Request::builder().method(method).uri(&request.target);
    // Requests to another host are refused, in trials too.
    let base = Url::parse(&state.base).ok()?;
    head = head.header(HOST, base.authority());
    // The session of whoever looks, so that `prompt=none` finds it.
    if let Some(cookies) = &browser.cookies {
        head = head.header(COOKIE, cookies);
    }
    if let Some(basic) = &request.basic {
        head = head.header(AUTHORIZATION, basic_value(basic));
    } else if let Some(token) = &request.bearer {
        head = head.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let Some(form) = &request.form else {
        return head.body(Body::empty()).ok();
    };
    let body = encode(form);
    // With its length, or the journal would take the body for too large and leave it out.
    head = head.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    head.header(CONTENT_LENGTH, body.len())
        .body(Body::from(body))
        .ok()
}

async fn read(response: Response) -> TrialResponse {
    let (head, body) = response.into_parts();
    let headers = &head.headers;
    let some = |name| Some(text(headers, name).to_owned()).filter(|text| !text.is_empty());
    let reason: Option<&Reason> = head.extensions.get();
    let back: Option<&ReturnMark> = head.extensions.get();
    TrialResponse {
        status: Some(head.status.as_u16()),
        location: some(LOCATION),
        back: back.map(|mark| (mark.address.clone(), mark.pairs.clone())),
        challenge: some(WWW_AUTHENTICATE),
        content_type: text(headers, CONTENT_TYPE).to_owned(),
        reason: reason.map(|Reason(words)| words.clone()),
        // A body that is cut off on purpose, or too long, is shown as none.
        body: to_bytes(body, LARGEST)
            .await
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default(),
        took: Duration::ZERO,
    }
}

pub(crate) fn encode(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1).
pub(crate) fn basic_value((id, secret): &(String, String)) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(id), encode(secret));
    format!("Basic {}", STANDARD.encode(pair))
}
