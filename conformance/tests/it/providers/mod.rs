//! Every provider we know: its tokens are accepted, their callers found, and what is not for us
//! refused.
//!
//! The development identity provider imitates each of them. Its tokens are judged twice: under the
//! address where it runs, with discovery and the profile named, and under the provider's own
//! issuer, which shows the profile. The table in `docs/providers.md` is made from what comes of it.

mod callers;
mod cases;
mod imitated;
mod live;
mod rules;

use crate::documents::must_be;
use base64::Engine as _;
use cases::{CASES, Case};
use portcullis_core::credential::Credential;
use portcullis_core::jose::Jwks;
use portcullis_core::token::{AccessToken, NumericDate};
use portcullis_core::{Denial, Limits};
use portcullis_idp::{Idp, IdpConfig, TokenBuilder};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ResourceServer, Settings};
use std::fmt::Write as _;
use std::sync::Arc;

const NOW: i64 = 1_800_000_000;

/// A provider that is imitated, at a fixed moment.
async fn imitated(case: &Case) -> Idp {
    let config = IdpConfig {
        dialect: case.imitation,
        ..IdpConfig::default()
    };
    Idp::start_at(config, || NOW as u64).await.unwrap()
}

/// A server with this text as the settings of its only issuer.
fn server(
    issuer: &str,
    audiences: &[String],
    settings: &str,
    keys: Option<&Idp>,
) -> ResourceServer {
    let text = format!("[[issuer]]\nurl = \"{issuer}\"\naudience = {audiences:?}\n{settings}\n");
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let settings = match keys {
        // A key of Entra ID names the issuer it is for.
        Some(idp) => {
            let keys = idp.jwks().replace(idp.issuer().as_str(), issuer);
            settings.with_fixed_keys(&Jwks::parse(keys.as_bytes(), &Limits::default()).unwrap())
        }
        None => settings,
    };
    ResourceServer::with_clock(
        settings,
        Arc::new(TestClock::at(NumericDate::from_seconds(NOW))),
    )
}

async fn judge(server: &ResourceServer, token: &str) -> Result<AccessToken, String> {
    server
        .authenticate(Credential::bearer(token))
        .await
        .map_err(|denial| match denial {
            Denial::Rejection(rejection) => rejection.code().to_string(),
            Denial::Outage(outage) => outage.to_string(),
        })
}

/// Who the token says calls: kind, client, tenant, scopes, roles.
fn caller(token: &AccessToken) -> String {
    let identity = token.identity();
    let names: Vec<&str> = identity.roles().iter().collect();
    let or_none = |text: Option<&str>| text.map_or("no".to_owned(), |_| "yes".to_owned());
    format!(
        "{}, client: {}, tenant: {}, scopes: {}, roles: {}",
        identity.kind(),
        or_none(identity.client()),
        or_none(identity.tenant()),
        if identity.scopes().is_empty() {
            "none".to_owned()
        } else {
            identity.scopes().to_string()
        },
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(" ")
        },
    )
}

/// A claim of a token that is a text and not empty, read by other means than ours.
fn claim(token: &str, name: &str) -> Option<String> {
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1)?)
        .unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    claims[name]
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn good(idp: &Idp, name: &str) -> TokenBuilder {
    idp.token(name).scope("orders:read")
}

/// What became of one provider, for the table.
struct Row {
    user: String,
    application: String,
    refused: [String; 3],
}

