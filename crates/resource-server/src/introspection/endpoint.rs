//! One request to the introspection endpoint, and the answer or the reason why there is none.
//!
//! Refuses every status but 200, every media type but the expected one, and a plain answer where a
//! signed one is demanded (RFC 9701): none of these says anything about the token, so each is an
//! outage for the caller.

use super::settings::IntrospectionSettings;
use crate::client_endpoint::{
    AssertionAudience, ClientEndpoint, EndpointFault, IssuerAccess, error_code,
};
use portcullis_core::jose::compact;
use portcullis_core::token::introspection::Answer;
use portcullis_core::{Limits, Outage, OutageCode};
use portcullis_provider::fetch::EndpointResponse;
use portcullis_provider::keys::KeyFault;
use portcullis_provider::metadata;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The introspection endpoint of an issuer.
pub(super) struct IntrospectionEndpoint {
    endpoint: ClientEndpoint,
    signed: bool,
}

/// Why there is no answer.
pub(super) struct IntrospectionFault {
    pub(super) code: OutageCode,
    pub(super) reason: String,
    /// Whether the endpoint itself is at fault, so that nobody else should ask for a while.
    pub(super) endpoint_fails: bool,
    pub(super) retry_after: Option<Duration>,
    /// Whether the endpoint does not accept our client's proof.
    pub(super) refuses_client: bool,
}

impl IntrospectionEndpoint {
    pub(super) fn new(settings: &IntrospectionSettings, access: IssuerAccess) -> Self {
        Self {
            endpoint: ClientEndpoint {
                configured: settings.endpoint.clone(),
                member: metadata::INTROSPECTION,
                client: Arc::clone(&settings.client),
                audience: AssertionAudience::Issuer,
                access,
            },
            signed: settings.signed,
        }
    }

    /// Asks about a token (RFC 7662, section 2.1).
    pub(super) async fn ask(&self, token: &str) -> Result<Answer, IntrospectionFault> {
        // A hint only: the server looks further if it finds no such access token.
        let members = [("token", token), ("token_type_hint", "access_token")];
        let (url, response) = self.endpoint.post(&members, self.media_type()).await?;
        self.read(&url, response).await
    }

    /// Whether neither the settings nor the metadata, which is known, say where to ask.
    pub(super) fn is_nowhere(&self) -> bool {
        self.endpoint.is_nowhere()
    }

    /// The id of the client that asks.
    pub(super) fn client(&self) -> &str {
        &self.endpoint.client.id
    }

    fn media_type(&self) -> &'static str {
        if self.signed { SIGNED } else { PLAIN }
    }

    async fn read(
        &self,
        url: &Url,
        response: EndpointResponse,
    ) -> Result<Answer, IntrospectionFault> {
        if response.status != 200 {
            return Err(IntrospectionFault::of_status(url, &response));
        }
        let expected = self.media_type();
        // A plain answer in place of a signed one could come from anybody on the way.
        if response.content_type != expected {
            let reason = format!("{url}: the answer is not `{expected}`");
            return Err(IntrospectionFault::of(reason));
        }
        if self.signed {
            return self.open(url, &response.body).await;
        }
        let limits = &self.endpoint.access.egress.limits;
        match Answer::parse(&response.body, limits) {
            Ok(answer) => Ok(answer),
            Err(fault) => Err(IntrospectionFault::of(format!("{url}: {fault}"))),
        }
    }

    /// A signed answer, by one of the issuer's keys and for this client (RFC 9701, section 5).
    async fn open(&self, url: &Url, body: &[u8]) -> Result<Answer, IntrospectionFault> {
        let fault = |reason: &str| IntrospectionFault::of(format!("{url}: {reason}"));
        let IssuerAccess { egress, keys } = &self.endpoint.access;
        let Ok(text) = std::str::from_utf8(body) else {
            return Err(fault("the signed answer is no text"));
        };
        // It holds all that the issuer knows of a token, so it may be as long as a document.
        let limits = Limits {
            token_bytes: egress.limits.document_bytes,
            ..egress.limits
        };
        let jws = match compact::parse_jws(text.trim(), &limits) {
            Ok(jws) => jws,
            Err(rejection) => {
                let facts = rejection.facts();
                return Err(fault(&format!("the signed answer is not a JWT ({facts})")));
            }
        };
        let signer = match keys.signer(&jws).await {
            Ok(Some(signer)) => signer,
            Ok(None) => return Err(fault("the signature of the answer is wrong")),
            Err(KeyFault::Outage(outage)) => return Err(IntrospectionFault::before(&outage)),
            Err(KeyFault::UnknownKey { .. } | KeyFault::WrongAlgorithm) => {
                let reason = "the signed answer is by a key that the issuer does not publish";
                return Err(fault(reason));
            }
        };
        // The audience must be this client: an answer to another client counts for nothing here.
        let (issuer, client) = (keys.issuer(), &self.endpoint.client.id);
        Answer::open(&jws, &[signer], issuer, client, &egress.limits)
            .map_err(|reason| fault(&reason.to_string()))
    }
}

impl IntrospectionFault {
    /// The endpoint is at fault.
    pub(super) fn of(reason: String) -> Self {
        Self {
            code: OutageCode::Introspection,
            reason,
            endpoint_fails: true,
            retry_after: None,
            refuses_client: false,
        }
    }

    fn of_status(url: &Url, response: &EndpointResponse) -> Self {
        let status = response.status;
        let hint = match status {
            401 | 403 => " (the issuer does not accept this client's proof)",
            300..=399 => " (redirects are not followed)",
            _ => "",
        };
        Self {
            // One odd token must not be able to keep everybody else from asking.
            endpoint_fails: status >= 500 || matches!(status, 200..=399 | 401 | 403 | 404 | 429),
            retry_after: response.retry_after,
            refuses_client: matches!(status, 401 | 403),
            ..Self::of(format!(
                "{url}: the answer was {status}{}{hint}",
                error_code(&response.body)
            ))
        }
    }

    /// We are at fault.
    fn ours(reason: String) -> Self {
        Self {
            endpoint_fails: false,
            ..Self::of(reason)
        }
    }

    /// Something that is needed for asking could not be had.
    fn before(outage: &Outage) -> Self {
        Self {
            code: outage.code(),
            reason: outage.facts().to_owned(),
            endpoint_fails: false,
            retry_after: Some(outage.retry_after()),
            refuses_client: false,
        }
    }
}

impl From<EndpointFault> for IntrospectionFault {
    fn from(fault: EndpointFault) -> Self {
        match fault {
            EndpointFault::Metadata(outage) => Self::before(&outage),
            EndpointFault::Missing => {
                let reason = "the issuer's metadata names no introspection endpoint: write it as \
                    `endpoint`";
                Self::ours(reason.to_owned())
            }
            EndpointFault::Client(reason) => Self::ours(reason),
            EndpointFault::Fetch(fault) => Self::of(fault.to_string()),
        }
    }
}

const PLAIN: &str = "application/json";
const SIGNED: &str = "application/token-introspection+jwt";
