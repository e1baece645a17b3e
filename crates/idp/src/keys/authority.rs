//! A certificate authority for development: made at start, and forgotten at the end.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fmt;

pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A client's certificate with its private key, in PEM.
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// The certificate.
    pub certificate: String,
    /// The private key (PKCS #8).
    pub key: String,
    /// The certificate's SHA-256 thumbprint in base64url: `cnf.x5t#S256` of tokens that are bound
    /// to it.
    pub thumbprint: String,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the client certificate {}", self.thumbprint)
    }
}

impl Authority {
    pub(crate) fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Portcullis development authority");
        // Unconstrained, because the authority is trusted by nobody but a test.
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)?,
        })
    }

    /// Its own certificate.
    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for a server of these names and addresses, and its key.
    pub(crate) fn for_server(
        &self,
        names: Vec<String>,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
        let (key, mut params) = (KeyPair::generate()?, CertificateParams::new(names)?);
        params.distinguished_name.push(
            DnType::CommonName,
            "Portcullis development identity provider",
        );
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((
            certificate.der().clone(),
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        ))
    }

    /// A certificate for a client: its subject is `CN=<name>`, and the name is also a DNS name if
    /// it can be one.
    pub(crate) fn for_client(&self, name: &str) -> Result<ClientCertificate, rcgen::Error> {
        // A name with other characters would make the whole certificate invalid.
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        let names = if plain {
            vec![name.to_owned()]
        } else {
            Vec::new()
        };
        let (key, mut params) = (KeyPair::generate()?, CertificateParams::new(names)?);
        // Without the default name, so that the subject is exactly `CN=<name>`.
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        let thumbprint = crate::token::encoding::sha256(certificate.der());
        Ok(ClientCertificate {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            thumbprint,
        })
    }
}
