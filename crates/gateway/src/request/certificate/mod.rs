//! The client certificate that a proxy in front passes on in a header, for tokens that are bound to
//! it (RFC 8705).
//!
//! Each proxy writes it in a format of its own. A field is read only if it is there once, is not
//! too long, and holds one certificate of the client, with its chain where the format has one.
//! Everything else counts as no certificate, so a token that is bound to one is refused.
//!
//! Does not check: whether the field comes from a named proxy, which the doors know; who signed the
//! certificate, and its dates, as the token names its hash (RFC 8705, section 3.1).

mod encoding;
mod envoy;
mod field;

pub(crate) use field::{CertificateFault, FieldJoining};

use encoding::{of_base64, of_escaped_pem, of_pem, only};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use portcullis_core::proof::Thumbprint;

/// Longer fields are not read. Chains of four certificates are well below it.
const LONGEST_FIELD: usize = 16_384;

/// How a proxy writes the certificate of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CertificateFormat {
    /// `Client-Cert` of RFC 9440: the DER as a byte sequence of structured fields.
    Rfc9440,
    /// `x-forwarded-client-cert` of Envoy: a hash, or escaped PEM, among other pairs.
    Envoy,
    /// `$ssl_client_escaped_cert` of nginx: PEM, percent-encoded.
    Nginx,
    /// `%[ssl_c_der,base64]` of HAProxy: the DER in base64.
    Haproxy,
    /// `X-Forwarded-Tls-Client-Cert` of Traefik: a chain of DER in base64, by commas.
    Traefik,
    /// `{http.request.tls.client.certificate_der_base64}` of Caddy: the DER in base64.
    Caddy,
    /// `%{SSL_CLIENT_CERT}s` of Apache: PEM with spaces for its line breaks.
    Apache,
    /// `X-Amzn-Mtls-Clientcert-Leaf` of AWS's load balancer: PEM, percent-encoded; also with the
    /// chain, as in `X-Amzn-Mtls-Clientcert`.
    Alb,
}

/// The header with the certificate, and its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateHeader {
    pub(crate) name: HeaderName,
    pub(crate) format: CertificateFormat,
}

impl CertificateHeader {
    /// The certificate in a request of a named proxy; `None` if its client showed none.
    ///
    /// # Errors
    ///
    /// The header cannot be read, or could be read in two ways.
    pub(crate) fn read(
        &self,
        headers: &HeaderMap,
        joining: FieldJoining,
    ) -> Result<Option<Thumbprint>, CertificateFault> {
        let mut fields = headers.get_all(&self.name).iter();
        let Some(field) = fields.next() else {
            return Ok(None);
        };
        // A proxy that adds its own beside the one of a client leaves open which is whose.
        if fields.next().is_some() {
            return Err(CertificateFault::Repeated);
        }
        self.format.read(text(field)?, joining)
    }
}

fn text(field: &HeaderValue) -> Result<&str, CertificateFault> {
    if field.len() > LONGEST_FIELD {
        return Err(CertificateFault::TooLong);
    }
    let text = field.to_str().or(Err(CertificateFault::NotAscii))?;
    Ok(text.trim_matches([' ', '\t']))
}

impl CertificateFormat {
    const ALL: [Self; 8] = [
        Self::Rfc9440,
        Self::Envoy,
        Self::Nginx,
        Self::Haproxy,
        Self::Traefik,
        Self::Caddy,
        Self::Apache,
        Self::Alb,
    ];

    /// Every word of the settings.
    pub(crate) fn words() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::word)
    }

    /// The format of this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.word() == word)
    }

    /// The word of the settings.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Rfc9440 => "rfc9440",
            Self::Envoy => "envoy",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Apache => "apache",
            Self::Alb => "alb",
        }
    }

    /// The header that the proxy writes unless it is told another name; `None` where the operator
    /// chooses it.
    pub(crate) const fn usual_header(self) -> Option<HeaderName> {
        match self {
            Self::Rfc9440 => Some(HeaderName::from_static("client-cert")),
            Self::Envoy => Some(HeaderName::from_static("x-forwarded-client-cert")),
            Self::Traefik => Some(HeaderName::from_static("x-forwarded-tls-client-cert")),
            Self::Alb => Some(HeaderName::from_static("x-amzn-mtls-clientcert-leaf")),
            Self::Nginx | Self::Haproxy | Self::Caddy | Self::Apache => None,
        }
    }

    /// Reads the one field of a proxy.
    pub(crate) fn read(
        self,
        text: &str,
        joining: FieldJoining,
    ) -> Result<Option<Thumbprint>, CertificateFault> {
        let nothing = match self {
            // What the template of a proxy leaves of a connection without a certificate.
            Self::Rfc9440 => "::",
            Self::Apache => "(null)",
            _ => "",
        };
        if text.is_empty() || text == nothing {
            return Ok(None);
        }
        let certificate = match self {
            Self::Rfc9440 => of_byte_sequence(text),
            Self::Envoy => envoy::of_elements(text, joining),
            Self::Nginx => only(&of_escaped_pem(text)?),
            Self::Haproxy | Self::Caddy => of_base64(text),
            Self::Traefik => leaf(of_list(text, joining)?),
            Self::Apache => only(&of_pem(text)?),
            Self::Alb => leaf(of_escaped_pem(text)?),
        };
        certificate.map(Some)
    }
}

/// RFC 8941, section 3.3.5. RFC 9440 defines no parameters, so there are none.
fn of_byte_sequence(text: &str) -> Result<Thumbprint, CertificateFault> {
    let inside = text
        .strip_prefix(':')
        .and_then(|it| it.strip_suffix(':'));
    of_base64(inside.ok_or(CertificateFault::ByteSequence)?)
}

/// A chain by commas.
fn of_list(text: &str, joining: FieldJoining) -> Result<Vec<Thumbprint>, CertificateFault> {
    // A second field of a client would look like the chain of the first.
    if joining == FieldJoining::Possible && text.contains(',') {
        return Err(CertificateFault::Several);
    }
    text.split(',').map(of_base64).collect()
}

/// The first certificate of a chain, which is the client's own.
fn leaf(chain: Vec<Thumbprint>) -> Result<Thumbprint, CertificateFault> {
    let mut chain = chain.into_iter();
    chain.next().ok_or(CertificateFault::Pem)
}

#[cfg(test)]
mod tests;
