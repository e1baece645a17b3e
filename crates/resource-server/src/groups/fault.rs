//! Why there are no groups, and the JSON document of a proper answer.

use crate::client_endpoint::{EndpointFault, error_code};
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json};
use portcullis_provider::fetch::{EndpointResponse, FetchFault};
use std::time::Duration;
use url::Url;

/// Why there are no groups.
pub(super) struct GroupsFault {
    pub(super) reason: String,
    /// Whether the directory is at fault, and not this request.
    pub(super) endpoint_fails: bool,
    pub(super) retry_after: Option<Duration>,
    /// Whether it does not accept our token.
    pub(super) unauthorized: bool,
    /// Whether the token endpoint does not accept our client (RFC 6749, section 5.2).
    pub(super) refuses_client: bool,
}

impl GroupsFault {
    pub(super) fn of(reason: String) -> Self {
        Self {
            reason,
            endpoint_fails: true,
            retry_after: None,
            unauthorized: false,
            refuses_client: false,
        }
    }

    /// An answer that holds something other than it should.
    pub(super) fn of_answer(url: &Url, found: &str) -> Self {
        Self::of(format!("{url}: the answer holds {found}"))
    }

    fn of_status(url: &Url, response: &EndpointResponse) -> Self {
        let status = response.status;
        Self {
            // One caller who is unknown there, or is in too many groups, must not keep the others
            // from being asked about.
            endpoint_fails: status >= 500 || matches!(status, 200..=399 | 401 | 403 | 429),
            retry_after: response.retry_after,
            unauthorized: status == 401,
            refuses_client: matches!(status, 400 | 401 | 403),
            ..Self::of(format!(
                "{url}: the answer was {status}{}",
                error_code(&response.body)
            ))
        }
    }
}

impl From<FetchFault> for GroupsFault {
    fn from(fault: FetchFault) -> Self {
        Self::of(fault.to_string())
    }
}

impl From<EndpointFault> for GroupsFault {
    fn from(fault: EndpointFault) -> Self {
        match fault {
            EndpointFault::Metadata(outage) => Self {
                // The issuer's own cache decides when it is asked again.
                endpoint_fails: false,
                retry_after: Some(outage.retry_after()),
                ..Self::of(outage.to_string())
            },
            EndpointFault::Missing => {
                Self::of("the issuer's metadata names no token endpoint".to_owned())
            }
            EndpointFault::Client(reason) => Self::of(reason),
            EndpointFault::Fetch(fault) => fault.into(),
        }
    }
}

/// The JSON document of a proper answer.
pub(super) fn document(
    url: &Url,
    response: &EndpointResponse,
    limits: &Limits,
) -> Result<Json, GroupsFault> {
    if response.status != 200 {
        return Err(GroupsFault::of_status(url, response));
    }
    if response.content_type != JSON {
        return Err(GroupsFault::of_answer(url, "another type than JSON"));
    }
    match json::parse(&response.body, limits) {
        Ok(document) => Ok(document),
        Err(fault) => Err(GroupsFault::of_answer(url, &fault.to_string())),
    }
}

pub(super) const JSON: &str = "application/json";
