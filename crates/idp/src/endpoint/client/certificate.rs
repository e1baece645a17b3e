//! Client authentication by certificate (RFC 8705, section 2): by authority and name, or because
//! the client registered this very certificate.

use crate::config::client::{ClientAuthentication, RegisteredClient};
use crate::endpoint::http::caller::RequestHead;
use crate::state::IdpState;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::UnixTime;
use serde_json::Value;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Whether the certificate of the connection is the client's.
pub(crate) fn proves(state: &IdpState, caller: &RequestHead, client: &RegisteredClient) -> bool {
    match client.token_endpoint_auth_method {
        Some(ClientAuthentication::TlsClientAuth) => {
            is_by_an_authority(state, caller) && is_named(caller, client)
        }
        Some(ClientAuthentication::SelfSignedTlsClientAuth) => is_registered(caller, client),
        _ => false,
    }
}

fn is_by_an_authority(state: &IdpState, caller: &RequestHead) -> bool {
    let Some((own, others)) = caller.certificates.split_first() else {
        return false;
    };
    let Some(clients) = state.tls.as_ref().and_then(|tls| tls.clients.as_ref()) else {
        return false;
    };
    // The handshake takes any certificate, so the chain is checked here.
    let verified = clients.verify_client_cert(own, others, UnixTime::now());
    verified.is_ok()
}

/// Section 2.1.2: one of the names that the client registered.
fn is_named(caller: &RequestHead, client: &RegisteredClient) -> bool {
    let Some(own) = caller.certificates.first() else {
        return false;
    };
    let Ok(certificate) = Certificate::from_der(own) else {
        return false;
    };
    let content = certificate.tbs_certificate();
    if let Some(dn) = &client.tls_client_auth_subject_dn {
        return has_subject(&certificate, dn);
    }
    let Some(wanted) = &client.tls_client_auth_san_dns else {
        return false;
    };
    let Ok(Some((_, names))) = content.get_extension::<SubjectAltName>() else {
        return false;
    };
    let mut names = names.0.iter();
    names.any(|name| matches!(name, GeneralName::DnsName(name) if name.as_str() == wanted))
}

/// Whether its subject is this text, as RFC 4514 writes it: the most specific part first.
fn has_subject(certificate: &Certificate, dn: &str) -> bool {
    let subject = certificate.tbs_certificate().subject();
    without_spaces(&subject.to_string()) == without_spaces(dn)
}

/// Without the spaces behind commas, which do not count.
fn without_spaces(dn: &str) -> String {
    dn.split(',')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(",")
}

/// Section 2.2.2: it stands in one of the client's keys.
fn is_registered(caller: &RequestHead, client: &RegisteredClient) -> bool {
    let Some(own) = caller.certificates.first() else {
        return false;
    };
    client
        .keys()
        .any(|key| certificate_of(key).as_deref() == Some(own.as_ref()))
}

/// The first certificate of `x5c`. RFC 7517, section 4.7: standard base64, not base64url.
fn certificate_of(jwk: &Value) -> Option<Vec<u8>> {
    let first = jwk.get("x5c")?.get(0)?.as_str()?;
    STANDARD.decode(first).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    #[test]
    fn a_subject_is_compared_as_rfc_4514_writes_it() {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (part, value) in [
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, "Example, Inc."),
            (DnType::CommonName, "machine"),
        ] {
            params.distinguished_name.push(part, value);
        }
        let pair = KeyPair::generate().unwrap();
        let made = params.self_signed(&pair).unwrap();
        let certificate = Certificate::from_der(made.der()).unwrap();
        for (dn, is_its) in [
            (r"CN=machine,O=Example\, Inc.,C=DE", true),
            (r"CN=machine, O=Example\, Inc., C=DE", true),
            (r"C=DE,O=Example\, Inc.,CN=machine", false),
            ("CN=machine", false),
        ] {
            assert_eq!(has_subject(&certificate, dn), is_its, "{dn}");
        }
    }
}
