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
//!    (`schema_faults`, `branch`), and garde every broken rule (`rule_faults`, `rule_words`,
//!    `own_words`): `examine` joins them.
//! 4. `wording` has their words, `answer` the document.
//!
//! # What it refuses
//!
//! The table is in the documentation of [`Valid`]. Unknown members are refused in every type;
//! repeated names, in bodies and in parameters; text for numbers, in JSON. Nothing of the request
//! goes into an answer but the names of members, cut and escaped.
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
