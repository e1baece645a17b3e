//! Keycloak: `https://{host}/realms/{realm}`.
//!
//! The payload's `typ` distinguishes access tokens (`Bearer`, `DPoP`) from ID and refresh tokens.
//! Roles are those of the realm and of this API's own client; other clients' roles do not count.

use super::generic::BASE;
use super::{Dialect, FinalSlash, Mark, SessionClaim, Sign};
use crate::rejection::Code;
use crate::verify::TokenType;

/// The username of a client's own account.
const SERVICE_ACCOUNT: Sign = Sign::OfClient("preferred_username", "service-account-", "");

pub(super) static KEYCLOAK: Dialect = Dialect {
    name: "keycloak",
    title: "Keycloak",
    // Before version 17, `/auth` was part of the path.
    final_slash: FinalSlash::Never,
    recognises: |_, path| path.starts_with("/realms/") || path.starts_with("/auth/realms/"),
    types: &[TokenType::Jwt, TokenType::AccessToken],
    required_claims: &["azp"],
    marks: &[Mark {
        claim: "typ",
        values: &["Bearer", "DPoP"],
        proves: true,
    }],
    client: &["azp", "client_id"],
    // A realm is an issuer of its own.
    tenant: &[],
    roles: &["realm_access.roles", "resource_access.{audience}.roles"],
    // People who register choose their username. Somebody who signed in has a session, and a
    // service account usually has none. If it has one, as with refresh tokens, `clientAddress`
    // shows it.
    application: &[
        &[SERVICE_ACCOUNT, Sign::NobodySignedIn],
        &[SERVICE_ACCOUNT, Sign::Has("clientAddress")],
        &[
            Sign::OfClient("client_id", "", ""),
            Sign::Has("clientAddress"),
            Sign::NobodySignedIn,
        ],
    ],
    doubtful: &[
        &[Sign::StartsWith("preferred_username", "service-account-")],
        &[Sign::Has("clientAddress")],
    ],
    sign_in: &["sid", "session_state", "auth_time", "nonce"],
    // As in the tokens of its documentation. The account of a client has none.
    session_claim: SessionClaim::Always,
    cures: &[
        (
            Code::TokenAudience,
            "in Keycloak, add an audience mapper for this API to the client or to a client scope: \
                the audience is not there by itself",
        ),
        (
            Code::TokenClaimMissing,
            "in Keycloak, no `aud` comes without an audience mapper, and no `sub` without the \
                client scope `basic`; add what is missing to the client",
        ),
        (
            Code::TokenType,
            "in Keycloak, send the access token: its payload has `typ` `Bearer`",
        ),
        (
            Code::PolicyRole,
            "in Keycloak, give the role in the realm or in this API's client, and see that the \
                client scope `roles` is there: lightweight \
             tokens leave roles out",
        ),
        (
            Code::TokenIssuer,
            "in Keycloak, the issuer follows the host that the client used: set a fixed `hostname`",
        ),
    ],
    ..BASE
};
