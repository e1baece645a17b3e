//! What a client's certificate proves (RFC 8705, section 2): by its authority and its name, or by
//! being the very one that the client registered.

use crate::config::client::{Client, ClientAuthentication};
use crate::endpoint::http::caller::Caller;
use crate::state::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::UnixTime;
use serde_json::Value;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// Whether the certificate of the connection is the client's.
pub(crate) fn proves(state: &State, caller: &Caller, client: &Client) -> bool {
    match client.token_endpoint_auth_method {
        Some(ClientAuthentication::TlsClientAuth) => {
            is_by_an_authority(state, caller) && is_named(caller, client)
        }
        Some(ClientAuthentication::SelfSignedTlsClientAuth) => is_registered(caller, client),
        _ => false,
    }
}

fn is_by_an_authority(state: &State, caller: &Caller) -> bool {
    let Some((own, others)) = caller.certificates.split_first() else {
        return false;
    };
    let clients = state.tls.as_ref().and_then(|tls| tls.clients.as_ref());
    clients.is_some_and(|clients| {
        clients
            .verify_client_cert(own, others, UnixTime::now())
            .is_ok()
    })
}

/// Section 2.1.2: one of the names that the client registered.
fn is_named(caller: &Caller, client: &Client) -> bool {
    let certificate = caller
        .certificates
        .first()
        .and_then(|own| X509Certificate::from_der(own).ok());
    let Some((_, certificate)) = certificate else {
        return false;
    };
    if let Some(dn) = &client.tls_client_auth_subject_dn {
        return subject(&certificate).is_some_and(|subject| subject == without_spaces(dn));
    }
    let Some(wanted) = &client.tls_client_auth_san_dns else {
        return false;
    };
    let names = certificate.subject_alternative_name().ok().flatten();
    names.is_some_and(|names| {
        let is_wanted =
            |name: &GeneralName<'_>| matches!(name, GeneralName::DNSName(name) if name == wanted);
        names.value.general_names.iter().any(is_wanted)
    })
}

/// As RFC 4514 writes it: the last part first. Values with characters that it escapes do not occur
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
    parts.reverse();
    Some(without_spaces(&parts.join(",")))
}

/// Spaces behind commas do not count.
fn without_spaces(dn: &str) -> String {
    dn.split(',').map(str::trim).collect::<Vec<_>>().join(",")
}

/// Section 2.2.2: it stands in one of the client's keys.
fn is_registered(caller: &Caller, client: &Client) -> bool {
    let Some(own) = caller.certificates.first() else {
        return false;
    };
    client.keys().any(|key| {
        let first = key
            .get("x5c")
            .and_then(|chain| chain.get(0))
            .and_then(Value::as_str);
        first
            .and_then(|text| STANDARD.decode(text).ok())
            .is_some_and(|der| der == own.as_ref())
    })
}
