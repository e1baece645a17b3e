//! Microsoft's two products for customers' identities: Entra External ID and Azure AD B2C.

use super::entra::ENTRA_V2;
use super::generic::BASE;
use super::{Dialect, Discovery, FinalSlash, Mark, TENANT, within};
use crate::rejection::Code;
use crate::verify::TokenType;

/// Entra External ID: `https://{tenant}.ciamlogin.com/{tenant}/v2.0`, tokens like those of Entra
/// ID.
pub(super) static EXTERNAL_ID: Dialect = Dialect {
    name: "entra-external-id",
    title: "Microsoft Entra External ID",
    final_slash: FinalSlash::Never,
    recognises: |host, _| within(host, "ciamlogin.com"),
    types: ENTRA_V2.types,
    required_claims: ENTRA_V2.required_claims,
    marks: ENTRA_V2.marks,
    max_lifetime: ENTRA_V2.max_lifetime,
    subject: ENTRA_V2.subject,
    client: ENTRA_V2.client,
    tenant_is_guid: true,
    acr: ENTRA_V2.acr,
    application: ENTRA_V2.application,
    doubtful: ENTRA_V2.doubtful,
    sign_in: ENTRA_V2.sign_in,
    group_overage: true,
    keys_name_issuer: true,
    assertion_audience: ENTRA_V2.assertion_audience,
    pkce_unannounced: ENTRA_V2.pkce_unannounced,
    cures: ENTRA_V2.cures,
    ..BASE
};

/// Azure AD B2C: the metadata is under the policy's name, which the issuer does not show.
pub(super) static B2C: Dialect = Dialect {
    name: "entra-b2c",
    title: "Azure AD B2C",
    recognises: |host, _| within(host, "b2clogin.com"),
    types: &[TokenType::Jwt],
    // ID tokens have no `azp`.
    required_claims: &["azp"],
    marks: &[Mark {
        claim: "ver",
        values: &["1.0", "2.0"],
        proves: false,
    }],
    subject: &["oid", "sub"],
    client: &["azp"],
    roles: &["roles", "extension_roles"],
    // Here a person's `sub` is their `oid` too.
    application: ENTRA_V2.application,
    doubtful: ENTRA_V2.doubtful,
    sign_in: &[
        "scp",
        "auth_time",
        "idp",
        "emails",
        "name",
        "given_name",
        "family_name",
        "sid",
        "nonce",
    ],
    discovery: Discovery::Under(|issuer| {
        issuer
            .contains(TENANT)
            .then(|| issuer.replace(TENANT, "organizations"))
    }),
    assertion_audience: ENTRA_V2.assertion_audience,
    pkce_unannounced: ENTRA_V2.pkce_unannounced,
    cures: &[
        (
            Code::TokenIssuer,
            "in Azure AD B2C, set `metadata_url` to the user flow's metadata, and `url` to its \
                `issuer`",
        ),
        (
            Code::TokenAudience,
            "in Azure AD B2C, ask for a scope of this API; `aud` is the API's application id",
        ),
    ],
    ..BASE
};
