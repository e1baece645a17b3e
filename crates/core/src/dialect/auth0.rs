//! Auth0, both dialects of its access tokens: its own (`azp`) and RFC 9068 (`client_id`, `at+jwt`).
//!
//! The issuer ends with a slash. Without an audience in the request, Auth0 issues an opaque token
//! that is good for its own `/userinfo` only.

use super::generic::BASE;
use super::{Dialect, FinalSlash, ProviderApi, SessionClaim, Sign, within};
use crate::rejection::Code;

pub(super) static AUTH0: Dialect = Dialect {
    name: "auth0",
    title: "Auth0",
    // A custom domain shows nothing: its operator has to choose the profile.
    final_slash: FinalSlash::Always,
    recognises: |host, _| within(host, "auth0.com"),
    // ID tokens name no client.
    client_required: true,
    tenant: &["org_id"],
    roles: &["permissions", "roles"],
    // A person's `sub` begins with the name of a connection and a bar. People may have chosen the
    // rest.
    application: &[
        &[
            Sign::OfClient("sub", "", "@clients"),
            Sign::Is("gty", "client-credentials"),
        ],
        // The profile of RFC 9068 has no `gty`.
        &[
            Sign::OfClient("sub", "", "@clients"),
            Sign::Has("client_id"),
            Sign::Absent("gty"),
        ],
    ],
    doubtful: &[
        &[Sign::EndsWith("sub", "@clients"), Sign::Lacks("sub", "|")],
        &[Sign::Is("gty", "client-credentials")],
    ],
    own_apis: &[
        ProviderApi {
            audience: "{issuer}/userinfo",
            title: "Auth0's user information",
            cure: "have the client send `audience=<identifier of your API>`",
        },
        ProviderApi {
            audience: "{issuer}/api/v2",
            title: "Auth0's Management API",
            cure: "have the client send `audience=<identifier of your API>`",
        },
    ],
    // A restricted claim ("Create custom claims"): an Action that sets it is not obeyed.
    session_claim: SessionClaim::Never,
    cures: &[
        (
            Code::TokenMalformed,
            "in Auth0, have the client send `audience=<identifier of this API>`: without it the \
                token is opaque",
        ),
        (
            Code::TokenAlgorithm,
            "in Auth0, set the API's signing algorithm to RS256",
        ),
        (
            Code::TokenIssuer,
            "in Auth0, the issuer ends with a slash; tokens asked for at a custom domain have that \
                domain",
        ),
        (
            Code::TokenAudience,
            "in Auth0, have the client send `audience=<identifier of this API>`",
        ),
        (
            Code::PolicyRole,
            "in Auth0, switch on RBAC and \"Add Permissions in the Access Token\" for this API, or \
                add a namespaced roles claim and name \
             its path in `roles`",
        ),
    ],
    ..BASE
};
