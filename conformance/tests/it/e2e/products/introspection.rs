//! Opaque tokens of real products, by both grants: their issuer is asked about them (RFC 7662).
//!
//! Glewlwyd is not here: its access tokens are all JWTs, and it tells a client about that client's
//! own tokens only.

use super::super::command::{portcullis, text};
use super::super::provider::Provider;
use super::canaille::{self, Canaille};
use super::{caller, token_of_service};
use portcullis::{Config, ResourceServer, Settings};
use portcullis_resource_server::Secret;

/// A resource server that asks in the name of this client. Nothing is remembered, so that a
/// revocation shows at once.
fn asking(
    provider: &Provider,
    audience: &str,
    profile: &str,
    client: &str,
    settings: &str,
) -> ResourceServer {
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{audience}\"]\nmax_lifetime = 864000\n{profile}\n\
         [issuer.introspection]\nclient_id = \"{client}\"\ncache_seconds = 0\n{settings}\n",
        provider.issuer
    );
    let mut config = Config::from_toml(&text).unwrap();
    config.issuer[0]
        .introspection
        .as_mut()
        .unwrap()
        .client
        .secret = Some(Secret::new(format!("{client}-secret")));
    ResourceServer::with_settings(Settings::try_from(config).unwrap())
}

/// Canaille answers only a client that is in the token's audience. Its times are fractions of
/// seconds, and what it says about a token of client credentials names no subject.
#[tokio::test(flavor = "multi_thread")]
async fn canaille_is_asked_about_applications_and_confirms_users() {
    let Some(canaille) = Canaille::start().await else {
        return;
    };
    let provider = &canaille.provider;
    let service = token_of_service(provider, &["--scope", "orders:read"]);
    let alice = provider.sign_in("alice").await;
    let server = asking(
        provider,
        canaille::AUDIENCE,
        canaille::PROFILE,
        "api",
        "tokens = \"all\"",
    );
    assert_eq!(
        caller(&server, &service).await,
        "application of service: orders:read"
    );
    assert_eq!(
        caller(&server, &alice.access_token).await,
        "user of no client: "
    );
    assert_eq!(caller(&server, &alice.id_token).await, "token.id_token");
    assert_eq!(caller(&server, "made-up").await, "token.inactive");
    let elsewhere = asking(provider, "another-api", canaille::PROFILE, "api", "");
    assert_eq!(caller(&elsewhere, &service).await, "token.audience");
    let outsider = asking(
        provider,
        canaille::AUDIENCE,
        canaille::PROFILE,
        "service",
        "",
    );
    assert_eq!(
        caller(&outsider, &service).await,
        "token.inactive",
        "it is not for this client to know"
    );

    let environment = [
        ("OAUTH2_ISSUER", provider.issuer.as_str()),
        ("OAUTH2_AUDIENCE", canaille::AUDIENCE),
        ("OAUTH2_INTROSPECTION", "true"),
        ("OAUTH2_CLIENT_ID", "api"),
        ("OAUTH2_CLIENT_SECRET", "api-secret"),
    ];
    let explained = portcullis(&["explain", &service], &environment);
    let page = text(&explained.stdout);
    assert!(
        explained.status.code() == Some(0) && page.contains("This token is accepted"),
        "{page}"
    );

    provider.revoke(&service).await;
    assert_eq!(caller(&server, &service).await, "token.inactive", "revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certified_provider_is_asked_about_applications_and_users() {
    const OPAQUE: &str = "api://opaque-api";
    let Some(mut provider) = Provider::certified("ES256").await else {
        return;
    };
    provider.audience = OPAQUE;
    let alice = provider.sign_in("alice").await;
    let service = provider.client_credentials(OPAQUE).await;
    assert!(
        ![&alice.access_token, &service]
            .iter()
            .any(|token| token.contains('.')),
        "they are opaque"
    );
    let server = asking(&provider, OPAQUE, "", "service", "");
    assert_eq!(
        caller(&server, &service).await,
        "application of service: orders:read"
    );
    assert_eq!(
        caller(&server, &alice.access_token).await,
        "user of web: orders:read"
    );
    assert_eq!(caller(&server, &alice.id_token).await, "token.id_token");
}
