//! One request to an endpoint of a transmitter, and the document of its answer.

use super::fault::TransmitterFault;
use crate::egress::Egress;
use crate::fetch::{Authorization, EndpointResponse, JsonRequest};
use crate::member;
use portcullis_core::jose::json::{Json, Object};
use url::Url;

/// The response, if its status is one of `expected`.
pub(super) async fn send(
    egress: &Egress,
    request: JsonRequest<'_>,
    expected: &[u16],
) -> Result<EndpointResponse, TransmitterFault> {
    let (url, authorization) = (request.url, request.authorization);
    let response = egress.fetch.ask_json(request).await;
    let response = response.map_err(|fault| TransmitterFault::of_fetch(&fault))?;
    if expected.contains(&response.status) {
        return Ok(response);
    }
    Err(of_response(egress, url, &response, authorization))
}

fn of_response(
    egress: &Egress,
    url: &Url,
    response: &EndpointResponse,
    authorization: Option<&Authorization>,
) -> TransmitterFault {
    TransmitterFault::of_response(url, response, authorization, &egress.limits)
}

/// The object that a response holds.
pub(super) fn object(
    egress: &Egress,
    url: &Url,
    response: &EndpointResponse,
) -> Result<Object, TransmitterFault> {
    match document(egress, url, response)? {
        Json::Object(object) => Ok(object),
        _ => Err(TransmitterFault::of_content(
            url,
            "the answer is not an object",
        )),
    }
}

/// The document that a response holds.
pub(super) fn document(
    egress: &Egress,
    url: &Url,
    response: &EndpointResponse,
) -> Result<Json, TransmitterFault> {
    member::parse(&response.body, &egress.limits)
        .map_err(|reason| TransmitterFault::of_content(url, &reason))
}