async fn row(case: &Case) -> Row {
    let idp = imitated(case).await;
    let discovered = format!("profile = \"{}\"\n{}", case.profile, case.settings);
    let live = server(idp.issuer().as_str(), &idp.audiences(), &discovered, None);
    let shown = server(
        case.issuer,
        &idp.audiences(),
        &case.settings_as_shown(),
        Some(&idp),
    );
    let here = |token: TokenBuilder| case.dress(token).sign();
    let there = |token: TokenBuilder| case.dress(token).issuer(case.issuer).sign();
    let mut callers = Vec::new();
    for (name, subject) in case.callers.iter().zip(case.subjects) {
        let text = here(good(&idp, name));
        let token = judge(&live, &text).await;
        let token =
            token.unwrap_or_else(|code| panic!("{}: {name} was refused: {code}", case.title));
        let same = judge(&shown, &there(good(&idp, name))).await;
        let same = same.unwrap_or_else(|code| panic!("{}: {name} was refused: {code}", case.title));
        assert_eq!(
            same.verifier().profile().name(),
            case.profile,
            "{} shows in its issuer",
            case.title
        );
        assert_eq!(caller(&token), caller(&same), "{}", case.title);
        // Not only that there is somebody: it is the one that the provider's documentation says.
        for identity in [token.identity(), same.identity()] {
            assert_eq!(
                identity.subject(),
                claim(&text, subject).as_deref(),
                "{}: {name}",
                case.title
            );
        }
        callers.push(caller(&token));
    }
    let other_audience = here(good(&idp, case.callers[0]).audience("another-api"));
    let other_audience = judge(&live, &other_audience).await;
    Row {
        user: callers.first().cloned().unwrap(),
        application: callers.get(1).cloned().unwrap_or("(none)".to_owned()),
        refused: [
            other_audience.map(|_| ()).expect_err(case.title),
            other_tenant(case, &idp).await,
            id_token(case, &live, &idp).await,
        ],
    }
}

/// A token of another tenant: by its claim where there is one, else by its issuer.
async fn other_tenant(case: &Case, idp: &Idp) -> String {
    let (name, audiences) = (case.callers[0], idp.audiences());
    let Some((claim, ours)) = case.tenant else {
        let server = server(
            case.issuer,
            &audiences,
            &case.settings_as_shown(),
            Some(idp),
        );
        let token = case
            .dress(good(idp, name))
            .issuer(case.other_issuer)
            .sign();
        return judge(&server, &token)
            .await
            .map(|_| ())
            .expect_err(case.title);
    };
    let settings = format!("tenant = \"{ours}\"\n{}", case.settings_as_shown());
    let server = server(case.issuer, &audiences, &settings, Some(idp));
    let token = |tenant: &str| {
        let token = case.dress(good(idp, name)).issuer(case.issuer);
        token
            .claim(claim, cases::nested(case.tenant_member, tenant))
            .sign()
    };
    let own = judge(&server, &token(ours)).await;
    assert!(
        own.is_ok(),
        "{}: its own tenant was refused: {}",
        case.title,
        own.unwrap_err()
    );
    judge(&server, &token("another-tenant"))
        .await
        .map(|_| ())
        .expect_err(case.title)
}

/// An ID token for the same caller, with our audience in it; where ID tokens are what is borne,
/// whatever else it is that must not pass.
async fn id_token(case: &Case, server: &ResourceServer, idp: &Idp) -> String {
    let token = idp.token(case.callers[0]).id_token();
    let audience = idp.audiences().first().cloned().unwrap();
    match case.instead {
        None => {
            let token = token.claim("aud", audience).sign();
            judge(server, &token)
                .await
                .map(|_| ())
                .expect_err(case.title)
        }
        Some((what, change)) => {
            let token = change(case.dress(good(idp, case.callers[0])));
            let code = judge(server, &token)
                .await
                .map(|_| ())
                .expect_err(case.title);
            format!("{code} ({what})")
        }
    }
}

#[tokio::test]
async fn every_provider_has_its_row() {
    let mut text = String::from(HEAD);
    for case in CASES {
        let Row {
            user,
            application,
            refused: [audience, tenant, id_token],
        } = row(case).await;
        writeln!(
            text,
            "| {} | `{}` | {user} | {application} | `{audience}` | `{tenant}` | {} |",
            case.title,
            case.profile,
            match id_token.split_once(' ') {
                None => format!("`{id_token}`"),
                Some((code, what)) => format!("`{code}` {what}"),
            }
        )
        .unwrap();
    }
    text.push_str(TAIL);
    crate::tally::totals("providers", CASES.len(), CASES.len(), 0);
    must_be("providers.md", &text);
}

const HEAD: &str = "# Providers

Made from the tests by `cargo xtask docs`; do not edit. Each row is a run of `conformance/tests/it/providers`: the development
identity provider imitates the provider's tokens and documents, and a resource server judges them under the provider's own issuer.
The profile shows in the issuer's URL; where the host is your own and says nothing, `profile` names it.

| provider | `profile` | a user's token is accepted, and says | an application's | for another audience | of another tenant | an ID token |
|---|---|---|---|---|---|---|
";

