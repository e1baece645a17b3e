//! Which addresses and path segments the settings accept.

use portcullis_core::token::issuer::is_loopback_host;
use url::{Origin, Url};

pub(crate) fn is_path_segment(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    // `.` and `..` would climb up in the path.
    !text.is_empty() && text.bytes().all(plain) && !text.bytes().all(|byte| byte == b'.')
}

/// Whether a text is an origin as browsers write it (RFC 6454, section 6.2).
pub(crate) fn is_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let origin = url.origin();
    // Browsers compare origins as text, so a final slash or a default port would never match.
    matches!(origin, Origin::Tuple(..)) && origin.ascii_serialization() == text
}

/// Whether an origin is a page on this machine.
pub(crate) fn is_loopback_origin(text: &str) -> bool {
    let url = Url::parse(text).ok().filter(|_| is_origin(text));
    let host = url.as_ref().and_then(Url::host_str);
    host.is_some_and(is_loopback_host)
}

/// Whether tokens and events may be sent to this address.
pub(crate) fn may_be_sent_to(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let loopback = url.host_str().is_some_and(is_loopback_host);
    // Plain http leaves this machine unencrypted, with tokens in it.
    bare && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}
