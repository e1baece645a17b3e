//! HTTPS, from as written to as meant.

use super::scalar::{DEFAULT_HSTS, one_of};
use crate::config::TlsConfig;
use portcullis_core::Faults;
use std::net::SocketAddr;
use std::path::PathBuf;

/// HTTPS. Whether the files can be used shows when they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsSettings {
    /// The table that it is written in.
    pub(crate) place: &'static str,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) only_1_3: bool,
    pub(crate) client_authorities: Option<PathBuf>,
    pub(crate) client_certificate_optional: bool,
    /// Clients are asked for a certificate, and any is taken: tokens are bound to it.
    pub(crate) bound_clients: bool,
    pub(crate) hsts: u64,
    pub(crate) redirect: Option<SocketAddr>,
}

pub(super) fn tls_settings(tls: &TlsConfig, faults: &Faults) -> TlsSettings {
    // Alone, the setting looks like mutual TLS, while no client is asked for a certificate.
    if tls.client_certificate_optional && tls.client_authorities.is_none() {
        faults
            .expected(
                "client_certificate_optional",
                "`client_authorities` beside it",
            )
            .found_as("none")
            .given(&["client_authorities"])
            .help("name the file with the authorities, or leave it out");
    }
    if tls.bound_clients && tls.client_authorities.is_some() {
        faults
            .expected("bound_clients", "no `client_authorities` beside it")
            .found_as("both")
            .given(&["client_authorities"])
            .help("with authorities, certificates are checked and tokens can be bound to them");
    }
    TlsSettings {
        place: "gateway.tls",
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        only_1_3: only_1_3(tls.minimum.as_deref(), faults),
        client_authorities: tls.client_authorities.clone(),
        client_certificate_optional: tls.client_certificate_optional,
        bound_clients: tls.bound_clients,
        hsts: tls.hsts.unwrap_or(DEFAULT_HSTS),
        redirect: tls.redirect,
    }
}

/// Whether the lowest version of TLS is 1.3. Older ones than 1.2 are not safe (RFC 8996).
pub(super) fn only_1_3(minimum: Option<&str>, faults: &Faults) -> bool {
    one_of("minimum", minimum, &[("1.2", false), ("1.3", true)], faults).unwrap_or_default()
}
