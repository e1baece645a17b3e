//! `Valid<Path<T>>`: the parameters of the route's path.
//!
//! A struct takes those that it names: the others belong to the route, not to the caller. A tuple
//! takes them in their order, any other type the only one.

use super::answer::{InvalidRequest, Reason};
use super::examine::Candidate;
use super::input::ValidInput;
use super::order;
use super::source::{PathForm, Source};
use super::text::{self, TextShapes};
use super::type_schema::TypeSchema;
use super::wrapper::Valid;
use crate::decide::code_links;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, Path, RawPathParams};
use http::request::Parts;
use portcullis_core::jose::json::Json;
use serde_json::Value;

impl<S: Send + Sync, T: ValidInput> FromRequestParts<S> for Valid<Path<T>> {
    type Rejection = InvalidRequest;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, InvalidRequest> {
        order::remember(&mut parts.extensions);
        match read_path(parts, state).await {
            Ok(value) => Ok(Self(Path(value))),
            Err(refusal) => Err(refusal.with_links(code_links(&parts.extensions))),
        }
    }
}

async fn read_path<S: Send + Sync, T: ValidInput>(
    parts: &mut Parts,
    state: &S,
) -> Result<T, InvalidRequest> {
    let parameters = match RawPathParams::from_request_parts(parts, state).await {
        Ok(parameters) => parameters,
        Err(rejection) => {
            let reason = match rejection {
                RawPathParamsRejection::InvalidUtf8InPathParam(_) => Reason::Unreadable,
                _ => Reason::Route,
            };
            return Err(InvalidRequest::new(reason, &parts.headers));
        }
    };
    let mut pairs = Vec::new();
    for (name, value) in &parameters {
        pairs.push((name.to_owned(), value.to_owned()));
    }
    let schema = TypeSchema::of::<T>();
    let Some((json, source)) = arrange(pairs, &schema) else {
        return Err(InvalidRequest::new(Reason::Route, &parts.headers));
    };
    let candidate = Candidate {
        json,
        source,
        faults: Vec::new(),
        headers: &parts.headers,
    };
    candidate.examine()
}

/// The parameters in the form of the type; nothing if the route does not have them.
fn arrange(pairs: Vec<(String, String)>, schema: &TypeSchema) -> Option<(Json, Source)> {
    let shapes = &schema.shapes;
    let form = if !shapes.elements.is_empty() {
        tuple(&pairs, shapes)?
    } else if shapes.is_object {
        return members(pairs, schema);
    } else {
        let [(name, value)] = pairs.as_slice() else {
            return None;
        };
        (shapes.whole.value(value), PathForm::Single(name.clone()))
    };
    Some((form.0, Source::Path(form.1)))
}

fn tuple(pairs: &[(String, String)], shapes: &TextShapes) -> Option<(Json, PathForm)> {
    if pairs.len() != shapes.elements.len() {
        return None;
    }
    let (mut elements, mut names) = (Vec::new(), Vec::new());
    for (shape, (name, value)) in shapes.elements.iter().zip(pairs) {
        elements.push(shape.value(value));
        names.push(name.clone());
    }
    Some((Json::Array(elements), PathForm::Tuple(names)))
}

fn members(mut pairs: Vec<(String, String)>, schema: &TypeSchema) -> Option<(Json, Source)> {
    // A type without listed members is a map, and takes all.
    if !schema.shapes.members.is_empty() {
        pairs.retain(|(name, _)| schema.shapes.members.contains_key(name));
    }
    let required = schema
        .document
        .get("required")
        .and_then(Value::as_array);
    for name in required.into_iter().flatten() {
        // The caller cannot cure a route that lacks a parameter.
        pairs.iter().find(|(it, _)| name == it)?;
    }
    let source = Source::Path(PathForm::Members);
    let (json, _) = text::object(source.part(), pairs, &schema.shapes);
    Some((json, source))
}
