//! Microsoft Entra ID. The API's registration chooses the version of its tokens, not the client's
//! endpoint.
//!
//! The issuer names the tenant, and `iss` is compared whole, so `tid` needs no comparison of its
//! own: a token of another tenant has another issuer. Only an entry for many tenants compares both.
//!
//! Tenant and `oid` identify a caller: `sub` differs from client to client, and `upn`, `email` and
//! `preferred_username` can change. Scopes (`scp`) are in users' tokens only. An application's
//! permissions come in `roles`, as a user's roles do, so a policy should say which of the two it
//! means.

use super::generic::BASE;
use super::{
    AssertionAudience, Dialect, Discovery, FinalSlash, Mark, ProviderApi, SessionClaim, Sign,
    TENANT, Unfit,
};
use crate::rejection::Code;
use crate::token::Issuer;
use crate::verify::TokenType;
use std::time::Duration;

/// v2 tokens: `https://login.microsoftonline.com/{tenant}/v2.0`. ID tokens have no `azp`.
pub(super) static ENTRA_V2: Dialect = Dialect {
    name: "entra-v2",
    title: "Microsoft Entra ID, v2 tokens",
    near_miss: |host, path| {
        LOGIN_HOSTS
            .contains(&host)
            .then(|| near_miss(path))
            .flatten()
    },
    doubtful_audience: |audience| {
        audience.starts_with("api://").then_some(Unfit {
            expected: "the API's client id: tokens of version 2 name it by nothing else",
            cure: "write the Application (client) ID of the API's registration; with \
                   `requestedAccessTokenVersion` 1, write the issuer of version 1",
        })
    },
    final_slash: FinalSlash::Never,
    recognises: |host, path| LOGIN_HOSTS.contains(&host) && path.ends_with("/v2.0"),
    required_claims: &["azp", "tid"],
    marks: &[Mark {
        claim: "ver",
        values: &["2.0"],
        proves: false,
    }],
    client: &["azp"],
    // A template has no metadata of its own: that of all tenants is under `organizations`.
    discovery: Discovery::Under(|issuer| {
        issuer
            .contains(TENANT)
            .then(|| issuer.replace(TENANT, "organizations"))
    }),
    ..ENTRA
};

/// What a token of version 2 never names as its issuer.
fn near_miss(path: &str) -> Option<Unfit> {
    // The version is told first: with it, the tenant's name is often mended too.
    if !path.ends_with("/v2.0") {
        return Some(Unfit {
            expected: "an issuer of Entra ID, which ends with `/v2.0`",
            cure: "write `https://login.microsoftonline.com/<tenant id>/v2.0`; tokens of version 1 \
                   name `https://sts.windows.net/<tenant id>/`",
        });
    }
    let tenant = path.trim_start_matches('/').split('/').next();
    // `contoso.onmicrosoft.com`: the metadata is there too, but it names the id.
    tenant.is_some_and(|tenant| tenant.contains('.')).then_some(Unfit {
        expected: "an issuer of Entra ID, which holds the id of the tenant, not its domain name",
        cure: "copy the Directory (tenant) ID of the overview page into the address",
    })
}

/// v1 tokens: `https://sts.windows.net/{tenant}/`. ID tokens have no `appid`.
pub(super) static ENTRA_V1: Dialect = Dialect {
    name: "entra-v1",
    title: "Microsoft Entra ID, v1 tokens",
    final_slash: FinalSlash::Always,
    recognises: |host, _| host == STS_HOST,
    required_claims: &["appid", "tid"],
    marks: &[Mark {
        claim: "ver",
        values: &["1.0"],
        proves: false,
    }],
    client: &["appid"],
    discovery: Discovery::Under(|issuer| {
        let elsewhere = issuer.replace(STS_HOST, "login.microsoftonline.com");
        let there = elsewhere.replace(TENANT, "organizations");
        (there != issuer).then_some(there)
    }),
    ..ENTRA
};

/// The hosts of the clouds: global, US government, China.
const LOGIN_HOSTS: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
];

const STS_HOST: &str = "sts.windows.net";

