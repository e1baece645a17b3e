//! The TLS of a host: one handshake for each version that this program speaks, with the
//! certificates it was shown.
//!
//! Certificates are judged by the platform's verifier, as for every connection of ours; it is only
//! listened to, and nothing that it refuses is accepted. Nothing is sent over the connections.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion};
use rustls_platform_verifier::Verifier;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

/// A host and how it speaks TLS.
#[derive(Debug)]
pub(crate) struct Door {
    /// Name and port.
    pub(crate) host: String,
    /// Whether each version is spoken, or what came instead.
    pub(crate) tls13: Result<(), String>,
    pub(crate) tls12: Result<(), String>,
    /// Why the certificate is not accepted, if it is not.
    pub(crate) untrusted: Option<String>,
    pub(crate) leaf: Option<Leaf>,
}

/// The host's own certificate. Moments are in Unix time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) rsa_bits: Option<usize>,
    /// What it is signed with, where that is broken.
    pub(crate) weak_signature: Option<&'static str>,
}

const PATIENCE: Duration = Duration::from_secs(5);

/// Shakes hands with the host of a URL; nothing for http, and for hosts that cannot be reached.
pub(super) async fn knock(url: &Url, authorities: &[CertificateDer<'static>]) -> Option<Door> {
    if url.scheme() != "https" {
        return None;
    }
    let (name, port) = (url.host_str()?, url.port_or_known_default()?);
    let tls13 = shake(name, port, &TLS13, authorities).await?;
    let tls12 = shake(name, port, &TLS12, authorities).await?;
    let seen = [&tls13, &tls12]
        .into_iter()
        .find_map(|shaken| shaken.shown.clone());
    let (leaf, untrusted) = seen.map_or((None, None), |shown| {
        (leaf(&shown.certificate), shown.refused)
    });
    let host = format!("{name}:{port}");
    Some(Door {
        host,
        tls13: tls13.spoken,
        tls12: tls12.spoken,
        untrusted,
        leaf,
    })
}

/// One handshake.
struct Shaken {
    spoken: Result<(), String>,
    shown: Option<Shown>,
}

/// Nothing if there is no connection.
async fn shake(
    name: &str,
    port: u16,
    version: &'static SupportedProtocolVersion,
    authorities: &[CertificateDer<'static>],
) -> Option<Shaken> {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let connecting = tokio::time::timeout(PATIENCE, TcpStream::connect((bare, port)));
    let stream = connecting.await.ok()?.ok()?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        Verifier::new_with_extra_roots(authorities.to_vec(), Arc::clone(&provider)).ok()?;
    let listening = Arc::new(Listening {
        verifier,
        shown: Mutex::new(None),
    });
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .ok()?;
    let verifier = Arc::clone(&listening);
    let config = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let server = ServerName::try_from(bare.to_owned()).ok()?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(server, stream);
    let shaken = match tokio::time::timeout(PATIENCE, handshake).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    };
    let shown = listening
        .shown
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    // Who shows a certificate speaks the version, whether or not we like the certificate.
    let spoken = if shown.is_some() { Ok(()) } else { shaken };
    Some(Shaken { spoken, shown })
}

/// What a host showed.
#[derive(Clone)]
struct Shown {
    certificate: CertificateDer<'static>,
    refused: Option<String>,
}

/// The platform's verifier, and what it was asked about.
struct Listening {
    verifier: Verifier,
    shown: Mutex<Option<Shown>>,
}

impl ServerCertVerifier for Listening {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self
            .verifier
            .verify_server_cert(own, others, name, stapled, now);
        let refused = verdict.as_ref().err().map(ToString::to_string);
        let shown = Shown {
            certificate: own.clone().into_owned(),
            refused,
        };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the platform's verifier, listened to")
    }
}

fn leaf(der: &[u8]) -> Option<Leaf> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    let rsa_bits = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(rsa)) => Some(rsa.key_size()),
        _ => None,
    };
    let weak_signature = match certificate
        .signature_algorithm
        .algorithm
        .to_id_string()
        .as_str()
    {
        "1.2.840.113549.1.1.4" => Some("MD5"),
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" => Some("SHA-1"),
        _ => None,
    };
    let (not_before, not_after) = (
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    );
    Some(Leaf {
        not_before,
        not_after,
        rsa_bits,
        weak_signature,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tls_front::Front;
    use super::*;
    use rustls::pki_types::pem::PemObject as _;

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
        let door = knock(&url, &[authority]).await.unwrap();
        assert_eq!(
            (&door.tls13, &door.tls12, &door.untrusted),
            (&Ok(()), &Ok(()), &None)
        );
        let leaf = Leaf {
            not_before: 1_735_689_600,
            not_after: 2_208_988_800,
            rsa_bits: None,
            weak_signature: None,
        };
        assert_eq!(door.leaf, Some(leaf));
    }

    #[tokio::test]
    async fn a_version_that_is_not_spoken_is_told() {
        let (url, authority) = server("localhost", &[&TLS12]).await;
        let door = knock(&url, &[authority]).await.unwrap();
        assert_eq!(door.tls12, Ok(()));
        assert!(door.tls13.unwrap_err().contains("ProtocolVersion"));
        assert_eq!(door.untrusted, None);
    }

    #[tokio::test]
    async fn a_certificate_that_is_not_accepted_is_told_with_the_reason() {
        let (url, authority) = server("other.example", &[&TLS13]).await;
        let door = knock(&url, &[authority]).await.unwrap();
        assert!(door.untrusted.unwrap().contains("not valid for name"));
        assert!(door.leaf.is_some() && door.tls13.is_ok());
        let (url, _) = server("localhost", &[&TLS13]).await;
        assert!(
            knock(&url, &[]).await.unwrap().untrusted.is_some(),
            "nobody knows the authority"
        );
    }

    #[tokio::test]
    async fn who_is_not_there_is_no_door() {
        assert!(
            knock(&"https://127.0.0.1:1".parse().unwrap(), &[])
                .await
                .is_none()
        );
        assert!(
            knock(&"http://127.0.0.1:1".parse().unwrap(), &[])
                .await
                .is_none()
        );
    }
}
