//! Where trusted proxies tell the caller's address, as written.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[gateway.client_address]`, as written. With it, a request of a trusted proxy that does not tell
/// its caller has an unknown one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ClientAddressConfig {
    /// The header that tells it: `X-Forwarded-For` (default) or `Forwarded`, which are lists that
    /// each proxy adds to, or one with a single address, such as `X-Real-IP` or `CF-Connecting-IP`.
    pub header: Option<String>,
    /// How many proxies are in front and add to the list: the caller is the so-manyth address from
    /// the right. Default: it is the first from the right that is none of `trusted_proxies`.
    pub proxies: Option<u8>,
}
