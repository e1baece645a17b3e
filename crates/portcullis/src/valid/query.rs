//! `Valid<Query<T>>`: the query of the URL.

use super::answer::InvalidRequest;
use super::input::ValidInput;
use super::order;
use super::pairs::read_pairs;
use super::source::Source;
use super::wrapper::Valid;
use crate::decide::code_links;
use axum::extract::{FromRequestParts, Query};
use http::request::Parts;

impl<S: Send + Sync, T: ValidInput> FromRequestParts<S> for Valid<Query<T>> {
    type Rejection = InvalidRequest;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, InvalidRequest> {
        order::remember(&mut parts.extensions);
        let query = parts.uri.query().unwrap_or_default();
        match read_pairs(query.as_bytes(), Source::Query, &parts.headers) {
            Ok(value) => Ok(Self(Query(value))),
            Err(refusal) => Err(refusal.with_links(code_links(&parts.extensions))),
        }
    }
}
