//! A PEM file that a setting names: what is read from it, and what to do if that fails.

use super::key_file;
use portcullis_core::ConfigError;
use portcullis_core::config::{DECRYPT, is_encrypted_key};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Error, InconsistentKeys, RootCertStore};
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;

/// A file that a setting names.
pub(super) struct FileSetting<'s> {
    place: String,
    path: &'s Path,
}

impl<'s> FileSetting<'s> {
    pub(super) fn new(table: &str, member: &str, path: &'s Path) -> Self {
        Self::at(format!("{table}.{member}"), path)
    }

    /// A file that the setting of this place names.
    pub(super) fn at(place: impl Into<String>, path: &'s Path) -> Self {
        let place = place.into();
        Self { place, path }
    }

    pub(super) fn read_authorities(&self) -> Result<RootCertStore, ConfigError> {
        let mut roots = RootCertStore::empty();
        for certificate in self.read_certificates()? {
            let added = roots.add(certificate);
            added.map_err(|error| self.fault(&error, VERSION_3))?;
        }
        Ok(roots)
    }

    pub(super) fn read_key(&self) -> Result<PrivateKeyDer<'static>, ConfigError> {
        key_file::warn_if_open(self.path);
        match PrivateKeyDer::from_pem_file(self.path) {
            Ok(key) => Ok(key),
            Err(error) => {
                // The parser passes over an encrypted key, and would say that there is none.
                let pem = std::fs::read(self.path).unwrap_or_default();
                if !is_encrypted_key(&pem) {
                    return Err(self.pem_fault(&error, "a private key"));
                }
                let expected = "a private key without a passphrase";
                let found = format!("an encrypted one in the file `{}`", self.path.display());
                let fault = ConfigError::expected(self.place.as_str(), expected);
                Err(fault.found_as(found).help(DECRYPT))
            }
        }
    }

    pub(super) fn read_certificates(&self) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        const CERTIFICATE: &str = "a certificate";
        let fault = |error| self.pem_fault(&error, CERTIFICATE);
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_file_iter(self.path).map_err(fault)? {
            certificates.push(certificate.map_err(fault)?);
        }
        if !certificates.is_empty() {
            return Ok(certificates);
        }
        // The likeliest mistake has a name of its own: both files lie side by side.
        if PrivateKeyDer::from_pem_file(self.path).is_ok() {
            let found = format!("a private key in the file `{}`", self.path.display());
            let help = "name the file with the certificate and those of its issuers; a private \
                key belongs into `key`";
            return Err(ConfigError::expected(self.place.as_str(), CERTIFICATE)
                .found_as(found)
                .help(help));
        }
        Err(fault(pem::Error::NoItemsFound))
    }

    /// The fault of a file that was read, with its own cure.
    pub(super) fn fault(&self, problem: &dyn fmt::Display, help: &str) -> ConfigError {
        // The content is never shown: one of the files is a private key.
        let file = self.path.display();
        let problem = format!("cannot use the PEM file `{file}`: {problem}");
        ConfigError::wrong(self.place.as_str(), problem).help(help)
    }

    fn pem_fault(&self, error: &pem::Error, expected: &str) -> ConfigError {
        match error {
            pem::Error::Io(error) => self.fault(error, cure_of_io(error)),
            pem::Error::NoItemsFound => {
                let found = format!("none in the file `{}`", self.path.display());
                ConfigError::expected(self.place.as_str(), format!("{expected} in PEM"))
                    .found_as(found)
                    .help("convert DER or PKCS #12 to PEM with `openssl`; see what the file holds")
            }
            error => self.fault(error, "the PEM text is damaged: copy the file again, whole"),
        }
    }
}

/// Blames the right one of two files that do not make a pair.
pub(super) fn pair_fault(
    certificate: &FileSetting<'_>,
    key: &FileSetting<'_>,
    error: &Error,
) -> ConfigError {
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            let found = format!("another key in the file `{}`", key.path.display());
            let expected = format!(
                "the key of the certificate `{}`",
                certificate.path.display()
            );
            ConfigError::expected(key.place.as_str(), expected)
                .found_as(found)
                .help(PAIR)
        }
        Error::InvalidCertificate(_) => certificate.fault(error, VERSION_3),
        _ => {
            let help = "use a key of RSA with 2048 to 8192 bits, of P-256, P-384 or P-521, or \
                Ed25519";
            key.fault(error, help)
        }
    }
}

/// What to do about a file that the system does not give.
pub(crate) fn cure_of_io(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => {
            "write the path as this process sees it; a relative one begins in its working directory"
        }
        ErrorKind::PermissionDenied => {
            "let the user of this process read the file, and enter the folders above it"
        }
        ErrorKind::IsADirectory => "name a file, not a folder",
        _ => "see whether the file can be read by other programs of the same user",
    }
}

const PAIR: &str = "both files belong together: `openssl x509 -noout -pubkey -in CERTIFICATE` and \
    `openssl pkey -pubout -in KEY` print the same for a pair; the certificate of this server comes \
    first in its file";
const VERSION_3: &str = "use an X.509 certificate of version 3: `openssl x509 -req` writes version \
    1 without `-extfile`; `openssl x509 -noout -text` shows the version";
