//! The client certificate of a request that Envoy asks about.
//!
//! Envoy tells it in the message (`include_peer_certificate`), or in its header. Behind another
//! proxy, the certificate of Envoy's connection is that proxy's own: then the proxy's header tells
//! the client's, if the settings trust it.

use crate::generation::Generation;
use crate::request::certificate::{
    CertificateFault, CertificateFormat, CertificateHeader, FieldJoining,
};
use bytes::Bytes;
use http::HeaderMap;
use portcullis_core::proof::Thumbprint;
use std::net::IpAddr;

/// The certificate of the client. `source` and `shown` are the other end of Envoy's connection and
/// its certificate, where the message has them.
pub(super) fn of_client(
    generation: &Generation,
    headers: &HeaderMap,
    source: Option<IpAddr>,
    shown: Option<Thumbprint>,
    joining: FieldJoining,
) -> Option<Thumbprint> {
    let Some(header) = &generation.client_certificate else {
        return shown;
    };
    if is_of_envoy(header) && headers.contains_key(&header.name) {
        // Envoy itself adds an element to a field, and holds no second field of this name.
        return generation.told_certificate(headers, FieldJoining::Never);
    }
    match source {
        // A proxy's own certificate is not its client's, so it never stands in.
        Some(source) if !is_of_envoy(header) && trusts(generation, source) => {
            generation.told_certificate(headers, joining)
        }
        _ => shown,
    }
}

fn trusts(generation: &Generation, source: IpAddr) -> bool {
    // Envoy writes IPv4 callers of a dual-stack listener as IPv4-mapped addresses.
    generation.client_address.trusts(source.to_canonical())
}

/// Whether Envoy itself writes the header: it removes what a client sends by that name, unless it
/// is told to forward it.
fn is_of_envoy(header: &CertificateHeader) -> bool {
    header.format == CertificateFormat::Envoy
}

/// The certificate in a message: PEM, percent-encoded, and empty where there is none.
pub(super) fn of_message(text: &Bytes) -> Option<Thumbprint> {
    let text = std::str::from_utf8(text).map_err(|_| CertificateFault::NotAscii);
    // nginx writes it alike.
    match text.and_then(|text| CertificateFormat::Nginx.read(text, FieldJoining::Never)) {
        Ok(certificate) => certificate,
        Err(fault) => {
            tracing::warn!(facts = %fault, "Envoy's client certificate cannot be read");
            None
        }
    }
}
