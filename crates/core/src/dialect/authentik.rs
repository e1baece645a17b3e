//! authentik. Access tokens are the ID token's claims with `azp` and `uid`; the audience is the
//! client's id.
//!
//! Enrolled people choose their username, and can get a token without a session by an app password.
//! So a username that begins like that of a provider's own account proves nothing, unless it names
//! the client.
//!
//! They cannot be told from ID tokens by their header, so an API should have a provider of its own.
//! Without a signing key authentik signs with the client's secret, which is refused.

use super::generic::BASE;
use super::{Dialect, FinalSlash, SessionClaim, Sign};
use crate::rejection::Code;

pub(super) static AUTHENTIK: Dialect = Dialect {
    name: "authentik",
    title: "authentik",
    final_slash: FinalSlash::Always,
    recognises: |_, path| path.starts_with("/application/o/"),
    // ID tokens have no `uid`.
    required_claims: &["azp", "uid"],
    client: &["azp"],
    tenant: &[],
    // It has no roles of its own: groups serve as such.
    roles: &["roles", "groups"],
    application: &[
        &[
            Sign::OfClient("preferred_username", "ak-", "-client_credentials"),
            Sign::NobodySignedIn,
        ],
        &[Sign::SUBJECT_IS_CLIENT, Sign::NobodySignedIn],
    ],
    doubtful: &[&[Sign::StartsWith("preferred_username", "ak-")]],
    // An access token is the ID token with two claims more (`IDToken.to_access_token` in
    // `providers/oauth2/id_token.py`), and that has `sid` where somebody signed in.
    session_claim: SessionClaim::Always,
    cures: &[
        (
            Code::TokenAlgorithm,
            "in authentik, choose a signing key for the provider: without one it signs with the \
                client's secret",
        ),
        (
            Code::TokenAudience,
            "in authentik, `aud` is the client id of the provider that issued the token",
        ),
        (
            Code::PolicyRole,
            "in authentik, the claim `groups` comes with the scope `profile`",
        ),
    ],
    ..BASE
};
