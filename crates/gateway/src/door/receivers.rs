//! Where providers send logouts and security events to: on the front below a path of its own, or on
//! a listener of its own.
//!
//! The body is read whole, within bounds, before anything is looked at. What it says is for the
//! resource server; here are the bounds, the count of senders who keep failing, and the audit
//! records.

use super::cors::CorsMark;
use super::interface::Door;
use crate::forward::body::Body;
use crate::generation::Generation;
use crate::refusal::Refusal;
use crate::request::caller::Caller;
use crate::request::peer::Peer;
use crate::request::target::Target;
use crate::transport::client_body::{BodyFault, ClientBody};
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use portcullis_core::CodeLinks;
use portcullis_resource_server::clock::wait_within;
use portcullis_resource_server::{EventOutcome, ReceiverRequest, request_id};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// Most bytes of a body. A token has at most 16 KB by default, and a form may write each of its
/// bytes as three.
const MOST_BYTES: usize = 65_536;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The receivers on a listener of their own.
#[derive(Clone, Debug)]
pub(crate) struct Receivers(pub(crate) Arc<ArcSwap<Generation>>);

impl Door for Receivers {
    fn code_links(&self) -> CodeLinks {
        self.0.load_full().policy.server.code_links().clone()
    }

    async fn answer(&self, peer: Peer, request: Request<ClientBody>) -> Response<Body> {
        let generation = self.0.load_full();
        let id = request_id(request.headers());
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        // A reload may take the settings away while the listener stays.
        let settings = generation.receivers.as_ref();
        let Some(tail) = settings.and_then(|settings| settings.tail(&path)) else {
            return empty(StatusCode::NOT_FOUND);
        };
        match receive(&generation, peer, &id, tail, &parts, body).await {
            Ok(response) => response,
            Err(refusal) => refusal.into_response(&id, &self.code_links()),
        }
    }
}

/// What comes behind the receivers' path, if the front takes what is sent there. No page of another
/// origin has to read the answer, so that loses its mark.
pub(super) fn find_tail<'t>(
    generation: &Generation,
    target: &'t Target,
    mark: &mut CorsMark<'_>,
) -> Option<&'t str> {
    let settings = generation.receivers.as_ref()?;
    let tail = settings.tail(target.path.as_str())?;
    // With a listener of their own, the path is the upstream's like any other.
    if !settings.is_on_front {
        return None;
    }
    *mark = CorsMark::none();
    Some(tail)
}

/// Takes what was sent to the path `tail` below the receivers' own.
pub(super) async fn receive(
    generation: &Generation,
    peer: Peer,
    id: &str,
    tail: &str,
    parts: &Parts,
    body: ClientBody,
) -> Result<Response<Body>, Refusal> {
    let sender = generation.client_address.caller(peer, &parts.headers);
    refuse_failing(generation, sender)?;
    let body = read(generation, body).await?;
    let request = ReceiverRequest {
        path: tail,
        method: &parts.method,
        headers: &parts.headers,
        body: &body,
    };
    let answer = answer(generation, sender, id, &request).await;
    Ok(answer.map(Body::from))
}

/// Takes a request that was read whole: counts a sender who fails, and writes a record of each
/// event.
pub(super) async fn answer(
    generation: &Generation,
    sender: Caller,
    id: &str,
    request: &ReceiverRequest<'_>,
) -> Response<Bytes> {
    let answer = generation.policy.server.answer_receiver(request).await;
    let is_refused = |outcome| outcome == EventOutcome::Refused;
    if answer
        .reports
        .iter()
        .any(|report| is_refused(report.outcome))
    {
        note_failure(generation, sender);
    }
    let (now, sender) = (generation.clock.now(), Some(sender));
    let telemetry = &generation.telemetry;
    telemetry.record_events(now, Some(id), &answer.reports, sender);
    answer.response.map(Bytes::from)
}

/// Refuses a sender whose events were refused too often: each costs a signature.
pub(super) fn refuse_failing(generation: &Generation, sender: Caller) -> Result<(), Refusal> {
    let now = generation.clock.elapsed();
    let failing = generation.failing.as_ref();
    match failing.and_then(|failing| failing.wait(sender, now)) {
        Some(wait) => {
            generation.telemetry.meters.limited.increment(1);
            Err(Refusal::FailingCaller(wait))
        }
        None => Ok(()),
    }
}

fn note_failure(generation: &Generation, sender: Caller) {
    if let Some(failing) = &generation.failing {
        failing.note_failure(sender, generation.clock.elapsed());
    }
}

/// The whole body, within its bounds.
async fn read(generation: &Generation, body: ClientBody) -> Result<Bytes, Refusal> {
    let whole = pin!(Limited::new(body, MOST_BYTES).collect());
    let Some(read) = wait_within(whole, generation.clock.sleep(PATIENCE)).await else {
        return Err(Refusal::BodyTooSlow);
    };
    match read {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge),
        Err(error) => Err(match error.downcast_ref::<BodyFault>() {
            Some(BodyFault::TooLarge) => Refusal::BodyTooLarge,
            Some(BodyFault::TooSlow) => Refusal::BodyTooSlow,
            _ => Refusal::BodyBroken,
        }),
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::new()));
    *response.status_mut() = status;
    response
}
