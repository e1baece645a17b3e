//! Routes and what they require, as written.

use super::{CedarDemand, CorsConfig};
use portcullis_resource_server::config::{ClaimScalar, OneOrMore};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `[[route]]`, as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// What the log, the metrics and policies call it; no other route has the same. Default: its
    /// place and its path, for policies its path.
    pub name: Option<String>,
    /// The path: segments compare whole and with case; `*` stands for one segment, `**` at the end
    /// for any number, none too; `{name}` is a `*` that policies can read. A final slash of a
    /// request makes no difference. Every spelling of a path is matched: `%2A`, `%7B` and `%7D` are
    /// a star and braces that stand for themselves.
    pub path: String,
    /// The methods. `GET` includes `HEAD`. Default: all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// The hosts, `*.example.com` for all below. Default: all.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What `aud` of the token must hold: one name, or several names of one resource of which one
    /// will do. Each must be an audience of an issuer. Default: that of the `[[resource]]` it is
    /// beneath, else any of the issuer's.
    pub audience: Option<OneOrMore<String>>,
    /// `token` (default): a valid token; `public`: none is asked for; `optional`: valid if there is
    /// one.
    // A text and not an enum, so that a wrong word is reported together with all other faults.
    pub access: Option<String>,
    /// What the token must meet.
    pub require: Option<RequireConfig>,
    /// Which pages of other origins may call it, in place of what `[gateway.cors]` says. Default:
    /// the gateway's.
    pub cors: Option<CorsConfig>,
    /// Where requests go: a URL, or the name of an `[[upstream]]`. Default: the gateway's.
    pub upstream: Option<String>,
    /// What becomes of `%2F` in a path: `refuse` (default), or `keep`: it is part of its segment,
    /// for the upstream too.
    pub encoded_slashes: Option<String>,
    /// The first segments of the path, which are not forwarded: with `/api`, the upstream sees
    /// `/orders` for `/api/orders`. Default: none.
    pub strip_prefix: Option<String>,
    /// Most bytes of a request's body. Default: the gateway's; 0 for no bound.
    pub body_bytes: Option<u64>,
    /// For the head of the upstream's answer, in seconds. Default: the gateway's.
    pub timeout: Option<u64>,
    /// Whom the signed assertion is for, its `aud`. Default: that of
    /// `[gateway.identity.assertion]`.
    pub assertion_audience: Option<String>,
}

/// What a token must meet: all the members that are written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RequireConfig {
    /// Scopes that were all granted: one, or a list. Default: none is demanded.
    pub scope: Option<OneOrMore<String>>,
    /// What `aud` of the token must hold: one name, or several of which one will do. Default: any
    /// of the issuer's.
    pub audience: Option<OneOrMore<String>>,
    /// Roles that the caller all has: one, or a list. Default: none is demanded.
    pub role: Option<OneOrMore<String>>,
    /// Groups that the caller is all in: one, or a list. Default: none is demanded.
    pub group: Option<OneOrMore<String>>,
    /// For whom the token was issued: `user`, or `application` in its own name. Default: either.
    pub kind: Option<String>,
    /// Claim paths and their values: one, or several of which one will do. A list in the token
    /// holds it. Default: no claim is demanded.
    #[serde(default)]
    pub claim: BTreeMap<String, OneOrMore<ClaimScalar>>,
    /// How the user signed in, by `acr`: one value, or several of which one will do, in order of
    /// preference. Default: in any way.
    pub acr: Option<OneOrMore<String>>,
    /// How long ago the user may have signed in, by `auth_time`, in seconds, 1 or more. Default: at
    /// any time.
    pub max_age: Option<u64>,
    /// How the token is bound, and the caller has proven it: `dpop` to a key (RFC 9449), `mtls` to
    /// a client certificate (RFC 8705), or `any` of the two. Default: it need not be bound.
    pub bound: Option<String>,
    /// That the policies of `[cedar]` permit it: `true` for the request's method, or the name of an
    /// action. Default: policies are not asked.
    pub cedar: Option<CedarDemand>,
    /// All of these, beside the members of this table. Default: none.
    pub all: Option<Vec<Self>>,
    /// At least one of these, beside the members of this table. Default: none.
    pub any: Option<Vec<Self>>,
    /// Not this: a caller who meets it is refused. Default: none.
    pub not: Option<Box<Self>>,
}
