//! Requests to an API that speaks JSON: any method, the caller's authorization, and a wait that the
//! caller chooses.
//!
//! The rules are those of [`EndpointRequest`](super::EndpointRequest).

use super::{Authorization, EndpointResponse, Fetch, FetchFault, Reach};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// A request to an API.
pub(crate) struct JsonRequest<'r> {
    pub(crate) method: Method,
    pub(crate) url: &'r Url,
    /// Where that may lead.
    pub(crate) reach: Reach,
    /// The document that goes out, if any. It may hold a secret.
    pub(crate) body: Option<Zeroizing<Vec<u8>>>,
    pub(crate) authorization: Option<&'r Authorization>,
    /// How long the whole exchange may take, where the usual five seconds are not enough.
    pub(crate) within: Option<Duration>,
}

impl Fetch {
    /// Sends the request, and reads the response within the limit, whatever its status.
    pub(crate) async fn ask_json(
        &self,
        request: JsonRequest<'_>,
    ) -> Result<EndpointResponse, FetchFault> {
        let JsonRequest {
            method,
            url,
            reach,
            body,
            authorization,
            within,
        } = request;
        let client = self.client_for(url, reach).await?;
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        let mut outgoing = client
            .request(method, url.clone())
            .header(ACCEPT, JSON);
        if let Some(body) = body {
            outgoing = outgoing.header(CONTENT_TYPE, JSON).body(body.to_vec());
        }
        if let Some(authorization) = authorization {
            outgoing = authorization.apply(outgoing);
        }
        if let Some(within) = within {
            outgoing = outgoing.timeout(within);
        }
        match outgoing.send().await {
            Ok(response) => self.read_response(url, response).await,
            Err(error) => Err(self.network_fault(url, &error).await),
        }
    }
}

const JSON: &str = "application/json";
