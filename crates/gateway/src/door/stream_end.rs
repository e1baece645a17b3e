//! When a stream or a body that a token opened has to end.

use crate::decision::policy::ForwardPermit;
use crate::forward::body::{Ending, StreamBody};
use crate::forward::request_body::Progress;
use crate::forward::upstream::{InFlightGuard, UpstreamBody};
use crate::generation::Generation;
use crate::transport::body_watch::BodyWatch;
use crate::transport::client_body::BodyFault;
use crate::transport::life::{Cause, End, Traffic, WatchScope, no_longer_good};
use portcullis_core::Denial;
use std::sync::Arc;

/// The body of a response on its way back. Only streams end with their token. Any other response
/// ends early only if that is revoked: half a download helps nobody.
pub(super) fn stream_body(
    generation: &Generation,
    permit: &ForwardPermit,
    ending: Option<Ending>,
    (body, under_way): (UpstreamBody, InFlightGuard),
    traffic: Traffic,
) -> StreamBody {
    match ending {
        Some(ending) => {
            let end = stream_end(generation, permit, &traffic);
            StreamBody::ending(body, under_way, (end, ending), traffic)
        }
        None => {
            let watch = body_watch(generation, permit, WatchScope::Body);
            StreamBody::new(body, under_way, watch, traffic)
        }
    }
}

/// When a stream must end: with the token that opened it, or else after its longest life; when it
/// is silent; with the gateway.
pub(super) fn stream_end(
    generation: &Generation,
    permit: &ForwardPermit,
    traffic: &Traffic,
) -> End {
    let (clock, life) = (Arc::clone(&generation.clock), &generation.life);
    let telemetry = Arc::clone(&generation.telemetry);
    let server = &generation.policy.server;
    let token = permit.token().map(|token| server.watch(token.clone()));
    let (traffic, current) = (traffic.clone(), life.clone());
    let (idle, longest) = (generation.streams.idle, generation.streams.life);
    life.end(Some(async move {
        let over = async {
            match (token, longest) {
                (Some(token), _) => Cause::Token(no_longer_good(current, token).await),
                (None, Some(longest)) => {
                    clock.sleep(longest).await;
                    Cause::Old
                }
                (None, None) => std::future::pending().await,
            }
        };
        let silent = async {
            match idle {
                Some(idle) => traffic.silence(Arc::clone(&clock), idle).await,
                None => std::future::pending().await,
            }
            Cause::Idle
        };
        let cause = tokio::select! {
            cause = over => cause,
            cause = silent => cause,
        };
        telemetry.meters.bounds.count_ending(cause);
        cause
    }))
}

/// The watch over the token of a body; `None` if it came without one.
pub(super) fn body_watch(
    generation: &Generation,
    permit: &ForwardPermit,
    scope: WatchScope,
) -> Option<BodyWatch> {
    let token = permit.token()?.clone();
    let token = generation.policy.server.watch(token);
    Some(BodyWatch::new(generation.life.clone(), token, scope))
}

/// Why there is no response, if the token was refused while the request's body went up.
pub(super) async fn denial_in_body(
    generation: &Generation,
    progress: Option<&Progress>,
    permit: &ForwardPermit,
) -> Option<Denial> {
    if progress?.fault()? != BodyFault::TokenEnded {
        return None;
    }
    let denial = generation.life.refuse(permit.token()?).await;
    tracing::info!(code = denial.code(), "a request is cut with its token");
    Some(denial)
}
