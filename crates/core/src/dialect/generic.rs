//! Any provider, and RFC 9068 to the letter.

use super::{AudienceClaim, Dialect, Discovery, Sign, always_fit, no_aliases};
use crate::verify::TokenType;
use std::time::Duration;

/// What can be expected of any provider: a subject and the time of issue. `typ` is `at+jwt`, `JWT` or absent;
/// what looks like an ID token or a logout token is refused.
pub(super) static GENERIC: Dialect = BASE;

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
    required_claims: &["sub", "iat"],
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
    application: &[Sign::SubjectIsClient],
    group_overage: false,
    keys_name_issuer: false,
    discovery: Discovery::WellKnown,
    aliases: no_aliases,
    needs_condition: &[],
    unfit: always_fit,
    cures: &[],
};
