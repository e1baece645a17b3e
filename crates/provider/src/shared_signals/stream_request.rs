//! What a receiver asks of a stream.

use super::stream::DeliveryMethod;
use crate::client_auth::Secret;
use portcullis_core::jose::json::{Json, Object, Text};
use url::Url;

/// The properties of a stream that its receiver chooses. What is none is not sent: a new stream
/// then has the transmitter's default, a changed one keeps what it has.
#[derive(Clone, Debug, Default)]
pub struct StreamRequest<'r> {
    /// How events should come.
    pub delivery: Option<DeliveryRequest<'r>>,
    /// The URIs of the types that the receiver wants.
    pub events: Option<&'r [String]>,
    /// A text for people that tells this stream from others.
    pub description: Option<&'r str>,
}

/// How events should come.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DeliveryRequest<'r> {
    /// RFC 8935: the transmitter posts each event to the receiver.
    Push {
        /// The address of the receiver.
        endpoint: &'r Url,
        /// The header `Authorization` of every such request.
        authorization: Option<&'r Secret>,
    },
    /// RFC 8936: the receiver fetches events. The transmitter names the address.
    Poll,
}

impl DeliveryRequest<'_> {
    /// Its method.
    pub fn method(&self) -> DeliveryMethod {
        match self {
            Self::Push { .. } => DeliveryMethod::Push,
            Self::Poll => DeliveryMethod::Poll,
        }
    }

    fn write(&self) -> Option<Json> {
        let mut members = vec![member("method", self.method().uri())];
        if let Self::Push {
            endpoint,
            authorization,
        } = self
        {
            members.push(member("endpoint_url", endpoint.as_str()));
            if let Some(secret) = authorization {
                members.push(member("authorization_header", secret.expose()));
            }
        }
        Object::new(members).map(Json::Object)
    }
}

impl StreamRequest<'_> {
    /// The body of a request: for a new stream, or for this one.
    pub(super) fn write(&self, stream: Option<&str>) -> Option<Object> {
        let mut members = Vec::new();
        if let Some(id) = stream {
            members.push(member("stream_id", id));
        }
        if let Some(delivery) = &self.delivery {
            members.push(("delivery".into(), delivery.write()?));
        }
        if let Some(events) = self.events {
            let events = events.iter().map(|event| Json::from(event.as_str()));
            members.push(("events_requested".into(), Json::Array(events.collect())));
        }
        if let Some(description) = self.description {
            members.push(member("description", description));
        }
        Object::new(members)
    }
}

/// A member whose value is a text.
pub(super) fn member(name: &str, text: &str) -> (Text, Json) {
    (name.into(), text.into())
}