const ENTRA: Dialect = Dialect {
    types: &[TokenType::Jwt, TokenType::AccessToken],
    // With continuous access evaluation, tokens live for up to 28 hours.
    max_lifetime: Duration::from_secs(29 * 3_600),
    subject: &["oid", "sub"],
    tenant: &["tid"],
    // A domain name such as `contoso.com` would never equal `tid`.
    tenant_is_guid: true,
    // The authentication contexts of Conditional Access that were met: `c1` to `c99`. Its own `acr`
    // means something else.
    acr: &["acrs"],
    application: APPLICATION,
    doubtful: &[&[Sign::Absent("scp"), Sign::IsNot("idtyp", "user")]],
    sign_in: &[
        "scp",
        "sid",
        "upn",
        "unique_name",
        "preferred_username",
        "nonce",
    ],
    // "Optional claims reference": in access tokens, and only where the API asks for it.
    session_claim: SessionClaim::OptIn(
        "add the optional claim `sid` to access tokens, at *Token configuration* of the API",
    ),
    // Above 200 groups the token holds none, and only says that there are some.
    group_overage: true,
    // All tenants share one key set.
    keys_name_issuer: true,
    assertion_audience: AssertionAudience::TokenEndpoint,
    pkce_unannounced: true,
    unfit,
    own_apis: OWN_APIS,
    cures: CURES,
    ..BASE
};

/// `idtyp` is there only if the API asks for it. Without it, only users' tokens have scopes, and
/// only for an application are `oid` and `sub` the same. A client without credentials gets no token
/// in its own name.
const APPLICATION: &[&[Sign]] = &[
    &[Sign::Is("idtyp", "app")],
    &[
        Sign::Absent("idtyp"),
        Sign::Absent("scp"),
        Sign::Same("oid", "sub"),
        Sign::IsNot("azpacr", "0"),
        Sign::IsNot("appidacr", "0"),
        Sign::NobodySignedIn,
    ],
];

/// By client id, as v2 tokens name them, and by URI, as v1 tokens do: in each cloud another one.
const OWN_APIS: &[ProviderApi] = &[
    graph("00000003-0000-0000-c000-000000000000"),
    graph("https://graph.microsoft.com"),
    graph("https://graph.microsoft.us"),
    graph("https://dod-graph.microsoft.us"),
    graph("https://microsoftgraph.chinacloudapi.cn"),
    azure_ad_graph("00000002-0000-0000-c000-000000000000"),
    azure_ad_graph("https://graph.windows.net"),
    management("https://management.azure.com"),
    management("https://management.core.windows.net"),
];

const fn graph(audience: &'static str) -> ProviderApi {
    microsoft(audience, "Microsoft Graph")
}

const fn azure_ad_graph(audience: &'static str) -> ProviderApi {
    microsoft(audience, "Azure AD Graph")
}

const fn management(audience: &'static str) -> ProviderApi {
    microsoft(audience, "Azure Resource Manager")
}

const fn microsoft(audience: &'static str, title: &'static str) -> ProviderApi {
    ProviderApi {
        audience,
        title,
        cure: ASK_FOR_OWN_SCOPE,
    }
}

const ASK_FOR_OWN_SCOPE: &str = "ask for a scope of your own API, such as \
    `api://<app id of the API>/.default`; scopes without an API, such as `User.Read`, are those \
    of Microsoft Graph";

fn unfit(issuer: &Issuer, _: &[String]) -> Option<Unfit> {
    let shared = ["/common/", "/organizations/", "/consumers/"];
    let names_no_tenant = shared
        .iter()
        .any(|name| issuer.as_str().contains(name));
    names_no_tenant.then_some(Unfit {
        expected: "a tenant: no token has `common`, `organizations` or `consumers` in its issuer",
        cure: "write the tenant's id in its place, or `{tenantid}` and a list of `tenants`",
    })
}

const CURES: &[(Code, &str)] = &[
    (
        Code::TokenType,
        "in Entra ID, set `requestedAccessTokenVersion` of the API's manifest to the version that \
            is configured here, \
         and send the access token, not the ID token",
    ),
    (
        Code::TokenAudience,
        "in Entra ID, ask for scope `<app id of the API>/.default` or one of its scopes; v2 tokens \
            have the API's client id as \
         `aud`, v1 tokens also its App ID URI",
    ),
    (
        Code::TokenSignature,
        "in Entra ID, a token whose header has `nonce` is for Microsoft Graph and cannot be \
            verified by others: ask for a scope of this API",
    ),
    (
        Code::TokenTenant,
        "in Entra ID, add the tenant's id to `tenants`, or sign in to the configured tenant",
    ),
    (
        Code::PolicyScope,
        "in Entra ID, expose the scope under \"Expose an API\" and ask for it; applications get \
            app roles, never scopes",
    ),
    (
        Code::PolicyStepUp,
        "in Entra ID, `acr` names an authentication context (`c1`), which the client asks for by \
            the `claims` parameter, as `acrs`; \
         `auth_time` is an optional claim of the API's registration",
    ),
    (
        Code::PolicyRole,
        "in Entra ID, define the app role in the API's registration and assign it under \
            \"Enterprise applications\"; applications \
         need admin consent",
    ),
    (
        Code::PolicyGroupsUnknown,
        "in Entra ID, emit only groups assigned to the application, use app roles, or set up \
            `groups` to ask Microsoft Graph",
    ),
];
