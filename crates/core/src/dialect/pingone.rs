//! PingOne: `https://auth.pingone.com/{environment}/as`. `typ` is absent today, and will be
//! `at+jwt` from March 2027 on.
//!
//! Tokens by client credentials have no `sub`.

use super::Dialect;
use super::generic::BASE;
use crate::rejection::Code;

pub(super) static PINGONE: Dialect = Dialect {
    name: "pingone",
    title: "PingOne",
    recognises: |host, path| host.starts_with("auth.pingone.") && path.ends_with("/as"),
    required_claims: &["client_id"],
    client: &["client_id"],
    tenant: &["env"],
    sign_in: &["sid", "auth_time", "acr", "nonce"],
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
