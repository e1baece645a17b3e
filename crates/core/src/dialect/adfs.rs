//! Active Directory Federation Services: access tokens whose issuer is the farm's identifier, by
//! default `http://{host}/adfs/services/trust`. It is a name, not an address: the documents are
//! under `https://{host}/adfs`, whose `issuer` is another one, and name it as
//! `access_token_issuer`.
//!
//! Most claims come from the farm's rules. The names of people come from the directory, where they
//! do not choose them.

use super::generic::BASE;
use super::{Dialect, Discovery, Mark, Sign, Unfit};
use crate::rejection::Code;
use crate::token::Issuer;
use crate::token::issuer::is_loopback_host;
use crate::verify::TokenType;

pub(super) static ADFS: Dialect = Dialect {
    name: "adfs",
    title: "Active Directory Federation Services",
    recognises: |_, path| path == TRUST || path == BASE_PATH,
    types: &[TokenType::Jwt],
    required_claims: &["appid"],
    marks: &[Mark {
        claim: "ver",
        values: &["1.0"],
        proves: false,
    }],
    subject: &["sub", "upn", "unique_name"],
    client: &["appid"],
    // A farm serves one organization.
    tenant: &[],
    roles: &["role", "roles"],
    groups: &["group", "groups"],
    application: &[&[
        Sign::Is("apptype", "Confidential"),
        Sign::Absent("upn"),
        Sign::Absent("unique_name"),
        Sign::SUBJECT_IS_CLIENT,
        Sign::NobodySignedIn,
    ]],
    doubtful: &[&[Sign::SUBJECT_IS_CLIENT]],
    // Without a rule the tokens of people name nobody. Only a client with a secret or a key calls
    // in its own name. People sign in by a method of SAML or of Windows, which are URNs, or by
    // several; a client's method is an address.
    alone: &[&[
        Sign::Is("apptype", "Confidential"),
        Sign::Lacks("authmethod", "urn:"),
        Sign::Lacks("authmethod", "multipleauthn"),
    ]],
    sign_in: &[
        "upn",
        "unique_name",
        "winaccountname",
        "email",
        "sid",
        "nonce",
    ],
    discovery: Discovery::Under(documents),
    unfit,
    cures: &[
        (
            Code::TokenIssuer,
            "in AD FS, `Get-AdfsProperties` shows the `Identifier` that access tokens have; the \
                metadata calls it `access_token_issuer`",
        ),
        (
            Code::TokenAudience,
            "in AD FS, `aud` is the identifier of the Web API, or \
                `microsoft:identityserver:` and it",
        ),
        (
            Code::TokenClaimMissing,
            "in AD FS, a rule of the Web API issues a user's `upn`, or `sub`: by default the \
                access token names nobody",
        ),
        (
            Code::PolicyScope,
            "in AD FS, permit the scope to the client under the application's permissions",
        ),
        (
            Code::PolicyRole,
            "in AD FS, issue the claim type `Role` by a rule of the Web API",
        ),
    ],
    ..BASE
};

/// The farm's own address, if its identifier is the usual one. Nothing but loopback is asked by
/// plain http.
fn documents(issuer: &str) -> Option<String> {
    let (scheme, rest) = issuer.split_once("://")?;
    let authority = rest.strip_suffix(TRUST)?;
    if authority.contains('/') {
        return None;
    }
    let host = match authority.rsplit_once(':') {
        Some((host, _)) => host,
        None => authority,
    };
    // The identifier begins with `http`, but keys that come that way could be anybody's.
    let scheme = if is_loopback_host(host) {
        scheme
    } else {
        "https"
    };
    Some(format!("{scheme}://{authority}{BASE_PATH}"))
}

const BASE_PATH: &str = "/adfs";
const TRUST: &str = "/adfs/services/trust";

fn unfit(issuer: &Issuer, _: &[String]) -> Option<Unfit> {
    let is_base = issuer.as_str().starts_with("https://") && issuer.as_str().ends_with(BASE_PATH);
    is_base.then_some(Unfit {
        expected: "the issuer of access tokens: AD FS writes another one into them than its \
            metadata has as `issuer`",
        cure: "write the metadata's `access_token_issuer`, such as \
            `http://<host>/adfs/services/trust`",
    })
}
