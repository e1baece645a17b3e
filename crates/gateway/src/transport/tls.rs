//! TLS by rustls with aws-lc-rs: certificates from files, for the listener and towards upstreams.

use super::certificate;
use crate::settings::TlsSettings;
use arc_swap::ArcSwap;
use hyper_rustls::ConfigBuilderExt as _;
use portcullis_core::ConfigError;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::Path;
use std::sync::Arc;

/// The listener's side of TLS, replaced as a whole when its files change.
#[derive(Debug)]
pub(crate) struct ServerTls {
    settings: TlsSettings,
    current: ArcSwap<Current>,
}

/// What new connections go by, and when its certificate expires, in Unix time.
#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    expiry: Option<i64>,
}

impl ServerTls {
    /// Reads the files.
    pub(crate) fn read(settings: TlsSettings) -> Result<Self, ConfigError> {
        let current = ArcSwap::from_pointee(Current::read(&settings)?);
        Ok(Self { settings, current })
    }

    /// Reads the files again. What is wrong with them changes nothing.
    pub(crate) fn reload(&self) -> Result<(), ConfigError> {
        self.current.store(Arc::new(Current::read(&self.settings)?));
        Ok(())
    }

    /// What new connections go by.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// When the certificate in use expires, in Unix time.
    pub(crate) fn expiry(&self) -> Option<i64> {
        self.current.load().expiry
    }

    pub(crate) fn settings(&self) -> &TlsSettings {
        &self.settings
    }
}

impl Current {
    fn read(settings: &TlsSettings) -> Result<Self, ConfigError> {
        let config = Arc::new(server_config(settings)?);
        let chain = certificates("gateway.tls.certificate", &settings.certificate)?;
        let expiry = chain
            .first()
            .and_then(|certificate| certificate::expiry(certificate));
        Ok(Self { config, expiry })
    }
}

fn server_config(settings: &TlsSettings) -> Result<ServerConfig, ConfigError> {
    let versions: &[_] = if settings.only_1_3 {
        &[&TLS13]
    } else {
        &[&TLS12, &TLS13]
    };
    let place = |member: &str| format!("{}.{member}", settings.place);
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions);
    let builder = builder
        .map_err(|error| unusable(settings.place, &settings.certificate, &error.to_string()))?;
    let builder = match &settings.client_authorities {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let roots = Arc::new(authorities(&place("client_authorities"), file)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            let verifier = if settings.client_certificate_optional {
                verifier.allow_unauthenticated()
            } else {
                verifier
            };
            let verifier = verifier.build().map_err(|error| {
                unusable(&place("client_authorities"), file, &error.to_string())
            })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let chain = certificates(&place("certificate"), &settings.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key)
        .map_err(|error| unusable(&place("key"), &settings.key, &error.to_string()))?;
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| unusable(&place("key"), &settings.key, &error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A request that can be played again is decided again, but an upstream may not expect it.
    config.max_early_data_size = 0;
    Ok(config)
}

/// What connections to upstreams go by: the authorities of a file, or the system's.
pub(crate) fn client_config(
    place: &str,
    authorities_file: Option<&Path>,
) -> Result<ClientConfig, ConfigError> {
    let fault = |error: &rustls::Error| {
        let help = "install the system's certificates, or name a file in `authorities`";
        let problem = format!("no certificate authorities can be trusted: {error}");
        ConfigError::wrong(place, problem).help(help)
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(&error))?;
    let builder = match authorities_file {
        Some(file) => builder.with_root_certificates(authorities(place, file)?),
        None => builder
            .try_with_platform_verifier()
            .map_err(|error| fault(&error))?,
    };
    Ok(builder.with_no_client_auth())
}

/// For upstreams without TLS: it trusts nobody.
pub(crate) fn no_client_config(place: &str) -> Result<ClientConfig, ConfigError> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map(|builder| {
            builder
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth()
        })
        .map_err(|error| {
            ConfigError::wrong(place, error.to_string())
                .help("report this as a fault of Portcullis")
        })
}

fn authorities(place: &str, file: &Path) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(place, file)? {
        roots
            .add(certificate)
            .map_err(|error| unusable(place, file, &error.to_string()))?;
    }
    Ok(roots)
}

fn certificates(place: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(unusable(place, file, "there is none in it")),
        Err(error) => Err(unusable(place, file, &error.to_string())),
    }
}

/// What is in the files is not told: one of them is a secret.
fn unusable(place: &str, file: &Path, problem: &str) -> ConfigError {
    let help = "see that the file is there, that this process may read it, and what is in it";
    ConfigError::expected(place, "a file in PEM that is fit for the purpose")
        .found_as(format!("{}: {problem}", file.display()))
        .help(help)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
