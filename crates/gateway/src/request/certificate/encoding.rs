//! Certificates as text: base64 and PEM (RFC 7468).

use super::field::CertificateFault;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use portcullis_core::proof::Thumbprint;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode as _, Tag, Tagged as _};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

// RFC 8941, section 4.2.7, takes text without padding. The hash of the DER decides, so a second
// spelling of it is harmless.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The certificate whose DER is this base64.
pub(super) fn of_base64(text: &str) -> Result<Thumbprint, CertificateFault> {
    let der = ENGINE.decode(text).or(Err(CertificateFault::Base64))?;
    of_der(&der)
}

/// The certificates of PEM that is percent-encoded. A plus stands for itself: AWS leaves it as it
/// is.
pub(super) fn of_escaped_pem(text: &str) -> Result<Vec<Thumbprint>, CertificateFault> {
    let decoded = percent_decode_str(text).decode_utf8();
    of_pem(&decoded.or(Err(CertificateFault::Pem))?)
}

/// The certificates of PEM, whatever white space breaks its lines. Text around them is refused.
pub(super) fn of_pem(text: &str) -> Result<Vec<Thumbprint>, CertificateFault> {
    let mut certificates = Vec::new();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let block = rest.strip_prefix(BEGIN);
        let block = block.and_then(|block| block.split_once(END));
        let (inside, behind) = block.ok_or(CertificateFault::Pem)?;
        let joined: String = inside.split_ascii_whitespace().collect();
        certificates.push(of_base64(&joined)?);
        rest = behind.trim_ascii_start();
    }
    Ok(certificates)
}

/// One value of DER, and nothing behind it (RFC 5280, section 4.1).
fn of_der(der: &[u8]) -> Result<Thumbprint, CertificateFault> {
    // Two certificates in one text would have a hash of their own, of neither.
    match AnyRef::from_der(der) {
        Ok(value) if value.tag() == Tag::Sequence => Ok(Thumbprint::of_certificate(der)),
        _ => Err(CertificateFault::Der),
    }
}

/// The only certificate.
pub(super) fn only(certificates: &[Thumbprint]) -> Result<Thumbprint, CertificateFault> {
    match certificates {
        [certificate] => Ok(*certificate),
        [] => Err(CertificateFault::Pem),
        _ => Err(CertificateFault::Several),
    }
}
