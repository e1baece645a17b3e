//! ZITADEL. Access tokens are opaque unless the application is set to JWT; roles are the members of an object.

use super::generic::BASE;
use super::{Dialect, Sign, within};
use crate::rejection::Code;

pub(super) static ZITADEL: Dialect = Dialect {
    name: "zitadel",
    title: "ZITADEL",
    recognises: |host, _| within(host, "zitadel.cloud"),
    tenant: &["urn:zitadel:iam:user:resourceowner:id"],
    // Roles of the token's own project; those of other projects stand under claims that name them.
    roles: &["urn:zitadel:iam:org:project:roles"],
    application: &[Sign::SubjectIsClient],
    cures: &[
        (
            Code::TokenMalformed,
            "in ZITADEL, set the application's access token type to JWT, or set up `introspection` here: the default is opaque",
        ),
        (
            Code::TokenAudience,
            "in ZITADEL, have the client ask for scope `urn:zitadel:iam:org:project:id:<project id>:aud`, and write the project's id as audience",
        ),
        (Code::PolicyRole, "in ZITADEL, switch on \"Assert Roles on Authentication\" for the project"),
    ],
    ..BASE
};
