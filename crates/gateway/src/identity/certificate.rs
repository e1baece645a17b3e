//! The header in which proxies tell the client's certificate: only they may, and it goes no
//! further.

use super::names::fold;
use super::{IdentitySettings, comparable};
use http::HeaderName;

impl IdentitySettings {
    /// Names the header in which proxies tell the client's certificate.
    pub(crate) fn with_certificate_header(self, certificate_header: Option<HeaderName>) -> Self {
        Self {
            certificate_header,
            ..self
        }
    }

    /// Whether a header of this name tells the upstream who calls.
    pub(crate) fn tells_caller(&self, name: &HeaderName) -> bool {
        self.is_identity(&fold(name.as_str()))
    }

    /// Whether clients may send a header of this name, although proxies do.
    pub(crate) fn passes(&self, name: &HeaderName) -> bool {
        self.allowed.contains(name)
    }

    /// Whether a folded name is, in some spelling, the one of the client's certificate. An upstream
    /// could believe it, so it goes no further, whoever sent it.
    pub(super) fn is_of_certificate(&self, folded: &str) -> bool {
        let header = self.certificate_header.as_ref();
        header.is_some_and(|header| *comparable(header) == *folded)
    }
}
