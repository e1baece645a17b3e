//! Any provider, and RFC 9068 to the letter.
//!
//! No sign here is one that people can choose, as long as the provider keeps subjects and client
//! ids apart (RFC 9068, section 5). If people choose their own `sub`, a person can have the name of
//! a client.

use super::{
    AssertionAudience, AudienceClaim, Dialect, Discovery, FinalSlash, SessionClaim, Sign,
    always_fit, no_aliases, no_doubt, no_near_miss,
};
use crate::verify::TokenType;
use std::time::Duration;

/// The least that any provider's tokens have: a subject, or a client that calls in its own name.
/// `typ` is `at+jwt`, `JWT` or absent; a token that looks like an ID token or a logout token is
/// refused.
pub(super) static GENERIC: Dialect = Dialect {
    // A sign-in, in a token that names neither a client nor a grant, is that of an ID token.
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
    // To ask a known provider for consent that it does without would only ask people once more.
    consent_needed: true,
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

/// The defaults of every dialect.
pub(super) const BASE: Dialect = Dialect {
    name: "generic",
    title: "any provider",
    // The last resort: taken if no other fits.
    recognises: |_, _| false,
    // RFC 9068 is of 2021; many providers still write `JWT`, or no `typ` at all.
    types: &[TokenType::AccessToken, TokenType::Jwt, TokenType::Absent],
    required_claims: &[],
    marks: &[],
    bears_id_tokens: false,
    audience: AudienceClaim::Aud,
    // Generous: access tokens usually live for an hour.
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
    alone: &[&[Sign::Always]],
    sign_in: &["sid", "session_state", "nonce", "at_hash", "amr"],
    session_claim: SessionClaim::Unknown,
    id_token_claims: &[],
    access_token_claims: &[],
    group_overage: false,
    keys_name_issuer: false,
    discovery: Discovery::WellKnown,
    assertion_audience: AssertionAudience::Issuer,
    pkce_unannounced: false,
    consent_needed: false,
    near_miss: no_near_miss,
    doubtful_audience: no_doubt,
    final_slash: FinalSlash::Either,
    aliases: no_aliases,
    needs_condition: &[],
    anybody: "",
    unfit: always_fit,
    own_apis: &[],
    cures: &[],
};
