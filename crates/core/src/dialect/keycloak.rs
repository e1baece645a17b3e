//! Keycloak: `https://{host}/realms/{realm}`.
//!
//! The payload's `typ` tells access tokens (`Bearer`, `DPoP`) from ID and refresh tokens. Roles are those of the realm
//! and those of this API's own client; other clients' roles are not ours.

use super::generic::BASE;
use super::{Dialect, Mark, Sign};
use crate::rejection::Code;
use crate::verify::TokenType;

pub(super) static KEYCLOAK: Dialect = Dialect {
    name: "keycloak",
    title: "Keycloak",
    recognises: |_, path| path.starts_with("/realms/") || path.starts_with("/auth/realms/"),
    types: &[TokenType::Jwt, TokenType::AccessToken],
    required_claims: &["iat", "azp"],
    marks: &[Mark { claim: "typ", values: &["Bearer", "DPoP"], proves: true }],
    client: &["azp", "client_id"],
    tenant: &[],
    roles: &["realm_access.roles", "resource_access.{audience}.roles"],
    application: &[Sign::StartsWith("preferred_username", "service-account-"), Sign::Absent("sub")],
    cures: &[
        (
            Code::TokenAudience,
            "in Keycloak, add an audience mapper for this API to the client or to a client scope: the audience is not there by itself",
        ),
        (
            Code::TokenClaimMissing,
            "in Keycloak, no `aud` comes without an audience mapper; add one for this API to the client or to a client scope",
        ),
        (Code::TokenType, "in Keycloak, send the access token: its payload has `typ` `Bearer`"),
        (
            Code::PolicyRole,
            "in Keycloak, give the role in the realm or in this API's client, and see that the client scope `roles` is there: lightweight \
             tokens leave roles out",
        ),
        (
            Code::TokenIssuer,
            "in Keycloak, the issuer follows the host that the client used: set a fixed `hostname`",
        ),
    ],
    ..BASE
};
