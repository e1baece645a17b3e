//! authentik. Access tokens are the ID token's claims with `azp` and `uid`; the audience is the client's id.
//!
//! They cannot be told from ID tokens by their header, so an API should have a provider of its own. Without a signing
//! key authentik signs with the client's secret, which is refused.

use super::generic::BASE;
use super::{Dialect, Sign};
use crate::rejection::Code;

pub(super) static AUTHENTIK: Dialect = Dialect {
    name: "authentik",
    title: "authentik",
    recognises: |_, path| path.starts_with("/application/o/"),
    // ID tokens have no `uid`.
    required_claims: &["sub", "iat", "azp", "uid"],
    client: &["azp"],
    tenant: &[],
    roles: &["roles", "groups"],
    application: &[Sign::StartsWith("preferred_username", "ak-"), Sign::SubjectIsClient],
    cures: &[
        (
            Code::TokenAlgorithm,
            "in authentik, choose a signing key for the provider: without one it signs with the client's secret",
        ),
        (Code::TokenAudience, "in authentik, `aud` is the client id of the provider that issued the token"),
        (Code::PolicyRole, "in authentik, the claim `groups` comes with the scope `profile`"),
    ],
    ..BASE
};
