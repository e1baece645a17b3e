//! The management of streams (SSF 1.0, section 8.1).

use super::fault::TransmitterFault;
use super::metadata::TransmitterEndpoint;
use super::request;
use super::status::{StreamState, StreamStatus};
use super::stream::StreamConfiguration;
use super::stream_request::{StreamRequest, member};
use super::transmitter::Transmitter;
use crate::fetch::{Authorization, EndpointResponse, JsonRequest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use http::Method;
use portcullis_core::jose::base64url;
use portcullis_core::jose::json::{Json, Object, Text};
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// The streams that one authorization gives access to. Every stream that comes back is of the
/// transmitter: its `iss` was compared.
#[derive(Clone, Copy)]
pub struct StreamManagement<'t> {
    transmitter: &'t Transmitter,
    authorization: &'t Authorization,
}

impl Transmitter {
    /// Manages streams with this authorization. It goes to the endpoints that the metadata names,
    /// and nowhere else.
    pub fn manage<'t>(&'t self, authorization: &'t Authorization) -> StreamManagement<'t> {
        StreamManagement {
            transmitter: self,
            authorization,
        }
    }
}

impl<'t> StreamManagement<'t> {
    /// Creates a stream. [`StreamConfiguration::deviations`] tells where it is not as asked.
    ///
    /// # Errors
    ///
    /// [`Conflict`](super::TransmitterFaultKind::Conflict) if the caller has a stream and may have
    /// one only; any other fault.
    pub async fn create(
        &self,
        stream: &StreamRequest<'_>,
    ) -> Result<StreamConfiguration, TransmitterFault> {
        let url = self.endpoint(TransmitterEndpoint::Configuration)?;
        let body = stream.write(None);
        // 200 is what some transmitters answer; the document decides.
        let response = self.send(Method::POST, url, body, &[201, 200]).await?;
        self.stream(url, &response)
    }

    /// Reads one stream.
    ///
    /// # Errors
    ///
    /// [`NotFound`](super::TransmitterFaultKind::NotFound) if the caller has none of this id; any
    /// other fault.
    pub async fn read(&self, stream: &str) -> Result<StreamConfiguration, TransmitterFault> {
        let url = with_stream(self.endpoint(TransmitterEndpoint::Configuration)?, stream);
        let response = self.send(Method::GET, &url, None, &[200]).await?;
        self.expect_stream(&url, stream, &response)
    }

    /// Reads all streams of the caller.
    ///
    /// # Errors
    ///
    /// Any fault; also one of another issuer among the streams.
    pub async fn list(&self) -> Result<Vec<StreamConfiguration>, TransmitterFault> {
        let url = self.endpoint(TransmitterEndpoint::Configuration)?;
        let response = self.send(Method::GET, url, None, &[200]).await?;
        let document = request::document(&self.transmitter.egress, url, &response)?;
        let elements = match document {
            Json::Array(elements) => elements,
            // Drafts before the final text answer with the stream itself, if there is one only.
            single @ Json::Object(_) => vec![single],
            _ => return Err(TransmitterFault::of_content(url, "the answer is no list")),
        };
        let mut streams = Vec::new();
        for element in &elements {
            match element.as_object() {
                Some(object) => streams.push(self.configuration(url, object)?),
                None => return Err(TransmitterFault::of_content(url, "a stream is no object")),
            }
        }
        Ok(streams)
    }

    /// Changes what `change` names, and leaves the rest (PATCH).
    ///
    /// # Errors
    ///
    /// [`Pending`](super::TransmitterFaultKind::Pending) if the transmitter has not decided yet;
    /// any other fault.
    pub async fn update(
        &self,
        stream: &str,
        change: &StreamRequest<'_>,
    ) -> Result<StreamConfiguration, TransmitterFault> {
        self.change(Method::PATCH, stream, change).await
    }

    /// Replaces all that the receiver chooses (PUT). What `whole` does not name is deleted.
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    pub async fn replace(
        &self,
        stream: &str,
        whole: &StreamRequest<'_>,
    ) -> Result<StreamConfiguration, TransmitterFault> {
        self.change(Method::PUT, stream, whole).await
    }

    async fn change(
        &self,
        method: Method,
        stream: &str,
        change: &StreamRequest<'_>,
    ) -> Result<StreamConfiguration, TransmitterFault> {
        let url = self.endpoint(TransmitterEndpoint::Configuration)?;
        let body = change.write(Some(stream));
        let response = self.send(method, url, body, &[200]).await?;
        self.expect_stream(url, stream, &response)
    }

    /// Deletes a stream, with the events that wait in it.
    ///
    /// # Errors
    ///
    /// Any fault.
    pub async fn delete(&self, stream: &str) -> Result<(), TransmitterFault> {
        let url = with_stream(self.endpoint(TransmitterEndpoint::Configuration)?, stream);
        // 204 by the specification; 200 is what some transmitters answer.
        self.send(Method::DELETE, &url, None, &[204, 200])
            .await?;
        Ok(())
    }

    /// Whether a stream is enabled.
    ///
    /// # Errors
    ///
    /// Any fault.
    pub async fn status(&self, stream: &str) -> Result<StreamStatus, TransmitterFault> {
        let url = with_stream(self.endpoint(TransmitterEndpoint::Status)?, stream);
        let response = self.send(Method::GET, &url, None, &[200]).await?;
        self.status_of(&url, stream, &response)
    }

