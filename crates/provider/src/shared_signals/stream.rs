//! The configuration of a stream (SSF 1.0, section 8.1.1), as a transmitter tells it.

use crate::member;
use portcullis_core::jose::json::{Json, Object};
use portcullis_core::rejection::quote;
use portcullis_core::token::Issuer;
use std::time::Duration;
use url::Url;

/// A stream of events, as its transmitter describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamConfiguration {
    /// `stream_id`.
    pub id: String,
    /// `iss`: the transmitter, the `iss` of every event.
    pub issuer: Issuer,
    /// `aud`: what the events are for; at least one.
    pub audience: Vec<String>,
    /// `delivery`: how events come.
    pub delivery: StreamDelivery,
    /// `events_supported`: types that the transmitter has; empty if it does not say.
    pub events_supported: Vec<String>,
    /// `events_requested`: types that the receiver asked for.
    pub events_requested: Vec<String>,
    /// `events_delivered`: types that come. A receiver relies on these.
    pub events_delivered: Vec<String>,
    /// `description`.
    pub description: Option<String>,
    /// `min_verification_interval`: how far apart verification requests must be.
    pub min_verification_interval: Option<Duration>,
    /// `inactivity_timeout`: after this time without a request about the stream, the transmitter
    /// may pause, disable or delete it. Polling, verifying and reading its status count.
    pub inactivity_timeout: Option<Duration>,
}

/// How the events of a stream come. The `authorization_header` of a push is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamDelivery {
    /// RFC 8935: the transmitter posts each event to this address of the receiver.
    Push(String),
    /// RFC 8936: the receiver fetches events at this address of the transmitter.
    Poll(Url),
    /// Another method, with its URI.
    Other(String),
}

/// How events can be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "SSF 1.0 knows these two")]
pub enum DeliveryMethod {
    /// `urn:ietf:rfc:8935`
    Push,
    /// `urn:ietf:rfc:8936`
    Poll,
}

impl DeliveryMethod {
    /// Its URI.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Push => "urn:ietf:rfc:8935",
            Self::Poll => "urn:ietf:rfc:8936",
        }
    }

    /// The method of a URI, also by the names of the first drafts.
    pub fn of_uri(uri: &str) -> Option<Self> {
        match uri {
            "urn:ietf:rfc:8935"
            | "https://schemas.openid.net/secevent/risc/delivery-method/push" => Some(Self::Push),
            "urn:ietf:rfc:8936"
            | "https://schemas.openid.net/secevent/risc/delivery-method/poll" => Some(Self::Poll),
            _ => None,
        }
    }
}

impl StreamDelivery {
    /// Its method; none for one that is unknown.
    pub fn method(&self) -> Option<DeliveryMethod> {
        match self {
            Self::Push(_) => Some(DeliveryMethod::Push),
            Self::Poll(_) => Some(DeliveryMethod::Poll),
            Self::Other(_) => None,
        }
    }
}

impl StreamConfiguration {
    /// Reads a stream of this transmitter.
    pub(super) fn read(object: &Object, issuer: &Issuer, plain_http: bool) -> Result<Self, String> {
        let id = require_text(object, "stream_id")?;
        let named = require_text(object, "iss")?;
        // Section 8.1.1.1: otherwise events of another issuer would seem to be expected.
        if named != issuer.as_str() {
            let (id, named) = (quote(&id), quote(&named));
            return Err(format!(
                "the stream {id} is of another issuer: expected `{issuer}`, found {named}"
            ));
        }
        Ok(Self {
            id,
            issuer: issuer.clone(),
            audience: audience(object)?,
            delivery: delivery(object, plain_http)?,
            events_supported: member::texts(object, "events_supported")?,
            events_requested: member::texts(object, "events_requested")?,
            events_delivered: match object.get("events_delivered") {
                Some(Json::Array(_)) => member::texts(object, "events_delivered")?,
                _ => return Err("the stream has no list `events_delivered`".to_owned()),
            },
            description: member::text(object, "description")?.map(str::to_owned),
            min_verification_interval: seconds(object, "min_verification_interval")?,
            inactivity_timeout: seconds(object, "inactivity_timeout")?,
        })
    }
}

/// The text of a member that must be there and not empty.
pub(super) fn require_text(object: &Object, name: &str) -> Result<String, String> {
    match member::text(object, name)? {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("the answer names no `{name}`")),
    }
}

fn audience(object: &Object) -> Result<Vec<String>, String> {
    let audience = match object.get("aud") {
        Some(Json::String(text)) => vec![text.to_string()],
        _ => member::texts(object, "aud")?,
    };
    // Events for nobody could not be accepted.
    if audience.is_empty() || audience.iter().any(String::is_empty) {
        return Err("the stream names no `aud`".to_owned());
    }
    Ok(audience)
}

fn delivery(object: &Object, plain_http: bool) -> Result<StreamDelivery, String> {
    let Some(delivery) = object.get("delivery").and_then(Json::as_object) else {
        return Err("the stream has no `delivery`".to_owned());
    };
    let method = require_text(delivery, "method")?;
    match DeliveryMethod::of_uri(&method) {
        Some(DeliveryMethod::Push) => Ok(StreamDelivery::Push(require_text(
            delivery,
            "endpoint_url",
        )?)),
        Some(DeliveryMethod::Poll) => {
            match member::address(delivery, "endpoint_url", plain_http)? {
                Some(url) => Ok(StreamDelivery::Poll(url)),
                None => Err("the stream names no `endpoint_url` to poll".to_owned()),
            }
        }
        None => Ok(StreamDelivery::Other(method)),
    }
}

fn seconds(object: &Object, name: &str) -> Result<Option<Duration>, String> {
    match object.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => match value.as_i64().map(u64::try_from) {
            Some(Ok(seconds)) => Ok(Some(Duration::from_secs(seconds))),
            _ => Err(format!("its `{name}` is no number of seconds")),
        },
    }
}
