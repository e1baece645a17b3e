//! What can be wrong with the field of a certificate.

use std::fmt;

/// Whether a server before the door may have joined fields of one name, or of names that are alike
/// to it: CGI and its heirs do, and Envoy where it does not send raw headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldJoining {
    Never,
    Possible,
}

/// Why a field holds no certificate that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CertificateFault {
    Repeated,
    TooLong,
    NotAscii,
    ByteSequence,
    Base64,
    Pem,
    Der,
    Several,
    Element,
    Hash,
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Repeated => "two fields",
            Self::TooLong => "a field of more than 16 KiB",
            Self::NotAscii => "a field that is not ASCII",
            Self::ByteSequence => "no byte sequence of RFC 9440",
            Self::Base64 => "no base64",
            Self::Pem => "no certificate in PEM",
            Self::Der => "no certificate in DER",
            Self::Several => "several certificates",
            Self::Element => "no element of Envoy's format",
            Self::Hash => "no hash of a certificate, or another one than its certificate has",
        })
    }
}