    /// Enables, pauses or disables a stream. `reason` is for the people of the transmitter.
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    pub async fn set_status(
        &self,
        stream: &str,
        state: StreamState,
        reason: Option<&str>,
    ) -> Result<StreamStatus, TransmitterFault> {
        let url = self.endpoint(TransmitterEndpoint::Status)?;
        let mut members = vec![member("stream_id", stream), member("status", state.name())];
        if let Some(reason) = reason {
            members.push(member("reason", reason));
        }
        let body = Object::new(members);
        let response = self.send(Method::POST, url, body, &[200]).await?;
        self.status_of(url, stream, &response)
    }

    /// Asks for a verification event with this `state`, which [`verification_state`] makes. The
    /// event comes over the stream: before this returns, or much later. A verification event with
    /// another `state` is no answer to this request.
    ///
    /// # Errors
    ///
    /// [`TooMany`](super::TransmitterFaultKind::TooMany) if the stream's
    /// `min_verification_interval` is not over; any other fault.
    pub async fn verify(&self, stream: &str, state: &str) -> Result<(), TransmitterFault> {
        let url = self.endpoint(TransmitterEndpoint::Verification)?;
        let body = Object::new([member("stream_id", stream), member("state", state)]);
        // 202 from those that put it into a queue first: the event shows whether it came.
        self.send(Method::POST, url, body, &[204, 200, 202])
            .await?;
        Ok(())
    }

    /// Asks for events about a subject (RFC 9493), for a transmitter whose streams begin with
    /// nobody. Success does not mean that events about it will come.
    ///
    /// # Errors
    ///
    /// Any fault.
    pub async fn add_subject(
        &self,
        stream: &str,
        subject: &Object,
    ) -> Result<(), TransmitterFault> {
        self.subject(TransmitterEndpoint::AddSubject, stream, subject)
            .await
    }

    /// Asks for no more events about a subject. Some may come all the same.
    ///
    /// # Errors
    ///
    /// Any fault.
    pub async fn remove_subject(
        &self,
        stream: &str,
        subject: &Object,
    ) -> Result<(), TransmitterFault> {
        self.subject(TransmitterEndpoint::RemoveSubject, stream, subject)
            .await
    }

    async fn subject(
        &self,
        endpoint: TransmitterEndpoint,
        stream: &str,
        subject: &Object,
    ) -> Result<(), TransmitterFault> {
        let url = self.endpoint(endpoint)?;
        let subject = (Text::from("subject"), Json::Object(subject.clone()));
        let body = Object::new([member("stream_id", stream), subject]);
        self.send(Method::POST, url, body, &[200, 204]).await?;
        Ok(())
    }

    fn endpoint(&self, endpoint: TransmitterEndpoint) -> Result<&'t Url, TransmitterFault> {
        let found = self.transmitter.metadata.endpoint(endpoint);
        found.ok_or_else(|| TransmitterFault::without_endpoint(endpoint.name()))
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        body: Option<Object>,
        expected: &[u16],
    ) -> Result<EndpointResponse, TransmitterFault> {
        let body = match body.map(|body| serde_json::to_vec(&body)) {
            None => None,
            Some(Ok(text)) => Some(Zeroizing::new(text)),
            Some(Err(error)) => {
                return Err(TransmitterFault::of_content(url, &error.to_string()));
            }
        };
        let request = JsonRequest {
            method,
            url,
            reach: self.transmitter.reach,
            body,
            authorization: Some(self.authorization),
            within: None,
        };
        request::send(&self.transmitter.egress, request, expected).await
    }

    fn stream(
        &self,
        url: &Url,
        response: &EndpointResponse,
    ) -> Result<StreamConfiguration, TransmitterFault> {
        let object = request::object(&self.transmitter.egress, url, response)?;
        self.configuration(url, &object)
    }

    /// The stream of a response, which must be the one that was asked about.
    fn expect_stream(
        &self,
        url: &Url,
        stream: &str,
        response: &EndpointResponse,
    ) -> Result<StreamConfiguration, TransmitterFault> {
        let found = self.stream(url, response)?;
        match found.id == stream {
            true => Ok(found),
            false => Err(TransmitterFault::of_content(
                url,
                "the answer is about another stream",
            )),
        }
    }

    fn configuration(
        &self,
        url: &Url,
        object: &Object,
    ) -> Result<StreamConfiguration, TransmitterFault> {
        let issuer = &self.transmitter.metadata.issuer;
        let plain_http = self.transmitter.egress.fetch.allows_plain_http();
        StreamConfiguration::read(object, issuer, plain_http)
            .map_err(|reason| TransmitterFault::of_content(url, &reason))
    }

    fn status_of(
        &self,
        url: &Url,
        stream: &str,
        response: &EndpointResponse,
    ) -> Result<StreamStatus, TransmitterFault> {
        let object = request::object(&self.transmitter.egress, url, response)?;
        StreamStatus::read(&object, stream)
            .map_err(|reason| TransmitterFault::of_content(url, &reason))
    }
}

/// A random `state` for a verification request: 128 bits in base64url. None if this machine has no
/// random numbers.
pub fn verification_state() -> Option<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(base64url::encode(&bytes))
}

fn with_stream(endpoint: &Url, stream: &str) -> Url {
    let mut url = endpoint.clone();
    url.query_pairs_mut().append_pair("stream_id", stream);
    url
}

/// Shows the transmitter only.
impl fmt::Debug for StreamManagement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the streams at {}", self.transmitter.metadata.issuer)
    }
}
