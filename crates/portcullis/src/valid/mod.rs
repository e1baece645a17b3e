//! Requests that are read strictly, and refused with all their faults at once.
//!
//! [`Valid<Json<T>>`](Valid), `Valid<Form<T>>`, `Valid<Query<T>>` and `Valid<Path<T>>` read what
//! axum's extractors of these names read, and check it.
//!
//! # How
//!
//! 1. Bytes become a [`Json`](portcullis_core::jose::json::Json): a body by the strict parser
//!    (`json`), parameters as text whose types say what is a number (`pairs`, `text`, `path`).
//! 2. serde reads the type from it (`read`), and garde checks its rules. Good requests end here.
//! 3. For others, the schema of the type (`type_schema`) finds every fault of form
//!    (`schema_faults`, `branch`), and garde every broken rule (`rule_faults`, `rule_words`, `own_words`):
//!    `examine` joins them.
//! 4. `wording` has their words, `answer` the document.
//!
//! # What it refuses
//!
//! | | status | `code` | `type` in `errors` |
//! |---|---|---|---|
//! | unknown members or parameters, also without `deny_unknown_fields` | 422 | `request.invalid` | `extra_forbidden` |
//! | missing ones; an empty body | 422 | `request.invalid` | `missing` |
//! | other types: no text is taken for a number, and no `1.0` for an integer | 422 | `request.invalid` | `string_type`, `int_type`, ... |
//! | in text: what is no number, or neither `true` nor `false` | 422 | `request.invalid` | `int_parsing`, `float_parsing`, `bool_parsing` |
//! | a repeated parameter whose type has one value | 422 | `request.invalid` | `multiple_argument_values` |
//! | broken rules of garde | 422 | `request.invalid` | `greater_than_equal`, `string_too_short`, ... |
//! | broken rules of the application's own | 422 | `request.invalid` | `value_error` |
//! | no JSON; trailing bytes; repeated member names; not UTF-8; deeper than 32; more than 50,000 values | 422 | `request.invalid` | `json_invalid`, with the byte in `loc` |
//! | another `Content-Type`, none, or two; a `Content-Encoding` | 415 | `request.media_type` | |
//! | a body larger than axum's `DefaultBodyLimit` (2 MB unless the router sets it) | 413 | `request.too_large` | |
//! | a body that breaks off; a query, form or path with a bad escape; more than 1,000 parameters | 400 | `request.unreadable` | |
//! | a route without the parameter that the type needs | 500 | `server.route` | |
//! | a schema that cannot be checked, of a type whose unknown members only the schema shows | 500 | `server.schema` | |
//!
//! Every answer is a problem document (RFC 9457). At most 100 faults are told.
//!
//! # What it does not check
//!
//! A rule that only the schema carries (`#[schemars(..)]`) and garde does not. Own rules of garde
//! are checked only on a value that could be read: with a wrong type or a missing member they are
//! told at the next attempt.

mod answer;
mod body;
mod branch;
mod examine;
mod fault;
mod form;
mod input;
mod json;
mod order;
mod own_words;
mod pairs;
mod path;
mod query;
mod read;
mod rule_faults;
mod rule_words;
mod schema_faults;
mod source;
mod text;
mod type_schema;
mod wording;
mod wrapper;

pub use answer::InvalidRequest;
pub use fault::{PlaceSegment, RequestFault};
pub use input::ValidInput;
pub(crate) use order::is_read_early;
pub use wrapper::Valid;
