//! Whom a way out trusts, and what it shows of itself, where that is not as usual.

use reqwest::{Certificate, Client, Identity};
use std::fmt;
use std::path::PathBuf;

/// How the documents of one issuer are fetched, where it is not as usual.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    pub(super) certificates: Vec<Certificate>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) own: Option<OwnCertificate>,
    /// Whether documents may come over http from beyond loopback.
    pub(super) plain_http: bool,
}

/// Our own certificate with its key, to show to a server that asks for one.
#[derive(Clone)]
pub struct OwnCertificate(pub(super) Identity);

impl OwnCertificate {
    /// Reads PEM: certificates, the own one first, and the key; `None` where the two do not fit.
    pub fn parse(pem: &[u8]) -> Option<Self> {
        let identity = Identity::from_pem(pem).ok()?;
        // The key fits the certificate only if a client can be made of the two.
        Client::builder()
            .identity(identity.clone())
            .build()
            .ok()
            .map(|_| Self(identity))
    }
}

/// Shows nothing: the key is a secret.
impl fmt::Debug for OwnCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a certificate")
    }
}

impl Trust {
    /// Trusts these authorities besides the machine's own: PEM, one certificate at least.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn authorities(pem: &[u8]) -> Result<Self, &'static str> {
        let certificates = Certificate::from_pem_bundle(pem).map_err(|_| "it is no PEM")?;
        if certificates.is_empty() {
            return Err("it holds no certificate");
        }
        Ok(Self {
            certificates,
            ..Self::default()
        })
    }

    /// Sends the token in this file along with every fetch of a document.
    #[must_use]
    pub fn with_token_file(self, token_file: Option<PathBuf>) -> Self {
        Self { token_file, ..self }
    }

    /// Lets documents come over http from beyond loopback, if `allowed`.
    #[must_use]
    pub fn with_danger_plain_http(self, allowed: bool) -> Self {
        Self {
            plain_http: allowed,
            ..self
        }
    }

    /// Whether documents may come over http from beyond loopback.
    pub fn allows_plain_http(&self) -> bool {
        self.plain_http
    }

    /// The same certificates for questions, which go out under our own name instead of with the
    /// token for documents.
    #[must_use]
    pub fn for_endpoints(&self, own: Option<&OwnCertificate>) -> Self {
        let (certificates, plain_http) = (self.certificates.clone(), self.plain_http);
        Self {
            certificates,
            token_file: None,
            own: own.cloned(),
            plain_http,
        }
    }
}
