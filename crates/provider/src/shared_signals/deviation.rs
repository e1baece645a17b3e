//! Where a stream is not as its receiver asked.

use super::stream::{DeliveryMethod, StreamConfiguration, StreamDelivery};
use super::stream_request::{DeliveryRequest, StreamRequest};
use portcullis_core::rejection::quote;
use std::fmt;

/// Something that is not as the receiver asked. The stream exists all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamDeviation {
    /// Events come in another way.
    Delivery {
        /// What was asked for.
        expected: DeliveryMethod,
        /// The URI of the method that the stream has.
        found: String,
    },
    /// Events go to another address.
    Endpoint {
        /// What was asked for.
        expected: String,
        /// Where they go.
        found: String,
    },
    /// The events are for another audience.
    Audience {
        /// What the receiver accepts.
        expected: String,
        /// What the stream has.
        found: Vec<String>,
    },
    /// Events of this type were asked for, and do not come.
    Missing(String),
    /// Events of this type come, and were not asked for.
    Surplus(String),
}

impl StreamConfiguration {
    /// Where the stream is not as `request` asks, or not for `audience`, if the receiver expects
    /// one. A missing type is usual: a transmitter has only some.
    pub fn deviations(
        &self,
        request: &StreamRequest<'_>,
        audience: Option<&str>,
    ) -> Vec<StreamDeviation> {
        let mut deviations = Vec::new();
        if let Some(delivery) = &request.delivery {
            deviations.extend(self.delivery_deviation(delivery));
        }
        if let Some(expected) = audience
            && !self.audience.iter().any(|it| it == expected)
        {
            deviations.push(StreamDeviation::Audience {
                expected: expected.to_owned(),
                found: self.audience.clone(),
            });
        }
        let Some(events) = request.events else {
            return deviations;
        };
        for event in events {
            if !self.events_delivered.contains(event) {
                deviations.push(StreamDeviation::Missing(event.clone()));
            }
        }
        for event in &self.events_delivered {
            if !events.contains(event) {
                deviations.push(StreamDeviation::Surplus(event.clone()));
            }
        }
        deviations
    }

    fn delivery_deviation(&self, request: &DeliveryRequest<'_>) -> Option<StreamDeviation> {
        match (request, &self.delivery) {
            (DeliveryRequest::Poll, StreamDelivery::Poll(_)) => None,
            (DeliveryRequest::Push { endpoint, .. }, StreamDelivery::Push(found)) => {
                let expected = endpoint.as_str();
                // The parser of URLs adds the slash of a bare host; a transmitter may leave it out.
                let is_same = found == expected || expected.strip_suffix('/') == Some(found);
                (!is_same).then(|| StreamDeviation::Endpoint {
                    expected: expected.to_owned(),
                    found: found.clone(),
                })
            }
            (request, found) => Some(StreamDeviation::Delivery {
                expected: request.method(),
                found: match found {
                    StreamDelivery::Push(_) => DeliveryMethod::Push.uri().to_owned(),
                    StreamDelivery::Poll(_) => DeliveryMethod::Poll.uri().to_owned(),
                    StreamDelivery::Other(uri) => uri.clone(),
                },
            }),
        }
    }
}

impl StreamDeviation {
    /// Whether the stream is of no use to its receiver like this: events go elsewhere, come in
    /// another way, or will be refused.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::Missing(_) | Self::Surplus(_))
    }
}

impl fmt::Display for StreamDeviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivery { expected, found } => write!(
                f,
                "delivery: expected `{}`, found {}",
                expected.uri(),
                quote(found)
            ),
            Self::Endpoint { expected, found } => write!(
                f,
                "endpoint_url: expected `{expected}`, found {}",
                quote(found)
            ),
            Self::Audience { expected, found } => write!(
                f,
                "aud: expected `{expected}`, found {}",
                quote(&found.join(", "))
            ),
            Self::Missing(event) => write!(f, "{} does not come", quote(event)),
            Self::Surplus(event) => write!(f, "{} comes unasked", quote(event)),
        }
    }
}
