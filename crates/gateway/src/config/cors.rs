//! Which pages of other origins may call, as written.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[gateway.cors]`, as written: pages of other origins may call, and read refusals too. The
/// gateway then answers preflights itself, and replaces the CORS headers of upstreams.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct CorsConfig {
    /// The origins of the pages that may call: `https://app.example.com`, with a port if it is not
    /// that of the scheme. `https://*.example.com` is for all hosts below; `*` alone for every
    /// page. Neither of the two goes together with `credentials`.
    #[serde(default)]
    pub origins: Vec<String>,
    /// The methods that pages may use. Default: `GET`, `HEAD`, `POST`, `PUT`, `PATCH` and `DELETE`.
    #[serde(default)]
    pub methods: Vec<String>,
    /// The headers that pages may send, beside `Authorization`, `DPoP` and `Content-Type`. Default:
    /// none.
    #[serde(default)]
    pub headers: Vec<String>,
    /// The headers of responses that pages may read, beside `WWW-Authenticate`, `DPoP-Nonce`,
    /// `Retry-After` and `X-Request-Id`. Default: none.
    #[serde(default)]
    pub expose_headers: Vec<String>,
    /// Whether pages may have the browser send its cookies, as for a token in `token_cookie`.
    /// Default false.
    #[serde(default)]
    pub credentials: bool,
    /// How long a browser may remember the answer to a preflight, in seconds, at most a day;
    /// browsers have bounds of their own. Default 600; 0 for not at all.
    pub max_age: Option<u64>,
    /// Takes origins with `http` beyond loopback: whoever is on the way can change such a page, and
    /// calls the API by it.
    #[serde(default)]
    pub danger_plain_http_origins: bool,
}
