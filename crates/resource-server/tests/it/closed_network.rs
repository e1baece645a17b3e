//! A provider on plain http within a closed network: refused, unless the operator says so.

use crate::setup::idp;
use axum::Router;
use axum::response::IntoResponse as _;
use portcullis_core::ConfigError;
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ResourceServer, Settings};
use portcullis_testkit::{AUDIENCE, clock, decide};
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;

/// An address of this machine that is not loopback. Nothing is sent.
fn own_address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect("198.51.100.1:9").unwrap();
    let address = socket.local_addr().unwrap().ip();
    assert!(
        !address.is_loopback(),
        "this test needs an address beyond loopback"
    );
    address
}

/// An issuer at that address, with everything over http.
async fn issuer(jwks: String) -> String {
    let listener = tokio::net::TcpListener::bind((own_address(), 0))
        .await
        .unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let metadata = format!(
        "{{\"issuer\":\"{issuer}\",\"jwks_uri\":\"{issuer}/keys\",\"introspection_endpoint\":\"{issuer}/introspect\"}}"
    );
    let active = serde_json::json!({
        "active": true, "iss": issuer, "aud": AUDIENCE, "sub": "alice", "client_id": "c", "token_type": "Bearer",
        "exp": 1_800_000_600, "iat": 1_800_000_000,
    });
    let app = Router::new().fallback(async move |uri: http::Uri| {
        let json = |text: String| ([("content-type", "application/json")], text).into_response();
        match uri.path() {
            "/keys" => json(jwks.clone()),
            "/introspect" => json(active.to_string()),
            _ => json(metadata.clone()),
        }
    });
    tokio::spawn(async { axum::serve(listener, app).await });
    issuer
}

fn settings(issuer: &str, more: &str) -> Result<Settings, Vec<ConfigError>> {
    let text = format!("[[issuer]]\nurl = \"{issuer}\"\naudience = \"{AUDIENCE}\"\n{more}");
    let settings = Settings::try_from(Config::from_toml(&text).unwrap());
    settings.map_err(|errors| errors.iter().cloned().collect())
}

#[tokio::test]
async fn plain_http_needs_a_switch_and_the_cure_names_it() {
    for more in ["", "danger_plain_http = false\n"] {
        let faults = settings("http://keycloak:8080/realms/x", more).unwrap_err();
        assert_eq!(faults[0].place(), "issuer[0].url");
        assert!(
            faults[0].help().contains("danger_plain_http = true"),
            "{}",
            faults[0].help()
        );
    }
    assert!(
        settings(
            "http://keycloak:8080/realms/x",
            "danger_plain_http = true\n"
        )
        .is_ok()
    );
    for member in ["jwks_uri", "metadata_url"] {
        let written = format!("{member} = \"http://keycloak:8080/x\"\n");
        assert!(
            settings("https://idp.example", &written).is_err(),
            "{member}"
        );
        assert!(
            settings(
                "https://idp.example",
                &format!("{written}danger_plain_http = true\n")
            )
            .is_ok(),
            "{member}"
        );
    }
    for odd in [
        "ftp://keycloak",
        "http://user:secret@keycloak",
        "keycloak:8080",
    ] {
        assert!(
            settings(odd, "danger_plain_http = true\n").is_err(),
            "{odd}"
        );
    }
}

#[tokio::test]
async fn with_the_switch_documents_and_answers_come_over_http() {
    let clock = clock();
    let signer = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let issuer = issuer(signer.jwks()).await;
    let more = "danger_plain_http = true\n[issuer.introspection]\nauth = \"none\"\n";
    let settings = settings(&issuer, more).unwrap();
    let server = ResourceServer::with_clock(settings, Arc::<TestClock>::clone(&clock));
    assert_eq!(
        decide(&server, &signer.token("alice").issuer(&issuer).sign()).await,
        "allow"
    );
    assert_eq!(decide(&server, "an-opaque-token").await, "allow");
    assert!(server.is_ready());
}

#[tokio::test]
async fn the_switch_of_one_issuer_is_not_that_of_another() {
    let clock = clock();
    let signer = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let plain = issuer(signer.jwks()).await;
    // An issuer on loopback whose metadata leads to plain http beyond it.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let strict = format!("http://{}", listener.local_addr().unwrap());
    let metadata = format!("{{\"issuer\":\"{strict}\",\"jwks_uri\":\"{plain}/keys\"}}");
    let app = Router::new().fallback(async move || metadata.clone());
    tokio::spawn(async { axum::serve(listener, app).await });
    let text = format!(
        "[[issuer]]\nurl = \"{plain}\"\naudience = \"{AUDIENCE}\"\ndanger_plain_http = true\n\
         [[issuer]]\nurl = \"{strict}\"\naudience = \"{AUDIENCE}\"\n"
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let server = ResourceServer::with_clock(settings, Arc::<TestClock>::clone(&clock));
    assert_eq!(
        decide(&server, &signer.token("alice").issuer(&plain).sign()).await,
        "allow"
    );
    assert_eq!(
        decide(&server, &signer.token("alice").issuer(&strict).sign()).await,
        "outage.metadata"
    );
}

#[test]
fn the_switch_is_a_variable_too() {
    let of = |value: &str| {
        Config::from_variables(|name| match name {
            "OAUTH2_ISSUER" => Some("http://keycloak:8080".to_owned()),
            "OAUTH2_AUDIENCE" => Some("api".to_owned()),
            "OAUTH2_DANGER_PLAIN_HTTP" => Some(value.to_owned()),
            _ => None,
        })
    };
    assert!(Settings::try_from(of("true").unwrap()).is_ok());
    let errors = Settings::try_from(of("false").unwrap())
        .unwrap_err()
        .to_string();
    assert!(errors.contains("OAUTH2_DANGER_PLAIN_HTTP=true"), "{errors}");
    assert!(
        of("yes")
            .unwrap_err()
            .to_string()
            .contains("OAUTH2_DANGER_PLAIN_HTTP")
    );
}
