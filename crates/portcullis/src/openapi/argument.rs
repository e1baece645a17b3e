//! The descriptions of a handler's arguments.

use super::operation::Operation;
use super::schemas::Schemas;
use crate::AuthorizedCaller;
use crate::requirement::Requires;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{
    ConnectInfo, Extension, Form, MatchedPath, OriginalUri, Path, Query, Request, State,
};
use http::{Extensions, HeaderMap, Method, Uri, Version};
use schemars::JsonSchema;

/// An argument that describes its part of an operation: a demand on the caller, parameters, a
/// body.
///
/// ```
/// use portcullis::openapi::{DescribeArgument, Operation, Schemas};
///
/// /// An extractor of an application: the language that the client asks for.
/// struct Language(String);
///
/// impl DescribeArgument for Language {
///     fn describe(operation: &mut Operation, schemas: &mut Schemas) {
///         let text = schemas.schema_of::<String>();
///         operation.parameter("header", "accept-language", false, &text);
///     }
/// }
/// # let _ = |language: Language| language.0;
/// ```
#[diagnostic::on_unimplemented(
    message = "the argument `{Self}` says nothing about the operation",
    note = "implement `portcullis::openapi::DescribeArgument` for it"
)]
pub trait DescribeArgument {
    /// Adds what the argument demands and reads.
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

/// The same for an argument that may be absent, as `Option<Self>`.
pub trait DescribeOptionalArgument {
    /// Adds what the argument demands and reads, if it is there.
    fn describe_optional(operation: &mut Operation, schemas: &mut Schemas);
}

impl<T: DescribeOptionalArgument> DescribeArgument for Option<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        T::describe_optional(operation, schemas);
    }
}

/// The guard: it demands a token, and answers 400, 401, 403 and 503 itself.
impl<C: Requires> DescribeArgument for AuthorizedCaller<C> {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.demand(C::requirement());
    }
}

impl<C: Requires> DescribeOptionalArgument for AuthorizedCaller<C> {
    fn describe_optional(operation: &mut Operation, _: &mut Schemas) {
        operation.demand_if_present(C::requirement());
    }
}

impl<T: JsonSchema> DescribeArgument for Path<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.path::<T>(schemas);
    }
}

impl<T: JsonSchema> DescribeArgument for Query<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.query::<T>(schemas);
        operation.response("400", "The query cannot be read.");
    }
}

impl<T: JsonSchema> DescribeArgument for Json<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.body::<T>("application/json", schemas);
        operation.response("400", "The body is no JSON.");
        operation.response("413", "The body is too large.");
        operation.response("415", "The body is in another media type.");
        operation.response("422", "The body has another shape.");
    }
}

impl<T: JsonSchema> DescribeArgument for Form<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.body::<T>("application/x-www-form-urlencoded", schemas);
        operation.response("413", "The body is too large.");
        operation.response("415", "The body is in another media type.");
        operation.response("422", "The body has another shape.");
    }
}

macro_rules! says_nothing {
    ($($argument:ty),* $(,)?) => {
        $(
            impl DescribeArgument for $argument {
                fn describe(_: &mut Operation, _: &mut Schemas) {}
            }
        )*
    };
}

says_nothing!(
    HeaderMap,
    Method,
    Uri,
    Version,
    Extensions,
    MatchedPath,
    OriginalUri,
    Request<Body>,
    Bytes,
    String,
    Body,
    http::request::Parts,
);

impl<T> DescribeArgument for State<T> {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}

impl<T> DescribeArgument for Extension<T> {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}

impl<T> DescribeArgument for ConnectInfo<T> {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}

/// Strict reading: the answers are those of `Valid`, not axum's.
#[cfg(feature = "validate")]
mod validated {
    use super::{DescribeArgument, Form, Json, JsonSchema, Operation, Path, Query, Schemas};
    use crate::Valid;
    use crate::openapi::responses;

    impl<T: JsonSchema> DescribeArgument for Valid<Json<T>> {
        fn describe(operation: &mut Operation, schemas: &mut Schemas) {
            operation.body::<T>("application/json", schemas);
            responses::describe_strict_body(operation);
        }
    }

    impl<T: JsonSchema> DescribeArgument for Valid<Form<T>> {
        fn describe(operation: &mut Operation, schemas: &mut Schemas) {
            operation.body::<T>("application/x-www-form-urlencoded", schemas);
            responses::describe_strict_body(operation);
        }
    }

    impl<T: JsonSchema> DescribeArgument for Valid<Query<T>> {
        fn describe(operation: &mut Operation, schemas: &mut Schemas) {
            operation.query::<T>(schemas);
            responses::describe_strict_parameters(operation);
        }
    }

    impl<T: JsonSchema> DescribeArgument for Valid<Path<T>> {
        fn describe(operation: &mut Operation, schemas: &mut Schemas) {
            operation.path::<T>(schemas);
            responses::describe_strict_parameters(operation);
        }
    }
}
