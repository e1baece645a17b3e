//! The types that [`Valid`](super::Valid) reads.

use garde::Validate;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A type that [`Valid`](crate::Valid) can read: it derives `serde::Deserialize`,
/// `garde::Validate` and `schemars::JsonSchema`.
#[diagnostic::on_unimplemented(
    message = "`Valid` cannot read `{Self}`",
    note = "derive `serde::Deserialize`, `garde::Validate` and `schemars::JsonSchema` for it"
)]
pub trait ValidInput: DeserializeOwned + Validate<Context = ()> + JsonSchema + 'static {}

impl<T: DeserializeOwned + Validate<Context = ()> + JsonSchema + 'static> ValidInput for T {}
