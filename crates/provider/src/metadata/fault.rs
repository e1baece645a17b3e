//! What is wrong with one of the documents of an issuer.

use crate::fetch::FetchFault;
use url::Url;

/// Why there is no document of the issuer at a URL.
pub(super) struct DocumentFault {
    pub(super) text: String,
    pub(super) cure: Option<&'static str>,
    /// Whether the server is there, so that another URL may know better.
    pub(super) is_up: bool,
}

impl DocumentFault {
    pub(super) fn of_content(url: &Url, reason: &str) -> Self {
        Self {
            text: format!("{url}: {reason}"),
            cure: None,
            is_up: true,
        }
    }

    pub(super) fn of_fetch(fault: &FetchFault) -> Self {
        Self {
            // The words of the network name the host, and a path does not matter to it.
            text: match fault.network {
                Some(_) => fault.reason.clone(),
                None => fault.to_string(),
            },
            cure: fault.cure,
            // A 404 says nothing about the other forms of the address; a refused connection does.
            is_up: fault.absent,
        }
    }
}
