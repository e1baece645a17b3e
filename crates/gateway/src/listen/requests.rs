//! The requests of one connection: checked against the bounds, then answered by a door.
//!
//! A request with too many header fields, or with fields out of proportion to the bytes received,
//! gets 431. A request without a free place gets 503. It keeps its place until the client has read
//! the answer.

use crate::door::interface::Door;
use crate::forward::body::Body;
use crate::listen::response_body::ResponseBody;
use crate::listen::shares::Shares;
use crate::refusal::Refusal;
use crate::request::peer::Peer;
use crate::transport::activity::{Activity, OpenRequest};
use crate::transport::client_body::{BodyTerms, ClientBody, size};
use crate::transport::places::RequestPlaces;
use bytes::Bytes;
use http::header::{EXPECT, STRICT_TRANSPORT_SECURITY, UPGRADE};
use http::{HeaderValue, Method, Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use portcullis_resource_server::request_id;
use std::convert::Infallible;
use std::sync::Arc;

/// The requests of one connection.
pub(crate) struct ConnectionRequests<D> {
    pub(crate) door: D,
    pub(crate) peer: Peer,
    pub(crate) hsts: Option<HeaderValue>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) shares: Shares,
    pub(crate) is_http2: bool,
}

impl<D: Door> ConnectionRequests<D> {
    /// Answers a request. It is under way from this call on, not from the first poll.
    pub(crate) fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> + Send + use<D> {
        let (begun, requests) = (self.activity.begin(), Arc::clone(self));
        async move { Ok(requests.answer_begun(request, begun).await) }
    }

    async fn answer_begun(
        &self,
        request: Request<Incoming>,
        begun: OpenRequest,
    ) -> Response<ResponseBody> {
        let (parts, body) = request.into_parts();
        let Shares { limits, bounds, .. } = &self.shares;
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
        let (mut response, places) = match self.admit(&request) {
            Ok(places) => {
                // A tunnel outlives its answer, and keeps the places.
                if let Some(places) = places
                    .as_ref()
                    .filter(|_| request.headers().contains_key(UPGRADE))
                {
                    request.extensions_mut().insert(Arc::clone(places));
                }
                (self.door.answer(self.peer, request).await, places)
            }
            Err(refusal) => {
                let request_id = request_id(request.headers());
                self.shares.count_refusal(&refusal);
                (self.door.refuse(refusal, &request_id, &request), None)
            }
        };
        // Over HTTP/2 hyper would send the body of a refusal, which no client of HTTP/2 accepts
        // here.
        if is_head && !response.body().is_end_stream() {
            *response.body_mut() = Body::from(Bytes::new());
        }
        if let Some(hsts) = &self.hsts {
            response
                .headers_mut()
                .insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
        let begun = begun.answered();
        response.map(|body| ResponseBody::new(body, self.is_http2, begun, places))
    }

    /// Takes the places of a request whose fields are within bounds. Probes take none.
    fn admit(&self, request: &Request<ClientBody>) -> Result<Option<Arc<RequestPlaces>>, Refusal> {
        let headers = request.headers();
        if headers.len() > self.shares.limits.headers {
            return Err(Refusal::TooManyFields("more fields than limits.headers"));
        }
        if self.is_http2 && !self.activity.is_in_proportion(size(headers)) {
            return Err(Refusal::TooManyFields(
                "fields out of proportion to the bytes they came in",
            ));
        }
        if !D::BOUNDED {
            return Ok(None);
        }
        let bounds = &self.shares.bounds;
        let caller = match self.door.caller(self.peer, headers) {
            Some(caller) => Some(
                bounds
                    .caller_requests
                    .take(caller)
                    .ok_or(Refusal::CallerBusy)?,
            ),
            None => None,
        };
        let place = bounds.requests.take().ok_or(Refusal::Busy)?;
        Ok(Some(Arc::new(RequestPlaces {
            _place: place,
            _caller: caller,
        })))
    }
}
