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
///     {"loc": ["body", "price"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"},
///     {"loc": ["body", "article"], "msg": "String should have at least 1 character",
///      "type": "string_too_short", "ctx": {"min_length": 1}},
///     {"loc": ["body", "quantity"], "msg": "Input should be greater than or equal to 1",
///      "type": "greater_than_equal", "ctx": {"ge": 1}}
///   ]
/// }
/// ```
///
/// For messages in another language, translate by `type` and fill in `ctx`; on the server, take
/// `Result<Valid<E>, InvalidRequest>` and read [`faults`](crate::InvalidRequest::faults).
///
/// A single parameter, as in `Path<OrderId>`, is a tuple struct with rules of its own: garde has no
/// rules for a bare `u32`. For texts, `length(chars, ..)` counts as the schema does; `length(..)`
/// alone counts bytes.
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
