//! The table of the signed assertion, as written.

use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;

/// `[gateway.identity.assertion]`, as written: one signed JWT tells the upstream who calls.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct AssertionConfig {
    /// The gateway's own name, the `iss` of its assertions, such as `https://api.example.com`.
    pub issuer: String,
    /// Whom they are for, the `aud`. A route can say otherwise.
    pub audience: String,
    /// The header that carries it. Default `Portcullis-Assertion`.
    pub header: Option<String>,
    /// How long one is good, in seconds. Default 60, at most 300; it never outlives the token.
    pub lifetime: Option<u64>,
    /// Files with private keys in PEM (PKCS#8), on the curve P-256 or for Ed25519: the first one
    /// signs, all are published. Default: one key that is made at the start, another one in every
    /// replica.
    #[serde(default)]
    pub keys: Vec<PathBuf>,
    /// Whether the public keys are at `/.well-known/portcullis/jwks.json` on the front too, for
    /// everybody, and not on the admin listener alone. Default false.
    #[serde(default)]
    pub publish: bool,
}
