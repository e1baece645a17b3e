//! Names of headers that mean something elsewhere: they are not the client's to send, nor ours to give a meaning.

use super::folded;
use http::HeaderName;

/// What front proxies say about a request or its sender, and what makes servers take another path or method than
/// the one that was decided about.
const FRONT_PROXY: [&str; 19] = [
    "client-cert",
    "client-cert-chain",
    "forwarded",
    "ssl-client-cert",
    "ssl-client-s-dn",
    "ssl-client-subject-dn",
    "ssl-client-verify",
    "true-client-ip",
    "x-client-cert",
    "x-envoy-original-path",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
    "x-ssl-client-cert",
];

/// Of these, what makes servers take another path or method: no proxy says it of a request that it has yet to forward.
pub(super) const OVERRIDES: [&str; 8] = [
    "x-envoy-original-path",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
];

/// Names of framing and routing that mean nothing in another spelling, and must not come to mean something.
pub(super) const ONLY_AS_WRITTEN: [&str; 6] =
    ["authorization", "connection", "content-length", "host", "te", "transfer-encoding"];

/// Whether a folded name is one by which front proxies tell of a request.
pub(super) fn is_of_front_proxy(folded: &str) -> bool {
    folded.starts_with("x-forwarded-") || FRONT_PROXY.binary_search(&folded).is_ok()
}

/// Whether a header may tell who calls: not one that frames or routes the request.
pub(crate) fn fits(name: &HeaderName) -> bool {
    const MEANING: [&str; 8] =
        ["content-type", "cookie", "expect", "keep-alive", "proxy-connection", "trailer", "upgrade", "date"];
    let name = folded(name.as_str());
    !ONLY_AS_WRITTEN.contains(&&*name) && !MEANING.contains(&&*name) && !name.starts_with("sec-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(FRONT_PROXY.is_sorted());
    }
}
