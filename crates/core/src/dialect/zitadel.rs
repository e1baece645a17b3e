//! ZITADEL. Access tokens are opaque unless the application is set to JWT; roles are the members of
//! an object.

use super::generic::BASE;
use super::{Dialect, within};
use crate::rejection::Code;

pub(super) static ZITADEL: Dialect = Dialect {
    name: "zitadel",
    title: "ZITADEL",
    recognises: |host, _| within(host, "zitadel.cloud"),
    tenant: &["urn:zitadel:iam:user:resourceowner:id"],
    // Roles of the token's own project; those of other projects stand under claims that name them.
    roles: &["urn:zitadel:iam:org:project:roles"],
    // Its access tokens say nothing of a sign-in; its ID tokens do, and name the client as they do.
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

/// Whether a claim is one of those in which ZITADEL keeps roles: an object, whose members are named
/// by the roles and say in which organizations they are held.
pub(super) fn keeps_roles(claim: &str) -> bool {
    let project = claim
        .strip_prefix("urn:zitadel:iam:org:project:")
        .and_then(|rest| rest.strip_suffix("roles"));
    project.is_some_and(|project| project.is_empty() || project.ends_with(':'))
}
