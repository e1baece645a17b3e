//! `Valid<Json<T>>`: a body of JSON.

use super::answer::{InvalidRequest, Reason};
use super::body::{BodyType, read_body};
use super::examine::Candidate;
use super::fault::{PlaceSegment, RequestFault};
use super::input::ValidInput;
use super::source::Source;
use super::wording;
use super::wrapper::Valid;
use crate::decide::code_links;
use axum::Json;
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use portcullis_core::Limits;
use portcullis_core::jose::json::{JsonFault, JsonFaultKind, parse};

/// The deepest nesting and the most values of a body.
const DEPTH: usize = 32;
const VALUES: usize = 50_000;

impl<S: Send + Sync, T: ValidInput> FromRequest<S> for Valid<Json<T>> {
    type Rejection = InvalidRequest;

    async fn from_request(request: Request, state: &S) -> Result<Self, InvalidRequest> {
        let links = code_links(request.extensions());
        let read = async {
            let (headers, body) = read_body(request, state, BodyType::Json).await?;
            read_json(&body, &headers)
        };
        match read.await {
            Ok(value) => Ok(Self(Json(value))),
            Err(refusal) => Err(refusal.with_links(links)),
        }
    }
}

fn read_json<T: ValidInput>(body: &[u8], headers: &HeaderMap) -> Result<T, InvalidRequest> {
    let refuse = |fault| InvalidRequest::new(Reason::Invalid, headers).with(vec![fault]);
    if body.is_empty() {
        return Err(refuse(wording::missing(Source::Json.root())));
    }
    let limits = Limits {
        json_depth: DEPTH,
        json_values: VALUES,
        ..Limits::default()
    };
    let json = match parse(body, &limits) {
        Ok(json) => json,
        Err(fault) => return Err(refuse(syntax_fault(fault))),
    };
    let candidate = Candidate {
        json,
        source: Source::Json,
        faults: Vec::new(),
        headers,
    };
    candidate.examine()
}

fn syntax_fault(fault: JsonFault) -> RequestFault {
    let reason = match fault.kind() {
        JsonFaultKind::NotUtf8 => "not UTF-8",
        JsonFaultKind::Escape => "an escape that is no character",
        JsonFaultKind::NumberRange => "a number out of range",
        JsonFaultKind::RepeatedMember => "a member name repeated in one object",
        JsonFaultKind::TooDeep => "nested too deep",
        JsonFaultKind::TooMany => "too many values",
        _ => "not valid JSON",
    };
    let mut place = Source::Json.root();
    place.push(PlaceSegment::Index(fault.at()));
    wording::no_json(place, reason)
}
