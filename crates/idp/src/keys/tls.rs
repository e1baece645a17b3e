//! HTTPS, and clients with certificates (RFC 8705).
//!
//! There are two addresses. The usual one asks for no certificate, so that browsers show no dialog.
//! The other one asks for a certificate and takes any, because what it proves depends on the
//! client: see `endpoint/client/certificate.rs`.

use crate::config::tls::Tls;
use crate::keys::authority::Authority;
use portcullis_core::{ConfigError, ConfigErrors};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use std::path::PathBuf;
use std::sync::Arc;

/// Everything that the settings of HTTPS lead to.
pub(crate) struct TlsMaterial {
    /// For everybody.
    pub(crate) server: Arc<ServerConfig>,
    /// For clients with certificates.
    pub(crate) mutual: Arc<ServerConfig>,
    /// Verifies clients' certificates by their authorities.
    pub(crate) clients: Option<Arc<dyn ClientCertVerifier>>,
    pub(crate) authority: Option<Authority>,
}

impl Tls {
    /// Reads or makes the certificates, for these hosts besides loopback.
    pub(crate) fn ready(&self, hosts: &[String]) -> Result<TlsMaterial, ConfigErrors> {
        let (chain, key, authority) = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate, "tls.certificate")?;
                let read = PrivateKeyDer::from_pem_file(key);
                let key = read.map_err(|error| unreadable("tls.key", key, &error.to_string()))?;
                (chain, key, None)
            }
            (None, None) => {
                let authority = Authority::new().map_err(|error| not_made(&error))?;
                let mut names = ["localhost", "127.0.0.1", "::1"]
                    .map(str::to_owned)
                    .to_vec();
                names.extend(self.names.clone());
                names.extend(hosts.to_vec());
                let (certificate, key) = authority
                    .for_server(names)
                    .map_err(|error| not_made(&error))?;
                (vec![certificate, authority.der()], key, Some(authority))
            }
            (certificate, _) => {
                let (there, missing) = match certificate {
                    Some(_) => ("certificate", "key"),
                    None => ("key", "certificate"),
                };
                let expected =
                    ConfigError::expected("tls", "both `certificate` and `key`, or neither");
                let found = expected.found(format!("only `{there}`"));
                return Err(found.help(format!("add `{missing}`")).into());
            }
        };
        if let (Some(file), Some(authority)) = (&self.authority_file, &authority) {
            std::fs::write(file, authority.pem())
                .map_err(|error| unreadable("tls.authority_file", file, &error.to_string()))?;
        }
        Ok(TlsMaterial {
            server: server(chain.clone(), key.clone_key(), false)
                .map_err(|error| unusable(&error))?,
            mutual: server(chain, key, true).map_err(|error| unusable(&error))?,
            clients: self.clients(authority.as_ref())?,
            authority,
        })
    }

    fn clients(
        &self,
        authority: Option<&Authority>,
    ) -> Result<Option<Arc<dyn ClientCertVerifier>>, ConfigErrors> {
        let trusted = match (&self.client_authorities, authority) {
            (Some(file), _) => certificates(file, "tls.client_authorities")?,
            (None, Some(authority)) => vec![authority.der()],
            (None, None) => return Ok(None),
        };
        let mut roots = RootCertStore::empty();
        // Certificates that rustls cannot read are skipped, as system stores have some.
        roots.add_parsable_certificates(trusted);
        let provider = Arc::new(aws_lc_rs::default_provider());
        match WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build() {
            Ok(verifier) => Ok(Some(verifier)),
            Err(error) => {
                let wrong = ConfigError::wrong("tls.client_authorities", error.to_string());
                Err(wrong
                    .help("write certificates of authorities in PEM")
                    .into())
            }
        }
    }
}

fn server(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    mutual: bool,
) -> Result<Arc<ServerConfig>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = if mutual {
        builder.with_client_cert_verifier(Arc::new(AnyCertificate(provider)))
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(chain, key)?;
    // The server speaks HTTP/1.1 only, and clients must not try HTTP/2.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn not_made(error: &rcgen::Error) -> ConfigErrors {
    let problem = format!("no certificate can be made: {error}");
    ConfigError::wrong("tls", problem)
        .help("check `names`")
        .into()
}

fn unusable(error: &Error) -> ConfigErrors {
    let problem = format!("the certificate cannot be used: {error}");
    ConfigError::wrong("tls", problem)
        .help("check the files")
        .into()
}

fn certificates(file: &PathBuf, place: &str) -> Result<Vec<CertificateDer<'static>>, ConfigErrors> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => Err(unreadable(place, file, "it has no certificate")),
        other => other.map_err(|error| unreadable(place, file, &error.to_string())),
    }
}

fn unreadable(place: &str, file: &std::path::Path, problem: &str) -> ConfigErrors {
    ConfigError::wrong(place, format!("{}: {problem}", file.display()))
        .help("name a file in PEM that can be used")
        .into()
}

/// Accepts every certificate whose key the client holds, whoever issued it.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    // A client without a certificate may authenticate by another method.
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // No hints: a client offers its certificate whatever authority issued it.
        &[]
    }

    fn verify_client_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // The signature of the handshake still proves that the client holds the key.
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0
            .signature_verification_algorithms
            .supported_schemes()
    }
}
