//! The TLS of a host: one handshake for each version that this program speaks, with the
//! certificates that the host presents.
//!
//! The platform's verifier judges certificates, as for every connection of ours. This module only
//! records the verdict, and accepts nothing that the verifier refuses. It sends nothing over the
//! connections.

use crate::certified_key::CertifiedKey;
use crate::key::{bits, unix_time};
use portcullis_provider::fetch::NetworkFault;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion};
use rustls_platform_verifier::Verifier;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// A host and how it speaks TLS.
#[derive(Clone, Debug)]
pub struct TlsHost {
    /// Host and port.
    pub name: String,
    /// Whether it speaks TLS 1.3, or what it answered instead.
    pub tls13: Result<(), String>,
    /// Whether it speaks TLS 1.2, or what it answered instead.
    pub tls12: Result<(), String>,
    /// The reason why the certificate is not trusted, if it is not. It names the host.
    pub untrusted: Option<String>,
    /// The host's own certificate.
    pub leaf: Option<LeafCertificate>,
}

/// What matters of a host's own certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafCertificate {
    /// The start of its validity, in Unix time.
    pub not_before: i64,
    /// The end of its validity, in Unix time.
    pub not_after: i64,
    /// The size of its key, if that is an RSA key.
    pub rsa_bits: Option<usize>,
    /// The hash in its signature, if that one is broken.
    pub weak_signature: Option<&'static str>,
}

// A host that accepts no connection costs this once: `probe` ends there.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shakes hands with the host of a URL, once for each version; nothing for http, and for hosts that
/// cannot be reached.
pub async fn probe(url: &Url, authorities: &[CertificateDer<'static>]) -> Option<TlsHost> {
    if url.scheme() != "https" {
        return None;
    }
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let tls13 = handshake(host, port, &TLS13, authorities).await?;
    let tls12 = handshake(host, port, &TLS12, authorities).await?;
    // Clients prefer TLS 1.3, so most of them see the certificate of that handshake.
    let presented = tls13.presented.or(tls12.presented);
    let leaf = presented.as_ref().and_then(|it| leaf(&it.certificate));
    let distrust = presented.and_then(|it| it.distrust);
    Some(TlsHost {
        name: format!("{host}:{port}"),
        tls13: tls13.result,
        tls12: tls12.result,
        leaf,
        // In the words of a fetch: the operator sees the same sentence at the gateway.
        untrusted: distrust.map(|error| NetworkFault::read(url, &error, None).to_string()),
    })
}

/// The outcome of one handshake.
struct Handshake {
    result: Result<(), String>,
    presented: Option<PresentedCertificate>,
}

/// Nothing if there is no connection.
async fn handshake(
    host: &str,
    port: u16,
    version: &'static SupportedProtocolVersion,
    authorities: &[CertificateDer<'static>],
) -> Option<Handshake> {
    // `Url::host_str` leaves the brackets around an IPv6 address; neither the resolver nor
    // `ServerName` takes them.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let connecting = tokio::time::timeout(PATIENCE, TcpStream::connect((host, port)));
    let stream = connecting.await.ok()?.ok()?;
    let (config, verifier) = client(version, authorities)?;
    let server = ServerName::try_from(host.to_owned()).ok()?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(server, stream);
    let result = match tokio::time::timeout(PATIENCE, handshake).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    };
    let presented = verifier.take();
    // A host that presents a certificate speaks the version, whether or not it is trusted.
    let result = if presented.is_some() { Ok(()) } else { result };
    Some(Handshake { result, presented })
}

/// A client for one version, and the verifier that will have seen the certificate.
fn client(
    version: &'static SupportedProtocolVersion,
    authorities: &[CertificateDer<'static>],
) -> Option<(ClientConfig, Arc<RecordingVerifier>)> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        Verifier::new_with_extra_roots(authorities.to_vec(), Arc::clone(&provider)).ok()?;
    let verifier = Arc::new(RecordingVerifier {
        verifier,
        presented: Mutex::new(None),
    });
    let config = ClientConfig::builder_with_provider(provider)
        // With both versions offered, one handshake would not tell whether the other one works.
        .with_protocol_versions(&[version])
        .ok()?
        // rustls names every verifier of one's own so; ours passes each verdict on unchanged.
        .dangerous()
        .with_custom_certificate_verifier(Arc::<RecordingVerifier>::clone(&verifier))
        .with_no_client_auth();
    Some((config, verifier))
}

/// A certificate, and the verdict on it.
struct PresentedCertificate {
    certificate: CertificateDer<'static>,
    distrust: Option<rustls::Error>,
}

/// The platform's verifier, with a record of the certificate that it judged.
struct RecordingVerifier {
    verifier: Verifier,
    presented: Mutex<Option<PresentedCertificate>>,
}

impl RecordingVerifier {
    fn take(&self) -> Option<PresentedCertificate> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<PresentedCertificate>> {
        // A panic elsewhere cannot leave the record half written.
        self.presented
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for RecordingVerifier {
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
        // The record comes before the verdict: a refusal ends the handshake, and the report needs
        // its reason.
        let presented = PresentedCertificate {
            certificate: own.clone().into_owned(),
            distrust: verdict.as_ref().err().cloned(),
        };
        *self.lock() = Some(presented);
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

impl fmt::Debug for RecordingVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the platform's verifier, recorded")
    }
}

fn leaf(der: &[u8]) -> Option<LeafCertificate> {
    let certificate = Certificate::from_der(der).ok()?;
    let content = certificate.tbs_certificate();
    let rsa_bits = match CertifiedKey::read(content.subject_public_key_info()) {
        Some(CertifiedKey::Rsa { modulus, .. }) => Some(bits(modulus.as_bytes())),
        _ => None,
    };
    // RFC 3279, section 2.2: the identifiers of RSA with MD5, RSA with SHA-1 and ECDSA with SHA-1.
    let algorithm = certificate.signature_algorithm().oid.to_string();
    let weak_signature = match algorithm.as_str() {
        "1.2.840.113549.1.1.4" => Some("MD5"),
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" => Some("SHA-1"),
        _ => None,
    };
    Some(LeafCertificate {
        not_before: unix_time(content.validity().not_before)?,
        not_after: unix_time(content.validity().not_after)?,
        rsa_bits,
        weak_signature,
    })
}
