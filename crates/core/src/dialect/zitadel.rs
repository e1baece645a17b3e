//! ZITADEL. Access tokens are opaque unless the application is set to JWT; roles are the members of
//! an object.

use super::generic::BASE;
use super::{Dialect, within};
use crate::rejection::Code;

pub(super) static ZITADEL: Dialect = Dialect {
    name: "zitadel",
    title: "ZITADEL",
    // A self-hosted instance shows nothing in its URL.
    recognises: |host, _| within(host, "zitadel.cloud"),
    tenant: &["urn:zitadel:iam:user:resourceowner:id"],
    // The roles of the token's own project. Those of other projects are in claims of their own.
    roles: &["urn:zitadel:iam:org:project:roles"],
    // Only its ID tokens tell of a sign-in. Both kinds name the client.
    id_token_claims: &["auth_time", "amr", "azp"],
    access_token_claims: &["scope", "scp"],
    cures: &[
        (
            Code::TokenMalformed,
            "in ZITADEL, set the application's access token type to JWT, or set up `introspection` \
                here: the default is opaque",
        ),
        (
            Code::TokenAudience,
            "in ZITADEL, have the client ask for scope `urn:zitadel:iam:org:project:id:<project \
                id>:aud`, and write the project's id as audience",
        ),
        (
            Code::PolicyRole,
            "in ZITADEL, switch on \"Assert Roles on Authentication\" for the project",
        ),
    ],
    ..BASE
};

/// Whether ZITADEL keeps roles in a claim: an object whose members have the names of the roles, and
/// say in which organizations the caller has them.
pub(super) fn keeps_roles(claim: &str) -> bool {
    let Some(rest) = claim.strip_prefix("urn:zitadel:iam:org:project:") else {
        return false;
    };
    // The roles of another project are at `...:project:{id}:roles`.
    rest == "roles" || rest.ends_with(":roles")
}
