//! How a client proves to the provider who it is (RFC 6749, section 2.3; RFC 7523; RFC 8705).

use portcullis_core::ConfigError;
use portcullis_core::jose::Algorithm;
use portcullis_provider::client_auth::Secret;
use portcullis_provider::client_auth::{Assertion, AssertionFile, Proof};
use portcullis_provider::fetch::OwnCertificate;
use std::path::Path;

/// A way of proving who asks. Secrets and keys are wiped when they are dropped, and never printed.
#[derive(Clone, Debug)]
pub struct Authentication(pub(crate) Proof);

impl Authentication {
    /// A public client, such as a command line or an application on a phone: it has no secret, and
    /// PKCE in its place.
    pub fn public() -> Self {
        Self(Proof::Public)
    }

    /// `client_secret_basic`: id and secret in the Authorization header.
    pub fn secret_basic(secret: Secret) -> Self {
        Self(Proof::Basic(secret))
    }

    /// `client_secret_post`: id and secret in the form.
    pub fn secret_post(secret: Secret) -> Self {
        Self(Proof::Post(secret))
    }

    /// `private_key_jwt`: an assertion that is signed with this key, new for each request.
    pub fn private_key(key: PrivateKey) -> Self {
        Self(Proof::Assertion(key.0))
    }

    /// `private_key_jwt` by an assertion that somebody else signs and keeps in a file, such as the
    /// projected token of a Kubernetes pod (workload identity). It is read for each request, so a
    /// new one counts at once.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or that holds no signed JWT.
    pub fn assertion_file(path: &Path) -> Result<Self, ConfigError> {
        let file = AssertionFile::open(path).map_err(|problem| {
            let cure = "name the file that the platform keeps the client's assertion in";
            ConfigError::wrong("client_assertion_file", problem).help(cure)
        })?;
        Ok(Self(Proof::AssertionFile(file)))
    }

    /// `tls_client_auth` and `self_signed_tls_client_auth`: a certificate, the ones above it, and
    /// its key, all in PEM (RFC 8705, section 2). Access tokens may be bound to it (section 3).
    ///
    /// # Errors
    ///
    /// A text that is no certificate with the key that fits it.
    pub fn certificate(pem: &[u8]) -> Result<Self, ConfigError> {
        let certificate = OwnCertificate::parse(pem).ok_or_else(|| {
            let cure = "give the client's certificate, the ones above it, and its key, all in PEM";
            ConfigError::expected("certificate", "a certificate and the key that fits it")
                .found_as("another text")
                .help(cure)
        })?;
        Ok(Self(Proof::Certificate(certificate)))
    }

    /// The name of the way, as metadata and registrations have it: `client_secret_basic` and so on.
    pub fn method(&self) -> &'static str {
        self.0.method()
    }
}

/// A private key that signs a client's assertions.
#[derive(Clone, Debug)]
pub struct PrivateKey(Assertion);

impl PrivateKey {
    /// Reads a key in PEM, as PKCS#8: RSA, P-256 or Ed25519. `kid` is its name at the provider.
    ///
    /// # Errors
    ///
    /// A text that is no such key.
    pub fn from_pem(pem: &[u8], kid: Option<&str>) -> Result<Self, ConfigError> {
        Self::read(pem, None, kid, None)
    }

    /// The same, with an algorithm (PS256 instead of RS256), and with the certificate whose
    /// thumbprint names the key, as Entra ID wants it.
    ///
    /// # Errors
    ///
    /// A key, an algorithm and a certificate that do not fit each other.
    pub fn read(
        pem: &[u8],
        algorithm: Option<Algorithm>,
        kid: Option<&str>,
        certificate: Option<&[u8]>,
    ) -> Result<Self, ConfigError> {
        Assertion::read(pem, algorithm, kid, certificate).map(Self).map_err(|expected| {
            let cure = "convert the key with `openssl pkcs8 -topk8 -nocrypt`, and see that key, \
                algorithm and certificate fit";
            ConfigError::expected("private_key", expected).found_as("another key").help(cure)
        })
    }
}
