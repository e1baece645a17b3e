//! An issuer's documents, looked at with everything that came along.

use portcullis_core::Limits;
use portcullis_core::jose::Jwks;
use portcullis_idp::{Dialect, Endpoint, Fault, Idp, IdpConfig};
use portcullis_provider::inspect::Inspector;
use portcullis_resource_server::IssuerConfig;
use portcullis_resource_server::clock::SystemClock;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

fn inspector(written: &IssuerConfig) -> Inspector {
    written
        .inspector(Limits::default(), Arc::new(SystemClock::new()))
        .unwrap()
}

fn written(idp: &Idp) -> IssuerConfig {
    IssuerConfig {
        url: idp.issuer().to_string(),
        ..IssuerConfig::default()
    }
}

#[tokio::test]
async fn every_address_is_asked_and_answers_come_with_their_headers() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let inspector = inspector(&written(&idp));
    let forms = inspector.metadata().await;
    assert_eq!(forms.len(), 2);
    let keys = inspector
        .keys(Some(Url::parse(&idp.jwks_uri()).unwrap()))
        .await
        .unwrap()
        .answer
        .unwrap();
    assert_eq!(
        (keys.status, keys.max_age()),
        (200, Some(Duration::from_secs(300)))
    );
    assert!(
        keys.headers.contains_key("etag") && Jwks::parse(&keys.body, &Limits::default()).is_ok()
    );
    assert!(
        inspector.keys(None).await.is_none(),
        "nothing says where they are"
    );
}

/// The rules of a running server hold: no redirects, bounded, https beyond loopback.
#[tokio::test]
async fn what_a_server_does_not_fetch_is_not_looked_at() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let inspector = inspector(&written(&idp));
    let url = || Some(Url::parse(&idp.jwks_uri()).unwrap());
    idp.fail(Endpoint::Jwks, Fault::Redirect);
    let status = inspector
        .keys(url())
        .await
        .unwrap()
        .answer
        .unwrap()
        .status;
    assert!(
        (300..400).contains(&status),
        "{status}: it is told, and not followed"
    );
    idp.fail(Endpoint::Jwks, Fault::Huge);
    let fault = inspector
        .keys(url())
        .await
        .unwrap()
        .answer
        .unwrap_err();
    assert!(fault.contains("larger than"), "{fault}");
    let plain = inspector
        .keys(Some(Url::parse("http://idp.example/jwks").unwrap()))
        .await
        .unwrap();
    assert_eq!(plain.answer.unwrap_err(), "it is not https");
}

#[tokio::test]
async fn settings_say_where_to_look() {
    let idp = Idp::start(IdpConfig {
        dialect: Dialect::Cloudflare,
        ..IdpConfig::default()
    })
    .await
    .unwrap();
    let known = inspector(&IssuerConfig {
        profile: Some("cloudflare".to_owned()),
        ..written(&idp)
    });
    assert!(known.metadata().await.is_empty());
    assert_eq!(known.keys(None).await.unwrap().answer.unwrap().status, 200);
    let named = inspector(&IssuerConfig {
        jwks_uri: Some(idp.jwks_uri()),
        ..written(&idp)
    });
    assert_eq!(
        named.keys_url().map(|url| url.to_string()),
        Some(idp.jwks_uri())
    );
    let template = IssuerConfig {
        url: "https://login.example/{tenantid}/v2.0".to_owned(),
        tenants: vec!["one".to_owned(), "two".to_owned()],
        ..IssuerConfig::default()
    };
    assert_eq!(
        inspector(&template).issuer().as_str(),
        "https://login.example/one/v2.0"
    );
}

#[test]
fn what_is_wrong_is_told_at_once() {
    let new =
        |written: &IssuerConfig| written.inspector(Limits::default(), Arc::new(SystemClock::new()));
    let of = |url: &str| IssuerConfig {
        url: url.to_owned(),
        ..IssuerConfig::default()
    };
    assert!(
        new(&of("http://idp.example"))
            .unwrap_err()
            .to_string()
            .contains("https")
    );
    let ca_file = Some("/nonexistent".into());
    let metadata_url = Some("http://idp.example/m".to_owned());
    let errors = new(&IssuerConfig {
        ca_file,
        metadata_url,
        ..of("https://idp.example")
    })
    .unwrap_err();
    assert_eq!(errors.iter().count(), 2, "{errors}");
}
