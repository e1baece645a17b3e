//! TLS with rustls and aws-lc-rs: certificates from files, for listeners and towards upstreams.

use super::certificate;
use super::client_certificate::AnyClientCertificate;
use super::file_setting::{FileSetting, pair_fault};
use crate::decision::time::utc;
use crate::settings::TlsSettings;
use arc_swap::ArcSwap;
use hyper_rustls::ConfigBuilderExt as _;
use portcullis_core::ConfigError;
use portcullis_core::token::NumericDate;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ServerConfig};
use std::path::Path;
use std::sync::Arc;

/// The listener's side of TLS, replaced as a whole when its files change.
#[derive(Debug)]
pub(crate) struct ServerTls {
    settings: TlsSettings,
    current: ArcSwap<LoadedTls>,
}

/// The configuration for new connections, and when its certificate expires, in Unix time.
#[derive(Debug)]
struct LoadedTls {
    config: Arc<ServerConfig>,
    expiry: Option<i64>,
}

impl ServerTls {
    /// Reads the files.
    pub(crate) fn read(settings: TlsSettings) -> Result<Self, ConfigError> {
        let current = ArcSwap::from_pointee(LoadedTls::read(&settings)?);
        Ok(Self { settings, current })
    }

    /// Reads the files again. If they cannot be used, the loaded ones stay in use.
    pub(crate) fn reload(&self) -> Result<(), ConfigError> {
        let loaded = LoadedTls::read(&self.settings)?;
        // Open connections keep their configuration; only new handshakes see this one.
        self.current.store(Arc::new(loaded));
        Ok(())
    }

    /// The configuration for new connections.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// When the certificate in use expires, in Unix time.
    pub(crate) fn expiry(&self) -> Option<i64> {
        self.current.load().expiry
    }

    /// Logs that the certificate in use has expired, or soon will.
    pub(crate) fn warn_of_expiry(&self, now: NumericDate) {
        let Some(expiry) = self.expiry() else { return };
        let (file, end) = (
            self.settings.certificate.display(),
            utc(NumericDate::from_seconds(expiry)),
        );
        let facts = format!("{file} is valid until {end}");
        let cure = "renew it; a new file is taken without a restart";
        if let Some(notice) = certificate::expiry_notice(expiry, now.seconds()) {
            tracing::warn!(facts, cure, "{notice}");
        }
    }

    pub(crate) fn settings(&self) -> &TlsSettings {
        &self.settings
    }
}

impl LoadedTls {
    fn read(settings: &TlsSettings) -> Result<Self, ConfigError> {
        let config = Arc::new(server_config(settings)?);
        let setting = FileSetting::new(settings.place, "certificate", &settings.certificate);
        // The certificate of the server itself comes first (RFC 8446, section 4.4.2).
        let chain = setting.read_certificates()?;
        let expiry = match chain.first() {
            Some(certificate) => certificate::expiry(certificate),
            None => None,
        };
        Ok(Self { config, expiry })
    }
}

/// The settings cannot cause it: the versions are fixed, and a list of authorities is not empty.
const REPORT: &str = "report this, with the version of portcullis";

fn server_config(settings: &TlsSettings) -> Result<ServerConfig, ConfigError> {
    let certificate = FileSetting::new(settings.place, "certificate", &settings.certificate);
    let key_setting = FileSetting::new(settings.place, "key", &settings.key);
    let versions: &[_] = if settings.only_1_3 {
        &[&TLS13]
    } else {
        &[&TLS12, &TLS13]
    };
    let builder = ServerConfig::builder_with_provider(crypto_provider());
    let builder = builder.with_protocol_versions(versions);
    let builder = builder.map_err(|error| certificate.fault(&error, REPORT))?;
    let builder = match client_verifier(settings)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let chain = certificate.read_certificates()?;
    let key = key_setting.read_key()?;
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(|error| pair_fault(&certificate, &key_setting, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Early data can be replayed (RFC 8446, section 8), and upstreams do not expect that.
    config.max_early_data_size = 0;
    Ok(config)
}

/// Verifies client certificates, if the settings name authorities for them.
fn client_verifier(
    settings: &TlsSettings,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, ConfigError> {
    // The settings refuse `client_authorities` beside it, so no check is dropped here.
    if settings.bound_clients {
        let verifier = AnyClientCertificate::new(crypto_provider());
        return Ok(Some(Arc::new(verifier)));
    }
    let Some(file) = &settings.client_authorities else {
        return Ok(None);
    };
    let setting = FileSetting::new(settings.place, "client_authorities", file);
    let roots = Arc::new(setting.read_authorities()?);
    let mut verifier = WebPkiClientVerifier::builder_with_provider(roots, crypto_provider());
    if settings.client_certificate_optional {
        verifier = verifier.allow_unauthenticated();
    }
    let verifier = verifier.build();
    Ok(Some(
        verifier.map_err(|error| setting.fault(&error, REPORT))?,
    ))
}

/// The configuration for connections to upstreams: it trusts the authorities of a file, or the
/// system's.
pub(crate) fn client_config(
    place: &str,
    authorities_file: Option<&Path>,
) -> Result<ClientConfig, ConfigError> {
    let fault = |error: rustls::Error| {
        let problem = format!("found no authorities to trust: {error}");
        let help = "install the system's certificates, or name a file in `authorities`";
        ConfigError::wrong(place, problem).help(help)
    };
    let builder = ClientConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()
        .map_err(fault)?;
    let builder = match authorities_file {
        Some(path) => {
            let setting = FileSetting::at(place, path);
            builder.with_root_certificates(setting.read_authorities()?)
        }
        None => builder.try_with_platform_verifier().map_err(fault)?,
    };
    Ok(builder.with_no_client_auth())
}

// Named at each use: the process-wide default of rustls belongs to the program, not to this crate.
fn crypto_provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
