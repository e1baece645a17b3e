//! The requests of one connection: checked against the bounds, then answered by a door.
//!
//! A request with too many header fields, or with fields out of proportion to the bytes received,
//! gets 431. A request without a free slot gets 503. It keeps its slot until the client has read
//! the response.

use crate::door::interface::AnyDoor;
use crate::forward::body::Body;
use crate::listen::context::ListenerContext;
use crate::listen::response_body::ResponseBody;
use crate::refusal::Refusal;
use crate::request::peer::Peer;
use crate::transport::activity::{Activity, OpenRequest};
use crate::transport::client_body::{BodyTerms, ClientBody, size};
use crate::transport::slots::RequestSlots;
use bytes::Bytes;
use http::header::{EXPECT, STRICT_TRANSPORT_SECURITY, UPGRADE};
use http::{HeaderValue, Method, Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use portcullis_resource_server::request_id;
use std::convert::Infallible;
use std::sync::Arc;

/// The requests of one connection.
pub(crate) struct ConnectionRequests {
    pub(crate) door: Arc<dyn AnyDoor>,
    pub(crate) peer: Peer,
    pub(crate) hsts: Option<HeaderValue>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) context: ListenerContext,
    pub(crate) is_http2: bool,
}

impl ConnectionRequests {
    /// Answers a request. It is under way from this call on, not from the first poll.
    pub(crate) fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> + Send + use<> {
        // A client that resets at once must be counted, even if the future is never polled.
        let (begun, requests) = (self.activity.begin(), Arc::clone(self));
        async move { Ok(requests.answer_begun(request, begun).await) }
    }

    async fn answer_begun(
        &self,
        request: Request<Incoming>,
        begun: OpenRequest,
    ) -> Response<ResponseBody> {
        let (parts, body) = request.into_parts();
        let ListenerContext { limits, bounds, .. } = &self.context;
        let terms = BodyTerms {
            rests: Arc::clone(&bounds.rests),
            linger: limits.linger,
            most_trailers: limits.headers,
            activity: self.is_http2.then(|| Arc::clone(&self.activity)),
        };

        let waits = !self.is_http2 && parts.headers.contains_key(EXPECT);
        let body = ClientBody::new(body, terms, waits);
        let is_head = parts.method == Method::HEAD;
        let mut request = Request::from_parts(parts, body);
        let (mut response, slots) = match self.admit(&request) {
            Ok(slots) => {
                // A tunnel outlives its response, and keeps the slots.
                if let Some(slots) = &slots
                    && request.headers().contains_key(UPGRADE)
                {
                    request.extensions_mut().insert(Arc::clone(slots));
                }
                (self.door.answer(self.peer, request).await, slots)
            }
            Err(refusal) => {
                let request_id = request_id(request.headers());
                self.context.count_refusal(&refusal);
                (self.door.refuse(refusal, &request_id, &request), None)
            }
        };
        // Over HTTP/2 hyper sends the body even to HEAD, and clients reset the stream for that.
        if is_head && !response.body().is_end_stream() {
            *response.body_mut() = Body::from(Bytes::new());
        }
        if let Some(hsts) = &self.hsts {
            response
                .headers_mut()
                .insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
        let begun = begun.mark_answered();
        response.map(|body| ResponseBody::new(body, self.is_http2, begun, slots))
    }

    /// Takes the slots of a request whose fields are within bounds. Probes take none.
    fn admit(&self, request: &Request<ClientBody>) -> Result<Option<Arc<RequestSlots>>, Refusal> {
        let headers = request.headers();
        if headers.len() > self.context.limits.headers {
            return Err(Refusal::TooManyFields("more fields than limits.headers"));
        }
        if self.is_http2 && !self.activity.is_in_proportion(size(headers)) {
            return Err(Refusal::TooManyFields(
                "fields out of proportion to the bytes they came in",
            ));
        }
        if !self.door.is_bounded() {
            return Ok(None);
        }
        let bounds = &self.context.bounds;
        // The caller's bound comes first: beyond it, a caller takes no slot from the others.
        let caller = match self.door.caller(self.peer, headers) {
            Some(caller) => {
                let slot = bounds.caller_requests.take(caller);
                Some(slot.ok_or(Refusal::CallerBusy)?)
            }
            None => None,
        };
        let slot = bounds.requests.take().ok_or(Refusal::Busy)?;
        Ok(Some(Arc::new(RequestSlots {
            _slot: slot,
            _caller: caller,
        })))
    }
}
