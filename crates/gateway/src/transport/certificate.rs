//! The expiry of a certificate.

use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// The end of its validity, in Unix time; `None` if the certificate cannot be parsed.
pub(crate) fn expiry(certificate: &[u8]) -> Option<i64> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate().validity().not_after;
    i64::try_from(end.to_unix_duration().as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let mut params = CertificateParams::new(["gw.example".to_owned()]).unwrap();
        params.not_after = date_time_ymd(2_030, 1, 1);
        let certificate = params
            .self_signed(&KeyPair::generate().unwrap())
            .unwrap();
        assert_eq!(expiry(certificate.der()), Some(1_893_456_000));
        assert_eq!(expiry(b"nonsense"), None);
    }
}
