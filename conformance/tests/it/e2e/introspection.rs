//! Opaque tokens of a certified provider: asked about, signed answers, revocation.

use super::provider::Provider;
use portcullis_core::Denial;
use portcullis_core::credential::Credential;
use portcullis_resource_server::{Config, ResourceServer, Secret, Settings};

const AUDIENCE: &str = "api://opaque-api";

fn server(issuer: &str, more: &str) -> ResourceServer {
    let text = format!(
        "[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{AUDIENCE}\"]\n[issuer.introspection]\nclient_id = \"service\"\n{more}\n"
    );
    let mut config = Config::from_toml(&text).unwrap();
    config.issuer[0]
        .introspection
        .as_mut()
        .unwrap()
        .client
        .secret = Some(Secret::new("service-secret"));
    ResourceServer::with_settings(Settings::try_from(config).unwrap())
}

async fn judge(server: &ResourceServer, token: &str) -> String {
    match server.authenticate(Credential::bearer(token)).await {
        Ok(token) => format!("fine: {}", token.has_scope("orders:read")),
        Err(Denial::Rejection(rejection)) => rejection.code().to_string(),
        Err(Denial::Outage(outage)) => outage.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opaque_tokens_of_a_certified_provider() {
    let Some(provider) = Provider::certified("RS256").await else {
        return;
    };
    let token = provider.client_credentials(AUDIENCE).await;
    assert!(!token.contains('.'), "it is opaque");
    for more in ["", "auth = \"client_secret_basic\"\nsigned = true"] {
        let server = server(&provider.issuer, more);
        assert_eq!(judge(&server, &token).await, "fine: true", "{more}");
        assert_eq!(judge(&server, "made-up").await, "token.inactive", "{more}");
    }
    let at_once = server(&provider.issuer, "cache_seconds = 0");
    assert_eq!(judge(&at_once, &token).await, "fine: true");
    provider.revoke(&token).await;
    assert_eq!(judge(&at_once, &token).await, "token.inactive");
    let other = provider
        .client_credentials(super::provider::AUDIENCE)
        .await;
    assert_eq!(
        judge(&at_once, &other).await,
        "token.audience",
        "a JWT of the same provider, for another API"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_wrong_secret_learns_nothing_about_tokens() {
    let Some(provider) = Provider::certified("RS256").await else {
        return;
    };
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{AUDIENCE}\"]\n[issuer.introspection]\nclient_id = \"service\"\n",
        provider.issuer
    );
    let mut config = Config::from_toml(&text).unwrap();
    config.issuer[0]
        .introspection
        .as_mut()
        .unwrap()
        .client
        .secret = Some(Secret::new("wrong"));
    let server = ResourceServer::with_settings(Settings::try_from(config).unwrap());
    let told = judge(&server, "made-up").await;
    assert!(
        told.starts_with("outage.introspection") && told.contains("401"),
        "{told}"
    );
}
