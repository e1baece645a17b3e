//! The expiry of a certificate, and what to say of it.

use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// The end of its validity, in Unix time; `None` if the certificate cannot be parsed.
pub(crate) fn expiry(certificate: &[u8]) -> Option<i64> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate().validity().not_after;
    i64::try_from(end.to_unix_duration().as_secs()).ok()
}

/// How long before its end a certificate should have been renewed, in seconds.
const SOON: i64 = 14 * 24 * 60 * 60;

/// What to say of a certificate that expires then.
pub(crate) fn expiry_notice(expiry: i64, now: i64) -> Option<&'static str> {
    match expiry.saturating_sub(now) {
        left if left < 0 => Some("a certificate has expired"),
        left if left < SOON => Some("a certificate expires within 14 days"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn an_end_is_told_two_weeks_before() {
        let said = |left| expiry_notice(1_800_000_000 + left, 1_800_000_000);
        assert_eq!(said(-1), Some("a certificate has expired"));
        for left in [0, SOON - 1] {
            let expected = Some("a certificate expires within 14 days");
            assert_eq!(said(left), expected, "{left}");
        }
        assert_eq!(said(SOON), None);
    }

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
