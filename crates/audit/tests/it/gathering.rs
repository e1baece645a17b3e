//! An audit of a real provider, behind TLS of a private authority.

use super::tls_front::Front;
use portcullis_audit::{examine_issuer, gather};
use portcullis_core::Limits;
use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig};
use portcullis_resource_server::IssuerConfig;
use portcullis_resource_server::clock::SystemClock;
use rustls::version::{TLS12, TLS13};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Our provider behind TLS, and the file with the authority.
async fn provider(name: &str) -> (Idp, PathBuf) {
    let front = Front::new(name, &[&TLS12, &TLS13]).await;
    let config = IdpConfig {
        issuer: Some(front.url.clone()),
        ..IdpConfig::default()
    };
    let idp = Idp::start(config).await.unwrap();
    let file = std::env::temp_dir().join(format!("portcullis-audit-{}.pem", idp.address().port()));
    std::fs::write(&file, &front.authority).unwrap();
    front.serve(Some(idp.address()));
    (idp, file)
}

async fn found(idp: &Idp, authorities: Option<&Path>) -> Result<Vec<&'static str>, String> {
    let ca_file = authorities.map(Path::to_owned);
    let written = IssuerConfig {
        url: idp.issuer().to_string(),
        ca_file,
        ..IssuerConfig::default()
    };
    let inspector = &written
        .inspector(Limits::default(), Arc::new(SystemClock::new()))
        .unwrap();
    let observation = gather(inspector, authorities, None).await?;
    Ok(examine_issuer(&observation, None)
        .iter()
        .map(|finding| finding.rule.id)
        .collect())
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_named() {
    let (idp, file) = provider("localhost").await;
    assert_eq!(
        found(&idp, Some(&file)).await,
        Ok(vec!["audit.hsts_missing"])
    );
    // The certificate is told of, although no document could be fetched.
    let untrusted = found(&idp, None).await.unwrap();
    assert!(
        untrusted.contains(&"audit.certificate_untrusted"),
        "{untrusted:?}"
    );
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn a_certificate_for_another_name_is_found() {
    let (idp, file) = provider("other.example").await;
    let found = found(&idp, Some(&file)).await.unwrap();
    assert_eq!(found, ["audit.certificate_untrusted"]);
    std::fs::remove_file(file).unwrap();
}

/// The library only has a name for it; people get the reason and the cure.
#[tokio::test]
async fn an_authority_as_the_certificate_of_a_server_is_told_in_words() {
    let front = Front::self_signed().await;
    let config = IdpConfig {
        issuer: Some(front.url.clone()),
        ..IdpConfig::default()
    };
    let idp = Idp::start(config).await.unwrap();
    let file = std::env::temp_dir().join(format!("portcullis-audit-{}.pem", idp.address().port()));
    std::fs::write(&file, &front.authority).unwrap();
    front.serve(Some(idp.address()));
    let written = IssuerConfig {
        url: idp.issuer().to_string(),
        ca_file: Some(file.clone()),
        ..IssuerConfig::default()
    };
    let inspector = written.inspector(Limits::default(), Arc::new(SystemClock::new()));
    let observation = gather(&inspector.unwrap(), Some(&file), None)
        .await
        .unwrap();
    let fetched = observation.metadata[0]
        .inspection
        .answer
        .as_ref()
        .unwrap_err();
    let shaken = observation.hosts[0].untrusted.as_ref().unwrap();
    for told in [fetched, shaken] {
        let expected = "is that of an authority, not of a server";
        assert!(told.contains(expected), "{told}");
        assert!(!told.contains("OtherError"), "{told}");
    }
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn metadata_that_leads_nowhere_is_told_and_an_issuer_that_is_away_is_an_outage() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    idp.fail(Endpoint::Metadata, Fault::Redirect);
    let found_there = found(&idp, None).await.unwrap();
    assert_eq!(
        found_there,
        [
            "audit.metadata_missing",
            "audit.loopback_http",
            "audit.redirected",
            "audit.redirected"
        ]
    );
    let written = IssuerConfig {
        url: "https://127.0.0.1:1".to_owned(),
        ..IssuerConfig::default()
    };
    let inspector = &written
        .inspector(Limits::default(), Arc::new(SystemClock::new()))
        .unwrap();
    let away = gather(inspector, None, None).await.unwrap_err();
    assert!(
        away.starts_with("https://127.0.0.1:1 does not answer"),
        "{away}"
    );
}