const TAIL: &str = "
Not by profile: PingFederate and OneLogin are `generic`, with `roles` set to where you put them. Google's access tokens, and those of
Okta's org server, are for their provider's own APIs and cannot be verified by others; the second is refused at the start.

Settings that some providers need:

| provider | setting |
|---|---|
| Entra ID, many tenants | `url = \"https://login.microsoftonline.com/{tenantid}/v2.0\"` and `tenants = [...]` |
| Azure AD B2C | `metadata_url`, the address of the user flow's metadata |
| Amazon Cognito | `audience` lists the ids of the app clients that may call |
| GitHub Actions, GitLab CI | `[issuer.claims]`, whose jobs may call: `repository_owner_id = \"123456\"` |
| AD FS | `url` is the issuer of access tokens, `http://<host>/adfs/services/trust`; the documents are fetched by https. A rule of the API issues `sub` or `upn` |
| Kubernetes | `[issuer.claims]`, whose pods may call: `\"kubernetes.io.namespace\" = \"shop\"`; `ca_file`, and `fetch_token_file` where the keys are not public |
| Cloudflare Access | `token_header = \"cf-access-jwt-assertion\"` |
| Keycloak, ZITADEL, authentik, Ory Hydra on a host of your own | `profile`, unless the path shows it |

## Who is a user, and who an application

`kind` follows from signs that the caller cannot choose; a name is never enough. A token that looks like an application's and may be
a person's is of kind `unknown` and meets a demand for neither.

| provider | what people may choose | an application's token |
|---|---|---|
| any provider, Ory Hydra, ZITADEL | their names and addresses; at some providers `sub` | `sub` is the client, and nothing of a session (`sid`, `nonce`, `amr`); the provider has to keep subjects and client ids apart. A machine user of ZITADEL is a user |
| Entra ID, External ID, Azure AD B2C | at B2C, names and addresses | `idtyp` is `app`; or no `scp`, `oid` is `sub`, the client has credentials, and nobody is named |
| AD FS | nothing: names come from the directory | `sub` is the client, or absent with `apptype` `Confidential` and no way in which people sign in as `authmethod`; and there is no `upn`, `unique_name` or `email` |
| Okta | `sub`, their login name | no `uid`, and `sub` is the client |
| Auth0 | what follows the bar in `sub`; names | `sub` is the client and `@clients`, and `gty` says so where the tokens have it |
| Google, Firebase | names; at Google an address of their own | `sub` is `azp`, a service account's number; at Firebase none |
| Amazon Cognito | `username` | no `username` at all, and `sub` is the client |
| Keycloak | `preferred_username`, names, addresses | `preferred_username` is `service-account-` and the client, without a session, or with `clientAddress` |
| PingOne | names | no `sub` |
| authentik | `preferred_username`; in the mode of that name, `sub` | `preferred_username` is `ak-`, the client's id and `-client_credentials`, without a session: name the provider by its client id |
| Cloudflare Access | names | an empty `sub`, `common_name`, no `email` |
| GitHub Actions, GitLab CI, Kubernetes | names of repositories, branches, environments, projects and pods; the form of `sub` | always |

Whatever the provider, but AD FS: a token without `sub` that names its client is an application's, unless it says anything of a person or a sign-in; then
it is refused.

Three products run for real in `conformance/tests/it/e2e`: tokens by client credentials and by code with PKCE, through their own
pages, read by the profile `generic` with nothing set but issuer and audience.

| product | its access tokens | what an operator sets there |
|---|---|---|
| oidc-provider 9 (JavaScript) | RFC 9068, or opaque, as the resource server is configured | `resourceIndicators`, and in it `accessTokenFormat` |
| Glewlwyd 2.7 (C) | RFC 9068; it tells a client about that client's own tokens only, so that it cannot be asked about others; where a client asks for no `resource`, `aud` is the list of scopes, and the token is refused | `resource-allowed`, and in `resource-scope` the API's audience, which must be an `https` URL |
| Canaille 0.3 (Python) | an application's: opaque, for `[issuer.introspection]`; a user's: a JWT made like an ID token, of `typ` `JWT`, valid for ten days, without client and scopes: a policy about scopes refuses it | `OAUTH2_TOKEN_EXPIRES_IN`, a day at most; a client that stands for the API, in the `audience` of the others and asks about opaque tokens; `REQUIRE_NONCE` stays on, for `nonce` and `at_hash` are all that tells its ID tokens apart |
";
