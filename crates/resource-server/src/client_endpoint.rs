//! An endpoint of an issuer that is asked in the name of one of the issuer's clients: where it is,
//! how the client proves itself, and the request.
//!
//! Introspection and the token for a directory both go out through it. What counts as a proper
//! response is for each of them to say.

use portcullis_core::jose::json::{self, Json};
use portcullis_core::{Limits, Outage};
use portcullis_provider::client_auth::ClientAuth;
use portcullis_provider::egress::Egress;
use portcullis_provider::fetch::{EndpointRequest, EndpointResponse, FetchFault, Reach};
use portcullis_provider::keys::KeyCache;
use std::sync::Arc;
use url::Url;

/// What it takes to ask an issuer anything: the way out, and the issuer's keys and metadata. Clones
/// share both.
#[derive(Clone)]
pub(crate) struct IssuerAccess {
    pub(crate) egress: Egress,
    pub(crate) keys: Arc<KeyCache>,
}

/// An endpoint of an issuer, and the client in whose name it is asked.
pub(crate) struct ClientEndpoint {
    /// The address that the operator wrote; `None` where the metadata names it.
    pub(crate) configured: Option<Url>,
    /// The endpoint's name in the metadata.
    pub(crate) member: &'static str,
    pub(crate) client: Arc<ClientAuth>,
    pub(crate) audience: AssertionAudience,
    pub(crate) access: IssuerAccess,
}

/// The audience of a client's assertion. RFC 7523, section 3, leaves it open.
#[derive(Clone, Copy)]
pub(crate) enum AssertionAudience {
    /// The issuer identifier.
    Issuer,
    /// The address of the endpoint: Entra ID takes no other.
    Endpoint,
}

/// Why an endpoint gave no response.
pub(crate) enum EndpointFault {
    /// The issuer's metadata cannot be had, so nobody knows where to ask.
    Metadata(Outage),
    /// The metadata names no such endpoint.
    Missing,
    /// The client cannot prove itself.
    Client(String),
    /// The endpoint gave no response.
    Fetch(FetchFault),
}

/// Why a trial of an endpoint failed.
pub(crate) struct ProbeFault {
    pub(crate) reason: String,
    /// Whether it answered, and does not accept our client.
    pub(crate) refuses_client: bool,
}

impl ClientEndpoint {
    /// Sends a form with these members, and the address that it went to beside the response.
    pub(crate) async fn post(
        &self,
        members: &[(&str, &str)],
        accept: &'static str,
    ) -> Result<(Url, EndpointResponse), EndpointFault> {
        let (url, reach) = self.locate().await?;
        // Made for each request: an assertion lasts a minute, and must not be sent twice.
        let audience = match self.audience {
            AssertionAudience::Issuer => self.access.keys.issuer().as_str(),
            AssertionAudience::Endpoint => url.as_str(),
        };
        let Egress { fetch, clock, .. } = &self.access.egress;
        let (body, authorization) = self
            .client
            .form(members, audience, clock.now())
            .map_err(EndpointFault::Client)?;
        let request = EndpointRequest {
            url: &url,
            reach,
            body,
            accept,
            authorization,
            proof: None,
        };
        let response = fetch
            .ask(request)
            .await
            .map_err(EndpointFault::Fetch)?;
        Ok((url, response))
    }

    /// Whether the metadata is known and names no such endpoint, and the operator wrote none.
    pub(crate) fn is_nowhere(&self) -> bool {
        if self.configured.is_some() {
            return false;
        }
        // Before the first fetch nothing is missing yet.
        match self.access.keys.known_metadata() {
            Some((metadata, _)) => !metadata.names(self.member),
            None => false,
        }
    }

    /// The address, and where it may lead: an address that the operator wrote may lead anywhere,
    /// one from a public issuer's metadata only outside.
    async fn locate(&self) -> Result<(Url, Reach), EndpointFault> {
        if let Some(url) = &self.configured {
            return Ok((url.clone(), Reach::Anywhere));
        }
        // Asked each time: the issuer may move its endpoint while this server runs.
        let (metadata, reach) = self
            .access
            .keys
            .metadata()
            .await
            .map_err(EndpointFault::Metadata)?;
        match metadata.endpoint(self.member, &self.client) {
            Some(url) => Ok((url.clone(), reach)),
            None => Err(EndpointFault::Missing),
        }
    }
}

/// The code of an error answer (RFC 6749, section 5.2), or of Microsoft Graph's, as a piece of a
/// sentence; empty where there is none. Its description is left out: it may repeat the request.
pub(crate) fn error_code(body: &[u8]) -> String {
    let Ok(Json::Object(answer)) = json::parse(body, &Limits::default()) else {
        return String::new();
    };
    let code = match answer.get("error") {
        Some(Json::Object(error)) => error.get("code"),
        code => code,
    };
    match code.and_then(Json::as_str) {
        Some(code) if is_code(code) => format!(" with the error `{code}`"),
        _ => String::new(),
    }
}

/// A word of a standard or of a provider. Anything longer could be a token.
fn is_code(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=48).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_error_is_kept_and_nothing_else() {
        let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(49));
        for (body, told) in [
            (
                r#"{"error":"invalid_client","error_description":"secret"}"#,
                " with the error `invalid_client`",
            ),
            (
                r#"{"error":{"code":"Request_ResourceNotFound","message":"secret"}}"#,
                " with the error `Request_ResourceNotFound`",
            ),
            (r#"{"error":"two words"}"#, ""),
            (&long, ""),
            ("<html>", ""),
            ("[]", ""),
        ] {
            assert_eq!(error_code(body.as_bytes()), told, "{body}");
        }
    }
}
