use super::*;
use http::HeaderName;

const HEADER: HeaderName = HeaderName::from_static("x-client-cert");

/// A value of DER that is no certificate, but framed like one.
const DER: [u8; 6] = [0x30, 4, 2, 2, 1, 2];

fn read(format: CertificateFormat, text: &str) -> Result<Option<Thumbprint>, CertificateFault> {
    format.read(text, FieldJoining::Never)
}

fn right() -> Thumbprint {
    Thumbprint::of_certificate(&DER)
}

fn hash() -> String {
    let bytes = right();
    let digits = bytes.as_bytes().iter();
    digits.map(|byte| format!("{byte:02x}")).collect()
}

const BASE64: &str = "MAQCAgEC";
const ESCAPED: &str =
    "-----BEGIN%20CERTIFICATE-----%0AMAQC%0AAgEC%0A-----END%20CERTIFICATE-----%0A";

#[test]
fn each_format_is_read() {
    use CertificateFormat::{Alb, Apache, Caddy, Envoy, Haproxy, Nginx, Rfc9440, Traefik};
    let pem = "-----BEGIN CERTIFICATE----- MAQC AgEC -----END CERTIFICATE-----";
    let twice = format!("{ESCAPED}{ESCAPED}");
    for (format, text) in [
        (Rfc9440, format!(":{BASE64}:")),
        (Nginx, ESCAPED.to_owned()),
        (Haproxy, BASE64.to_owned()),
        (Caddy, BASE64.to_owned()),
        (Traefik, BASE64.to_owned()),
        (Traefik, format!("{BASE64},MAA=")),
        (Apache, pem.to_owned()),
        (Alb, ESCAPED.to_owned()),
        (Alb, twice),
        (Envoy, format!("Hash={}", hash())),
        (
            Envoy,
            format!("By=spiffe://x;Hash={};Cert=\"{ESCAPED}\"", hash()),
        ),
        (Envoy, format!("Hash=00,Hash={}", hash())),
    ] {
        assert_eq!(read(format, &text), Ok(Some(right())), "{format:?} {text}");
    }
}

#[test]
fn a_connection_without_a_certificate_has_none() {
    for format in CertificateFormat::ALL {
        assert_eq!(read(format, ""), Ok(None), "{format:?}");
    }
    assert_eq!(read(CertificateFormat::Rfc9440, "::"), Ok(None));
    assert_eq!(read(CertificateFormat::Apache, "(null)"), Ok(None));
    assert!(read(CertificateFormat::Caddy, "(null)").is_err());
}

/// What a client could bring to stand before, in, or behind what Envoy writes.
#[test]
fn nothing_of_a_client_stands_in_for_what_envoy_writes() {
    let (own, forged) = (hash(), "ab".repeat(32));
    let read = |text: String| read(CertificateFormat::Envoy, &text);
    // Before: what Envoy appends to.
    for before in [
        format!("Hash={forged}"),
        format!("Hash={forged};Subject=\"a,b;Hash={forged}\""),
    ] {
        assert_eq!(read(format!("{before},Hash={own}")), Ok(Some(right())));
    }
    for before in ["x=\"", "Hash=\"", "x=\\\"", "", ",", "x", "=", "x=\"a\"b"] {
        assert!(read(format!("{before},Hash={own}")).is_err(), "{before}");
    }
    // In: the names of the client's own certificate.
    for name in [
        format!("a,Hash={forged}"),
        format!("a;Hash={forged}"),
        format!("a,By=b;Hash={forged};URI=c"),
        format!("a;Cert=\"{ESCAPED}\",Hash={forged}"),
        "a\"".to_owned(),
        format!("\"a\",Hash={forged}"),
        format!("\"a\";X=b,Hash={forged};Subject=\"c\""),
    ] {
        for key in ["URI", "DNS", "Other"] {
            assert!(read(format!("Hash={own};{key}={name}")).is_err(), "{name}");
        }
    }
    let subject = format!("Hash={own};Subject=\"CN=\\\"a,Hash={forged}\"");
    assert_eq!(read(subject), Ok(Some(right())));
    // Behind: one of the two is not Envoy's.
    for behind in [
        format!(";hash={forged}"),
        format!(";Hash={own}"),
        format!(";Cert=\"{ESCAPED}\";Cert=\"{ESCAPED}\""),
        ";Cert=\"x\"".to_owned(),
        ";".to_owned(),
        ",".to_owned(),
    ] {
        assert!(read(format!("Hash={own}{behind}")).is_err(), "{behind}");
    }
}

#[test]
fn one_field_is_read_and_no_long_one() {
    let header = CertificateHeader {
        name: HEADER,
        format: CertificateFormat::Caddy,
    };
    let read = |headers: &HeaderMap| header.read(headers, FieldJoining::Never);
    let mut headers = HeaderMap::new();
    assert_eq!(read(&headers), Ok(None));
    headers.append(HEADER, HeaderValue::from_static(BASE64));
    assert_eq!(read(&headers), Ok(Some(right())));
    headers.append(HEADER, HeaderValue::from_static(BASE64));
    assert_eq!(read(&headers), Err(CertificateFault::Repeated));
    headers.insert(HEADER, HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(read(&headers), Err(CertificateFault::NotAscii));
    let long = "A".repeat(LONGEST_FIELD + 1);
    headers.insert(HEADER, HeaderValue::from_str(&long).unwrap());
    assert_eq!(read(&headers), Err(CertificateFault::TooLong));
}

#[test]
fn a_field_that_may_be_two_is_no_list() {
    let own = hash();
    let elements = format!("Hash={own},Hash={own}");
    let chain = format!("{BASE64},{BASE64}");
    for (format, text) in [
        (CertificateFormat::Envoy, elements),
        (CertificateFormat::Traefik, chain),
    ] {
        assert_eq!(read(format, &text), Ok(Some(right())));
        let joined = format.read(&text, FieldJoining::Possible);
        assert_eq!(joined, Err(CertificateFault::Several));
    }
    let quoted = format!("Hash={own};Subject=\"CN=a,O=b\"");
    let joined = CertificateFormat::Envoy.read(&quoted, FieldJoining::Possible);
    assert_eq!(joined, Ok(Some(right())));
}
