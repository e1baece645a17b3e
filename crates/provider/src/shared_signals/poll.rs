//! Fetching the events of a stream (RFC 8936).

use super::fault::{TransmitterFault, TransmitterFaultKind};
use super::request;
use super::stream_request::member;
use crate::egress::Egress;
use crate::fetch::{Authorization, JsonRequest, Reach};
use http::Method;
use portcullis_core::Limits;
use portcullis_core::jose::json::{Json, Object};
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// One request for events. What it acknowledges is not sent again.
#[derive(Clone, Copy, Debug)]
pub struct PollRequest<'p> {
    /// `endpoint_url` of the stream.
    pub url: &'p Url,
    /// Where that may lead: [`Transmitter::reach`](super::Transmitter::reach) for an address that
    /// the transmitter names, anywhere for one that the operator wrote.
    pub reach: Reach,
    /// The authorization; usually the one that manages the stream.
    pub authorization: Option<&'p Authorization>,
    /// `ack`: the `jti` of events that were taken for good: their effect is stored.
    pub ack: &'p [String],
    /// `setErrs`: events that cannot be used. They are not sent again either.
    pub errors: &'p [SetError],
    /// `maxEvents`: how many events the response should hold; with 0 it only acknowledges. No more
    /// are asked for than fit into [`document_bytes`](portcullis_core::Limits::document_bytes), at
    /// 4 KiB each: a response that is too large would come again for ever.
    pub most: usize,
    /// How long the transmitter may hold the request until there is an event; zero for an answer at
    /// once (`returnImmediately`). How long it does is up to the transmitter: a request that it
    /// still holds five seconds later ends without events.
    pub wait: Duration,
}

/// An event that cannot be used, and why (RFC 8936, section 2.4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetError {
    /// The key of the event in `sets`.
    pub jti: String,
    /// `err`: a code of RFC 8935, section 2.4, such as `invalid_key`.
    pub code: &'static str,
    /// `description`: for the people of the transmitter. Nothing from the event belongs here.
    pub description: &'static str,
}

/// Events, each by its `jti`, in the order of the response. Nothing in them is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollResponse {
    /// The `jti` of each event, as the transmitter names it, and the signed token.
    pub sets: Vec<(String, String)>,
    /// `moreAvailable`: others wait, so ask again at once.
    pub more: bool,
}

/// The size of an event, in bytes, that is large already: most have less than half of it.
const EVENT: usize = 4 * 1024;

/// What an exchange may take beyond the wait.
const EXCHANGE: Duration = Duration::from_secs(5);

impl PollRequest<'_> {
    /// Sends the request. Give it a way out of its own ([`Egress::for_endpoints`]): it occupies a
    /// slot as long as it waits.
    ///
    /// The response may hold more than [`most`](Self::most) events, from a transmitter that ignores
    /// it, and at most as many as fit into
    /// [`document_bytes`](portcullis_core::Limits::document_bytes).
    ///
    /// # Errors
    ///
    /// Any fault: nothing was fetched, and what the request acknowledges has to be acknowledged
    /// again.
    pub async fn send(&self, egress: &Egress) -> Result<PollResponse, TransmitterFault> {
        let body = self
            .write(&egress.limits)
            .and_then(|body| serde_json::to_vec(&body).ok());
        let Some(body) = body else {
            let reason = "an event has two errors";
            return Err(TransmitterFault::of_content(self.url, reason));
        };
        let request = JsonRequest {
            method: Method::POST,
            url: self.url,
            reach: self.reach,
            body: Some(Zeroizing::new(body)),
            authorization: self.authorization,
            within: Some(self.within()),
        };
        let response = match request::send(egress, request, &[200]).await {
            Ok(response) => response,
            Err(fault) => return self.settle(fault),
        };
        let object = request::object(egress, self.url, &response)?;
        PollResponse::read(&object)
            .map_err(|reason| TransmitterFault::of_content(self.url, &reason))
    }

    /// A request that waited for events, and outlived the wait, found none. Should what it
    /// acknowledged have been missed, then that comes again.
    pub(super) fn settle(&self, fault: TransmitterFault) -> Result<PollResponse, TransmitterFault> {
        match fault.kind {
            TransmitterFaultKind::Slow if !self.wait.is_zero() => Ok(PollResponse::default()),
            _ => Err(fault),
        }
    }

    /// How long the whole exchange may take.
    pub(super) fn within(&self) -> Duration {
        self.wait.saturating_add(EXCHANGE)
    }

    /// None if two errors are about one event.
    fn write(&self, limits: &Limits) -> Option<Object> {
        let most = self.most.min((limits.document_bytes / EVENT).max(1));
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut members = vec![
            ("maxEvents".into(), Json::from(most)),
            ("returnImmediately".into(), self.wait.is_zero().into()),
        ];
        if !self.ack.is_empty() {
            let ack = self.ack.iter().map(|jti| Json::from(jti.as_str()));
            members.push(("ack".into(), Json::Array(ack.collect())));
        }
        if !self.errors.is_empty() {
            let mut errors = Vec::new();
            for error in self.errors {
                let about = [
                    member("err", error.code),
                    member("description", error.description),
                ];
                errors.push((error.jti.as_str().into(), Json::Object(Object::new(about)?)));
            }
            members.push(("setErrs".into(), Json::Object(Object::new(errors)?)));
        }
        Object::new(members)
    }
}

impl PollResponse {
    fn read(object: &Object) -> Result<Self, String> {
        let none = Object::default();
        let sets = match object.get("sets") {
            // A response to a request that only acknowledges need not name any.
            None | Some(Json::Null) => &none,
            Some(Json::Object(sets)) => sets,
            Some(_) => return Err("its `sets` is no object".to_owned()),
        };
        let mut events = Vec::new();
        for (jti, set) in sets.iter() {
            match set.as_str() {
                Some(set) => events.push((jti.to_owned(), set.to_owned())),
                None => return Err("a member of its `sets` is no string".to_owned()),
            }
        }
        let more = match object.get("moreAvailable") {
            None | Some(Json::Null) => false,
            Some(Json::Bool(more)) => *more,
            Some(_) => return Err("its `moreAvailable` is neither true nor false".to_owned()),
        };
        Ok(Self { sets: events, more })
    }
}
