//! The other end of a connection.

use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionPeer {
    /// What it showed and has the key of, its own first.
    pub(crate) certificates: Arc<[CertificateDer<'static>]>,
    pub(crate) cut: Arc<AtomicBool>,
}

impl ConnectionPeer {
    pub(crate) fn new(certificates: &[CertificateDer<'_>]) -> Self {
        let certificates = certificates
            .iter()
            .map(|certificate| certificate.clone().into_owned());
        Self {
            certificates: certificates.collect(),
            cut: Arc::default(),
        }
    }

    /// Nothing more is sent to it: the answer under way is its last, and does not arrive.
    pub(crate) fn hang_up(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}
