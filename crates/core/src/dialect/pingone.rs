//! PingOne: `https://auth.pingone.com/{environment}/as`. `typ` is absent today, and will be
//! `at+jwt` from March 2027 on.
//!
//! Tokens by client credentials have no `sub`.

use super::generic::BASE;
use super::{Dialect, FinalSlash, SessionClaim};
use crate::rejection::Code;

pub(super) static PINGONE: Dialect = Dialect {
    name: "pingone",
    title: "PingOne",
    final_slash: FinalSlash::Never,
    recognises: |host, path| host.starts_with("auth.pingone.") && path.ends_with("/as"),
    required_claims: &["client_id"],
    client: &["client_id"],
    tenant: &["env"],
    sign_in: &["sid", "auth_time", "acr", "nonce"],
    // "Token claims" of the PingOne API: in every access token but those of client credentials.
    session_claim: SessionClaim::Always,
    cures: &[
        (
            Code::TokenAudience,
            "in PingOne, give the custom resource this audience, and have the client ask for one \
                of its scopes",
        ),
        (
            Code::PolicyRole,
            "in PingOne, add an attribute with the roles to the custom resource, and name it in \
                `roles`",
        ),
    ],
    ..BASE
};
