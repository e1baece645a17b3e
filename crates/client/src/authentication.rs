//! Client authentication at the provider (RFC 6749, section 2.3; RFC 7523; RFC 8705).

use portcullis_core::ConfigError;
use portcullis_core::jose::Algorithm;
use portcullis_provider::client_auth::Secret;
use portcullis_provider::client_auth::{Assertion, AssertionFile, Proof};
use portcullis_provider::fetch::OwnCertificate;
use std::path::Path;

/// A method of client authentication. Secrets and keys are wiped on drop, and never printed.
///
/// ```
/// use portcullis_client::{Authentication, Secret};
///
/// let authentication = Authentication::secret_basic(Secret::new("from a file"));
/// assert_eq!(authentication.method(), "client_secret_basic");
/// assert_eq!(Authentication::public().method(), "none");
/// ```
#[derive(Clone, Debug)]
pub struct Authentication(pub(crate) Proof);

impl Authentication {
    /// A public client, such as a command line or a phone app: it has no secret, and relies on
    /// PKCE.
    pub fn public() -> Self {
        Self(Proof::Public)
    }

    /// `client_secret_basic`: id and secret in the header `Authorization`.
    pub fn secret_basic(secret: Secret) -> Self {
        Self(Proof::Basic(secret))
    }

    /// `client_secret_post`: id and secret in the form.
    pub fn secret_post(secret: Secret) -> Self {
        Self(Proof::Post(secret))
    }

    /// `private_key_jwt`: each request carries a new assertion, signed with this key.
    pub fn private_key(key: PrivateKey) -> Self {
        Self(Proof::Assertion(key.0))
    }

    /// `private_key_jwt` with an assertion that the platform signs and writes to a file, such as
    /// the projected token of a Kubernetes pod (workload identity). Each request reads the file, so
    /// a new assertion takes effect at once.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or without a signed JWT.
    pub fn assertion_file(path: &Path) -> Result<Self, ConfigError> {
        let file = AssertionFile::open(path).map_err(|problem| {
            // A missing mount shows up here, at start, and not with the first request.
            let help = "name the file to which the platform writes the client's assertion";
            ConfigError::wrong("client_assertion_file", problem).help(help)
        })?;
        Ok(Self(Proof::AssertionFile(file)))
    }

    /// `tls_client_auth` and `self_signed_tls_client_auth`: a certificate, its chain, and its key,
    /// in PEM (RFC 8705, section 2). Providers may bind access tokens to it (section 3).
    ///
    /// # Errors
    ///
    /// A text without a certificate, or without the key of that certificate.
    pub fn certificate(pem: &[u8]) -> Result<Self, ConfigError> {
        match OwnCertificate::parse(pem) {
            Some(certificate) => Ok(Self(Proof::Certificate(certificate))),
            None => {
                let help = "give the client's certificate, its chain, and its key, all in PEM";
                let fault = ConfigError::expected("certificate", "a certificate and its key");
                Err(fault.found_as("another text").help(help))
            }
        }
    }

    /// The name of the method in metadata and registrations, such as `client_secret_basic`.
    pub fn method(&self) -> &'static str {
        self.0.method()
    }
}

/// A private key that signs a client's assertions.
#[derive(Clone, Debug)]
pub struct PrivateKey(Assertion);

impl PrivateKey {
    /// Reads a key in PEM, as PKCS#8: RSA, P-256 or Ed25519. `kid` is its id at the provider.
    ///
    /// # Errors
    ///
    /// A text without such a key.
    pub fn from_pem(pem: &[u8], kid: Option<&str>) -> Result<Self, ConfigError> {
        Self::read(pem, None, kid, None)
    }

    /// The same with an algorithm (PS256 instead of RS256), and with a certificate. Entra ID finds
    /// the key by the certificate's thumbprint.
    ///
    /// # Errors
    ///
    /// A key, an algorithm and a certificate that do not match.
    pub fn read(
        pem: &[u8],
        algorithm: Option<Algorithm>,
        kid: Option<&str>,
        certificate: Option<&[u8]>,
    ) -> Result<Self, ConfigError> {
        Assertion::read(pem, algorithm, kid, certificate).map(Self).map_err(|expected| {
            let help = "convert the key with `openssl pkcs8 -topk8 -nocrypt`, and check that key, \
                algorithm and certificate match";
            ConfigError::expected("private_key", expected).found_as("another key").help(help)
        })
    }
}
