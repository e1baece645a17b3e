//! `Valid<Form<T>>`: a body of form fields. The query is never taken for one.

use super::answer::InvalidRequest;
use super::body::{BodyType, read_body};
use super::input::ValidInput;
use super::pairs::read_pairs;
use super::source::Source;
use super::wrapper::Valid;
use crate::decide::code_links;
use axum::Form;
use axum::extract::{FromRequest, Request};

impl<S: Send + Sync, T: ValidInput> FromRequest<S> for Valid<Form<T>> {
    type Rejection = InvalidRequest;

    async fn from_request(request: Request, state: &S) -> Result<Self, InvalidRequest> {
        let links = code_links(request.extensions());
        let read = async {
            let (headers, body) = read_body(request, state, BodyType::Form).await?;
            read_pairs(&body, Source::Form, &headers)
        };
        match read.await {
            Ok(value) => Ok(Self(Form(value))),
            Err(refusal) => Err(refusal.with_links(links)),
        }
    }
}
