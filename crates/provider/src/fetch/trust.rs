//! The certificates and credentials with which one issuer is asked, where they differ from the
//! usual.

use reqwest::{Certificate, Client, Identity};
use std::fmt;
use std::path::PathBuf;

/// How the documents of one issuer are fetched, where that differs from the usual.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    pub(super) certificates: Vec<Certificate>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) own: Option<OwnCertificate>,
    /// Whether documents may come over http from beyond loopback.
    pub(super) plain_http: bool,
}

/// Our own certificate with its key, for a server that asks for one.
#[derive(Clone)]
pub struct OwnCertificate(pub(super) Identity);

impl OwnCertificate {
    /// Reads PEM: certificates, our own one first, and the key; `None` if they do not fit together.
    pub fn parse(pem: &[u8]) -> Option<Self> {
        let identity = Identity::from_pem(pem).ok()?;
        // Parsing does not compare key and certificate; building a client does. Otherwise the
        // mistake would show only at the first handshake.
        // Without the roots of this machine: whether it has any is another question.
        let client = Client::builder().tls_certs_only([]);
        client.identity(identity.clone()).build().ok()?;
        Some(Self(identity))
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
        // A bundle without certificates parses, and would add no trust without a word.
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

    /// The same authorities for endpoints, which are asked in our client's name.
    #[must_use]
    pub fn for_endpoints(&self, own: Option<&OwnCertificate>) -> Self {
        // The token in the file is for documents only: an endpoint must never receive it.
        Self {
            certificates: self.certificates.clone(),
            token_file: None,
            own: own.cloned(),
            plain_http: self.plain_http,
        }
    }
}
