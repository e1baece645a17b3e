//! The TLS of a host, as handshakes show it.

use super::tls_front::Front;
use portcullis_audit::handshake::{LeafCertificate, probe};
use rustls::SupportedProtocolVersion;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::version::{TLS12, TLS13};
use url::Url;

/// A server with a certificate for this name, and the authority that made it.
async fn server(
    name: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> (Url, CertificateDer<'static>) {
    let front = Front::new(name, versions).await;
    let url = front.url.parse().unwrap();
    let authority = CertificateDer::from_pem_slice(front.authority.as_bytes()).unwrap();
    front.serve(None);
    (url, authority)
}

#[tokio::test]
async fn versions_and_certificate_are_told() {
    let (url, authority) = server("localhost", &[&TLS12, &TLS13]).await;
    let host = probe(&url, &[authority]).await.unwrap();
    assert_eq!(
        (&host.tls13, &host.tls12, &host.untrusted),
        (&Ok(()), &Ok(()), &None)
    );
    let leaf = LeafCertificate {
        not_before: 1_735_689_600,
        not_after: 2_208_988_800,
        rsa_bits: None,
        weak_signature: None,
    };
    assert_eq!(host.leaf, Some(leaf));
}

#[tokio::test]
async fn a_version_that_is_not_spoken_is_told() {
    let (url, authority) = server("localhost", &[&TLS12]).await;
    let host = probe(&url, &[authority]).await.unwrap();
    assert_eq!(host.tls12, Ok(()));
    assert!(host.tls13.unwrap_err().contains("ProtocolVersion"));
    assert_eq!(host.untrusted, None);
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_is_told_with_the_reason() {
    let (url, authority) = server("other.example", &[&TLS13]).await;
    let host = probe(&url, &[authority]).await.unwrap();
    let reason = host.untrusted.unwrap();
    assert!(reason.ends_with(" is for other.example"), "{reason}");
    assert!(host.leaf.is_some() && host.tls13.is_ok());
    let (url, _) = server("localhost", &[&TLS13]).await;
    assert!(
        probe(&url, &[]).await.unwrap().untrusted.is_some(),
        "nobody knows the authority"
    );
}

#[tokio::test]
async fn who_is_not_there_is_no_host() {
    assert!(
        probe(&"https://127.0.0.1:1".parse().unwrap(), &[])
            .await
            .is_none()
    );
    assert!(
        probe(&"http://127.0.0.1:1".parse().unwrap(), &[])
            .await
            .is_none()
    );
}
