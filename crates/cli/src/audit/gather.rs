//! Everything of an audit that goes out: the documents as a server fetches them, and handshakes
//! with their hosts.

use super::handshake::{Door, knock};
use super::sample::Sample;
use super::seen::{Form, KeySet, Seen};
use portcullis_provider::inspect::{Inspection, Inspector};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::collections::BTreeSet;
use std::path::Path;
use url::Url;

/// Looks at an identity provider. The sample token stays on this machine.
///
/// # Errors
///
/// Nobody answered, and no handshake told why: then there is nothing to audit.
pub(crate) async fn gather(
    inspector: &Inspector,
    authorities: Option<&Path>,
    sample: Option<&str>,
) -> Result<Seen, String> {
    let limits = *inspector.limits();
    let looked = inspector.metadata().await;
    let forms: Vec<Form> = looked
        .into_iter()
        .map(|looked| Form::read(looked, &limits))
        .collect();
    let mut seen = Seen {
        issuer: inspector.issuer().clone(),
        now: inspector.clock().now(),
        limits,
        forms,
        keys: None,
        doors: Vec::new(),
        sample: None,
    };
    let named = seen.text("jwks_uri").and_then(|uri| Url::parse(uri).ok());
    seen.keys = inspector
        .keys(named)
        .await
        .map(|looked| KeySet::read(looked, &limits));
    seen.doors = doors(&seen, authorities).await;
    let jwks = seen.keys.as_ref().and_then(|keys| keys.jwks.as_ref().ok());
    seen.sample = sample.map(|text| Sample::read(text, jwks, &limits));
    if answered(&seen) || seen.doors.iter().any(|door| door.untrusted.is_some()) {
        Ok(seen)
    } else {
        Err(reasons(&seen))
    }
}

fn looked(seen: &Seen) -> impl Iterator<Item = &Inspection> {
    seen.forms
        .iter()
        .map(|form| &form.looked)
        .chain(seen.keys.as_ref().map(|keys| &keys.looked))
}

fn answered(seen: &Seen) -> bool {
    looked(seen).any(|looked| looked.answer.is_ok())
}

fn reasons(seen: &Seen) -> String {
    let reasons = looked(seen)
        .filter_map(|looked| Some(format!("{}: {}", looked.url, looked.answer.as_ref().err()?)));
    // One server that is down is asked at several addresses.
    let first: Vec<String> = reasons.take(1).collect();
    format!("{} does not answer: {}", seen.issuer, first.join("; "))
}

/// The hosts of the issuer and of the key set, each once.
async fn doors(seen: &Seen, authorities: Option<&Path>) -> Vec<Door> {
    let authorities = authorities.map(certificates).unwrap_or_default();
    let mut known = BTreeSet::new();
    let mut doors = Vec::new();
    let issuer = Url::parse(seen.issuer.as_str()).ok();
    // A key set that was not fetched for where it is, is not knocked at either.
    let keys = seen
        .keys
        .as_ref()
        .filter(|keys| keys.looked.answer.is_ok())
        .map(|keys| keys.looked.url.clone());
    for url in issuer.into_iter().chain(keys) {
        if known.insert((
            url.host_str().map(str::to_owned),
            url.port_or_known_default(),
        )) {
            doors.extend(knock(&url, &authorities).await);
        }
    }
    doors
}

/// The certificates of a file that was read before, and was found in order.
fn certificates(file: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(file)
        .map(|found| found.filter_map(Result::ok).collect())
        .unwrap_or_default()
}

#[cfg(test)]
#[cfg(feature = "dev")]
mod tests {
    use super::super::of_issuer;
    use super::super::tls_front::Front;
    use super::*;
    use portcullis_core::Limits;
    use portcullis_idp::{Fault, Idp, IdpConfig};
    use portcullis_resource_server::IssuerConfig;
    use portcullis_resource_server::clock::SystemClock;
    use rustls::version::{TLS12, TLS13};
    use std::path::PathBuf;
    use std::sync::Arc;

    /// Our provider behind TLS, and the file with the authority.
    async fn provider(name: &str) -> (Idp, PathBuf) {
        let front = Front::new(name, &[&TLS12, &TLS13]).await;
        let config = IdpConfig {
            issuer: Some(front.url.clone()),
            ..IdpConfig::default()
        };
        let idp = Idp::start(config).await.unwrap();
        let file =
            std::env::temp_dir().join(format!("portcullis-audit-{}.pem", idp.address().port()));
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
        let seen = gather(inspector, authorities, None).await?;
        Ok(of_issuer(&seen, None)
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
        assert_eq!(
            found,
            ["audit.metadata_missing", "audit.certificate_untrusted"]
        );
        std::fs::remove_file(file).unwrap();
    }

    #[tokio::test]
    async fn metadata_that_leads_nowhere_is_told_and_an_issuer_that_is_away_is_an_outage() {
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        idp.fail_metadata(Fault::Redirect);
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
}
