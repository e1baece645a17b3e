//! The extractor itself, around one of axum's.

use std::ops::{Deref, DerefMut};

/// A part of the request that was read strictly and keeps the rules of its type.
///
/// It goes around [`axum::Json`], [`axum::extract::Query`], [`axum::extract::Path`] or
/// [`axum::Form`]. The type derives `Deserialize`, garde's `Validate` and schemars' `JsonSchema`,
/// which takes garde's rules over into the schema. Unknown and repeated members are refused, and
/// no text is taken for a number. A bad request is answered with all its faults at once: 422,
/// `application/problem+json`, with `errors` in the form of FastAPI (`loc`, `msg`, `type`, `ctx`)
/// and without anything of the request but the names of its members.
///
/// **The caller first:** [`AuthorizedCaller`](crate::AuthorizedCaller) stands before `Valid` in the
/// arguments, as axum runs them in order. Otherwise a stranger would see the schema in a 422. For
/// bodies axum demands the last place. If `Valid<Query<T>>` or `Valid<Path<T>>` stands before the
/// caller, `AuthorizedCaller` answers 503 to every good request, and the log names the cure.
///
/// ```
/// use axum::{Json, Router, extract::Query, routing::{get, post}};
/// use garde::Validate;
/// use portcullis::{AuthorizedCaller, ResourceServer, Valid};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, Validate, JsonSchema)]
/// struct NewOrder {
///     #[garde(length(chars, min = 1, max = 80))]
///     article: String,
///     #[garde(range(min = 1, max = 100))]
///     quantity: u32,
/// }
///
/// #[derive(Deserialize, Validate, JsonSchema)]
/// struct Paging {
///     #[garde(range(min = 1, max = 500))]
///     limit: Option<u32>,
/// }
///
/// async fn create(caller: AuthorizedCaller, Valid(Json(order)): Valid<Json<NewOrder>>) -> String {
///     format!("{} orders {} of {}", caller.name(), order.quantity, order.article)
/// }
/// async fn list(_: AuthorizedCaller, paging: Valid<Query<Paging>>) -> String {
///     format!("up to {} orders", paging.limit.unwrap_or(50))
/// }
///
/// fn app(server: ResourceServer) -> Router {
///     Router::new().route("/orders", post(create)).route("/orders", get(list)).with_state(server)
/// }
/// # let server = ResourceServer::new("https://idp.example", "https://api.example")?;
/// # let _ = app(server);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `{"article": "", "quantity": 0, "price": 1}` is answered with
///
/// ```json
/// {
///   "type": "urn:portcullis:request.invalid",
///   "title": "Unprocessable Entity",
///   "status": 422,
///   "detail": "the request does not have the form that this operation expects",
///   "code": "request.invalid",
///   "request_id": "7b0c4f1c7a1f3a52",
///   "errors": [
///     {"loc": ["body", "price"], "msg": "Extra inputs are not permitted",
///      "type": "extra_forbidden"},
///     {"loc": ["body", "article"], "msg": "String should have at least 1 character",
///      "type": "string_too_short", "ctx": {"min_length": 1}},
///     {"loc": ["body", "quantity"], "msg": "Input should be greater than or equal to 1",
///      "type": "greater_than_equal", "ctx": {"ge": 1}}
///   ]
/// }
/// ```
///
/// # Answers
///
/// | what is wrong | status | `type` of the fault |
/// |---|---|---|
/// | an unknown member or parameter | 422 | `extra_forbidden` |
/// | a missing one; an empty body | 422 | `missing` |
/// | another type; `"1"` or `1.5` for an integer | 422 | `int_type`, `string_type`, ... |
/// | in text: no number, or neither `true` nor `false` | 422 | `int_parsing`, `bool_parsing`, ... |
/// | a repeated parameter of one value | 422 | `multiple_argument_values` |
/// | a rule of garde | 422 | `greater_than_equal`, `string_too_short`, ... |
/// | a rule of the application's own | 422 | `value_error` |
/// | no JSON, or not UTF-8; bytes after it | 422 | `json_invalid`, with the byte in `loc` |
/// | a repeated member name | 422 | `json_invalid` |
/// | deeper than 32, or more than 50,000 values | 422 | `json_invalid` |
/// | another `Content-Type`, none, two; a `Content-Encoding` | 415 | |
/// | a body larger than axum's `DefaultBodyLimit`, else 2 MB | 413 | |
/// | a body that breaks off; a bad escape in a query, form or path | 400 | |
/// | more than 1,000 parameters | 400 | |
/// | a route without the parameter that the type needs | 500 | |
/// | a schema that cannot be checked, where only it sees unknown members | 500 | |
///
/// The `code` is `request.invalid` with 422, `request.media_type` with 415, `request.too_large`
/// with 413, `request.unreadable` with 400, `server.route` or `server.schema` with 500. At most 100
/// faults are told.
///
/// For messages in another language, translate by `type` and fill in `ctx`; on the server, take
/// `Result<Valid<E>, InvalidRequest>` and read [`faults`](crate::InvalidRequest::faults).
///
/// A single parameter, as in `Path<OrderId>`, is a tuple struct with rules of its own: garde has no
/// rules for a bare `u32`. For texts, `length(chars, ..)` counts as the schema does; `length(..)`
/// alone counts bytes. A rule of an `Option` is written without `inner`, which reaches the schema
/// for the elements of a list only: `#[garde(length(chars, max = 80))] note: Option<String>`.
///
/// In a rule of your own, the words of `garde::Error::new` go to the caller. If they hold a value
/// of the request, they are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valid<E>(pub E);

impl<E> Valid<E> {
    /// What axum's extractor holds.
    pub fn into_inner(self) -> E {
        self.0
    }
}

impl<E> Deref for Valid<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.0
    }
}

impl<E> DerefMut for Valid<E> {
    fn deref_mut(&mut self) -> &mut E {
        &mut self.0
    }
}
