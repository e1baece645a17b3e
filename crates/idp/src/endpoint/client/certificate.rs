//! Client authentication by certificate (RFC 8705, section 2): by authority and name, or because
//! the client registered this very certificate.

use crate::config::client::{ClientAuthentication, RegisteredClient};
use crate::endpoint::http::caller::RequestHead;
use crate::state::IdpState;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::UnixTime;
use serde_json::Value;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

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
    let Ok((_, certificate)) = X509Certificate::from_der(own) else {
        return false;
    };
    if let Some(dn) = &client.tls_client_auth_subject_dn {
        return subject(&certificate) == Some(without_spaces(dn));
    }
    let Some(wanted) = &client.tls_client_auth_san_dns else {
        return false;
    };
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return false;
    };
    let mut names = names.value.general_names.iter();
    names.any(|name| matches!(name, GeneralName::DNSName(name) if name == wanted))
}

/// The subject as RFC 4514 writes it, the last part first. Values that need escapes do not occur
/// here.
fn subject(certificate: &X509Certificate<'_>) -> Option<String> {
    let mut parts = Vec::new();
    for attribute in certificate.subject().iter_attributes() {
        let name = x509_parser::objects::oid2abbrev(
            attribute.attr_type(),
            x509_parser::objects::oid_registry(),
        )
        .ok()?;
        parts.push(format!("{name}={}", attribute.as_str().ok()?));
    }
    // Certificates have the most general part first, and the text has it last.
    parts.reverse();
    Some(without_spaces(&parts.join(",")))
}

/// Without the spaces behind commas, which do not count.
fn without_spaces(dn: &str) -> String {
    dn.split(',').map(str::trim).collect::<Vec<_>>().join(",")
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
