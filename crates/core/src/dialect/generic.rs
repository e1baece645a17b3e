//! Any provider, and RFC 9068 to the letter.
//!
//! Nothing that people can choose is a sign here, as long as the provider keeps subjects and client
//! ids apart (RFC 9068, section 5): where people choose their own `sub`, a person can be named like
//! a client.

use super::{AudienceClaim, Dialect, Discovery, Sign, always_fit, no_aliases};
use crate::verify::TokenType;
use std::time::Duration;

/// What can be expected of any provider: a subject, or a client that calls in its own name. `typ`
/// is `at+jwt`, `JWT` or absent; what looks like an ID token or a logout token is refused.
pub(super) static GENERIC: Dialect = Dialect {
    // The moment, the way and the session of a sign-in, in a token that says nothing of a client or
    // a grant.
    id_token_claims: &["auth_time", "acr", "sid"],
    access_token_claims: &[
        "client_id",
        "azp",
        "scope",
        "scp",
        "jti",
        "cid",
        "appid",
        "uid",
    ],
    ..BASE
};

/// RFC 9068: `typ` is `at+jwt`; `sub`, `client_id`, `iat` and `jti` are required (section 2.2).
pub(super) static RFC9068: Dialect = Dialect {
    name: "rfc9068",
    title: "any provider that follows RFC 9068",
    types: &[TokenType::AccessToken],
    required_claims: &["sub", "client_id", "iat", "jti"],
    ..BASE
};

/// Where every dialect begins.
pub(super) const BASE: Dialect = Dialect {
    name: "generic",
    title: "any provider",
    recognises: |_, _| false,
    types: &[TokenType::AccessToken, TokenType::Jwt, TokenType::Absent],
    required_claims: &[],
    marks: &[],
    bears_id_tokens: false,
    audience: AudienceClaim::Aud,
    max_lifetime: Duration::from_secs(24 * 3_600),
    subject: &["sub"],
    empty_subject: false,
    client: &["client_id", "azp"],
    client_required: false,
    tenant: &["tid"],
    tenant_is_guid: false,
    roles: &["roles"],
    groups: &["groups"],
    acr: &["acr"],
    auth_time: &["auth_time"],
    application: &[&[Sign::SUBJECT_IS_CLIENT, Sign::NobodySignedIn]],
    doubtful: &[],
    sign_in: &["sid", "session_state", "nonce", "at_hash", "amr"],
    id_token_claims: &[],
    access_token_claims: &[],
    group_overage: false,
    keys_name_issuer: false,
    discovery: Discovery::WellKnown,
    aliases: no_aliases,
    needs_condition: &[],
    anybody: "anybody can have a token",
    unfit: always_fit,
    cures: &[],
};
