//! Okta, custom authorization servers: `https://{org}.okta.com/oauth2/{id}`.
//!
//! The org authorization server's tokens are for Okta only, so its issuer is refused.

use super::generic::BASE;
use super::{
    AssertionAudience, Dialect, FinalSlash, ProviderApi, SessionClaim, Sign, Unfit, within,
};
use crate::rejection::Code;
use crate::token::Issuer;

pub(super) static OKTA: Dialect = Dialect {
    name: "okta",
    title: "Okta, custom authorization server",
    final_slash: FinalSlash::Never,
    recognises: |host, _| DOMAINS.iter().any(|domain| within(host, domain)),
    // ID tokens have no `cid`.
    required_claims: &["cid"],
    subject: &["uid", "sub"],
    // Introspection answers call it `client_id`.
    client: &["cid", "client_id"],
    tenant: &[],
    roles: &["roles", "groups"],
    // Everybody who signed in has a `uid`, and no custom claim can remove it. `sub` is a login
    // name, which people may choose.
    application: &[&[Sign::Absent("uid"), Sign::SUBJECT_IS_CLIENT]],
    doubtful: &[&[Sign::Absent("uid")]],
    sign_in: &["uid"],
    // Not among the claims of access tokens in the reference "OpenID Connect & OAuth 2.0".
    session_claim: SessionClaim::Never,
    assertion_audience: AssertionAudience::TokenEndpoint,
    unfit,
    own_apis: &[ProviderApi {
        audience: "{issuer}",
        title: "Okta's own APIs",
        cure: "ask a custom authorization server for it (`/oauth2/default/v1/token`), not the \
            org server (`/oauth2/v1/token`), whose tokens only Okta can verify",
    }],
    cures: &[
        (
            Code::TokenIssuer,
            "in Okta, ask the custom authorization server for the token \
                (`/oauth2/default/v1/token`), not the org server (`/oauth2/v1/token`)",
        ),
        (
            Code::TokenAudience,
            "in Okta, compare the audience under Security, API, your authorization server",
        ),
        (
            Code::PolicyScope,
            "in Okta, add the scope to the authorization server, and an access policy that \
                grants it",
        ),
        (
            Code::PolicyRole,
            "in Okta, add a groups claim for access tokens to the authorization server",
        ),
    ],
    ..BASE
};

// The preview, European and government cells have domains of their own.
const DOMAINS: &[&str] = &[
    "okta.com",
    "oktapreview.com",
    "okta-emea.com",
    "okta-gov.com",
];

fn unfit(issuer: &Issuer, _: &[String]) -> Option<Unfit> {
    let custom = match issuer.as_str().split_once("/oauth2/") {
        Some((_, id)) => !id.trim_matches('/').is_empty(),
        None => false,
    };
    (!custom).then_some(Unfit {
        expected: "a custom authorization server: the access tokens of Okta's org server are for \
            Okta only",
        cure: "write its issuer, such as `https://<org>.okta.com/oauth2/default`, and have clients \
            get tokens there",
    })
}
