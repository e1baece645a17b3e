//! When a certificate expires.

use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The end of its validity, in Unix time; nothing where it cannot be read.
pub(crate) fn expiry(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}
