//! Cloudflare Access: the application token, which comes in `Cf-Access-Jwt-Assertion`, not in
//! `Authorization`.
//!
//! Who gets a token for an application is for its own Access policy to say, so no further condition
//! is needed.
//!
//! There is no metadata; the keys are at a fixed path. A service token has an empty `sub`.

use super::generic::BASE;
use super::{Dialect, Discovery, FinalSlash, Mark, Sign, within};
use crate::rejection::Code;

pub(super) static CLOUDFLARE: Dialect = Dialect {
    name: "cloudflare",
    title: "Cloudflare Access",
    final_slash: FinalSlash::Never,
    recognises: |host, _| within(host, "cloudflareaccess.com"),
    required_claims: &[],
    marks: &[Mark {
        claim: "type",
        values: &["app"],
        proves: true,
    }],
    bears_id_tokens: true,
    subject: &["sub", "common_name"],
    empty_subject: true,
    client: &["common_name"],
    tenant: &[],
    roles: &["custom.roles"],
    groups: &["custom.groups"],
    // A service token names itself in `common_name`, and nobody else.
    application: &[&[
        Sign::Absent("sub"),
        Sign::Has("common_name"),
        Sign::Absent("email"),
        Sign::Absent("identity_nonce"),
    ]],
    doubtful: &[&[Sign::Absent("sub")]],
    discovery: Discovery::KeysAt("/cdn-cgi/access/certs"),
    cures: &[
        (
            Code::TokenAudience,
            "in Cloudflare Access, `aud` is the application's AUD tag, 64 hexadecimal digits",
        ),
        (
            Code::CredentialMissing,
            "Cloudflare Access sends the token in a header of its own: set `token_header` to \
                `cf-access-jwt-assertion`",
        ),
    ],
    ..BASE
};
