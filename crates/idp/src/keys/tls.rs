//! HTTPS, and clients that show a certificate (RFC 8705).
//!
//! Two addresses: the usual one asks for no certificate, so that browsers show no dialogue; the
//! other one asks for one, and takes any, because what a certificate proves depends on the client:
//! see `endpoint/certificate.rs`.

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

/// What the settings come to.
pub(crate) struct Ready {
    /// For everybody.
    pub(crate) server: Arc<ServerConfig>,
    /// Asks for a certificate.
    pub(crate) mutual: Arc<ServerConfig>,
    /// Judges certificates of clients by their authorities.
    pub(crate) clients: Option<Arc<dyn ClientCertVerifier>>,
    pub(crate) authority: Option<Authority>,
}

impl Tls {
    /// Reads or makes what is needed, for these hosts besides loopback.
    pub(crate) fn ready(&self, hosts: &[String]) -> Result<Ready, ConfigErrors> {
        let fault = |place: &str, problem: String, help: &str| {
            ConfigError::wrong(place, problem).help(help).into()
        };
        let made = |error: rcgen::Error| {
            fault(
                "tls",
                format!("no certificate can be made: {error}"),
                "check `names`",
            )
        };
        let (chain, key, authority) = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate, "tls.certificate")?;
                let read = PrivateKeyDer::from_pem_file(key);
                let key = read.map_err(|error| unreadable("tls.key", key, &error.to_string()))?;
                (chain, key, None)
            }
            (None, None) => {
                let authority = Authority::new().map_err(made)?;
                let names = ["localhost", "127.0.0.1", "::1"]
                    .map(str::to_owned)
                    .into_iter();
                let names = names
                    .chain(self.names.clone())
                    .chain(hosts.to_vec())
                    .collect();
                let (certificate, key) = authority.for_server(names).map_err(made)?;
                (vec![certificate, authority.der()], key, Some(authority))
            }
            _ => {
                return Err(fault(
                    "tls",
                    "`certificate` and `key` go together, and one is missing".to_owned(),
                    "add the other one",
                ));
            }
        };
        if let (Some(file), Some(authority)) = (&self.authority_file, &authority) {
            std::fs::write(file, authority.pem())
                .map_err(|error| unreadable("tls.authority_file", file, &error.to_string()))?;
        }
        let unusable = |error: Error| {
            fault(
                "tls",
                format!("the certificate cannot be used: {error}"),
                "check the files",
            )
        };
        let configured = |mutual| server(chain.clone(), key.clone_key(), mutual).map_err(unusable);
        let (server, mutual) = (configured(false)?, configured(true)?);
        Ok(Ready {
            server,
            mutual,
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
        roots.add_parsable_certificates(trusted);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let built = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        built.map(|verifier| Some(verifier as _)).map_err(|error| {
            let cure = "write certificates of authorities in PEM";
            ConfigError::wrong("tls.client_authorities", error.to_string())
                .help(cure)
                .into()
        })
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
    let builder = match mutual {
        true => builder.with_client_cert_verifier(Arc::new(AnyCertificate(provider))),
        false => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(file: &PathBuf, place: &str) -> Result<Vec<CertificateDer<'static>>, ConfigErrors> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => {
            Err(unreadable(place, file, "there is no certificate in it"))
        }
        other => other.map_err(|error| unreadable(place, file, &error.to_string())),
    }
}

fn unreadable(place: &str, file: &std::path::Path, problem: &str) -> ConfigErrors {
    ConfigError::wrong(place, format!("{}: {problem}", file.display()))
        .help("name a file in PEM that can be used")
        .into()
}

/// Takes every certificate whose key the client has, whoever issued it.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
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
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
