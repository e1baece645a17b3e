//! Names of headers that mean something elsewhere: a client may not send them, and the gateway
//! gives them no meaning of its own.
//!
//! The names are written here, and for operators in `docs/gateway/callers.md`. Names that
//! applications give to headers of their own, such as `X-User-Id`, are not among them: `reserved`
//! is for those.

use http::HeaderName;
use std::borrow::Cow;

/// Prefixes of names by which proxies and servers in front name a client, by address, certificate
/// or login, or another path, host or method than the request line. No prefix begins another.
const FAMILIES: [&str; 79] = [
    "$ws",
    "akamai-",
    "cf-access-",
    "cf-cert-",
    "cf-client-",
    "cf-connecting-",
    "cf-ip",
    "cf-pseudo-",
    "client-cert",
    "cloudfront-viewer-",
    "fastly-",
    "fly-client-",
    "fly-forwarded-",
    "forwarded",
    "http-forwarded",
    "http-x-",
    // The API server of Kubernetes acts as the user that these name.
    "impersonate-",
    "incap-",
    "l5d-",
    "oam-",
    "oidc-",
    "osso-",
    "remote-",
    "shib-",
    "sm-",
    "ssl-",
    "tailscale-",
    "tls-client-",
    "wl-proxy-",
    "x-accel-",
    "x-amzn-mtls-",
    "x-amzn-oidc-",
    "x-amzn-tls-",
    "x-apigateway-",
    "x-appengine-",
    "x-arr-",
    "x-auth-request-",
    "x-authenticated-",
    "x-authentik-",
    "x-azure-",
    "x-client-cert",
    "x-client-ip",
    "x-client-mtls",
    "x-client-ssl",
    "x-client-tls",
    "x-cluster-client",
    "x-consumer-",
    "x-credential-",
    "x-envoy-",
    "x-fd-",
    "x-forward",
    "x-goog-authenticated-",
    "x-goog-iap-",
    "x-http-",
    "x-jwt-claim",
    "x-ms-client-principal",
    "x-ms-token-",
    "x-mtls-",
    "x-nf-client-",
    "x-oidc-",
    // Some frameworks route by `X-Original-URL` or `X-Rewrite-URL`, past the path decided on.
    "x-original-",
    "x-override-",
    "x-pomerium-",
    "x-proxyuser-",
    "x-real-",
    "x-remote-",
    "x-rewrite-",
    "x-saml-",
    "x-ssl",
    "x-sucuri-client",
    "x-tls-",
    "x-true-client",
    "x-vercel-forwarded-",
    "x-vercel-ip-",
    "x-vercel-proxied-",
    "x-vouch-",
    "x-waws-",
    "x-webauth-",
    "z-forwarded",
];

/// The same, where only the whole name means it.
const NAMES: [&str; 69] = [
    "ali-cdn-real-ip",
    "cdn-real-ip",
    "cdn-src-ip",
    "cf-visitor",
    "cf-worker",
    "client-dn",
    "client-ip",
    "client-verify",
    "clientip",
    "disguised-host",
    "do-connecting-ip",
    "front-end-https",
    "http-client-ip",
    // CGI hands `Proxy` to programs as `HTTP_PROXY` (httpoxy, CVE-2016-5385).
    "proxy",
    "proxy-client-ip",
    "proxy-remote-addr",
    "proxy-remote-user",
    "proxy-user",
    "real-ip",
    "teleport-jwt-assertion",
    "true-client-ip",
    "true-client-port",
    "was-default-hostname",
    "x-anonymous-consumer",
    "x-client-addr",
    "x-client-address",
    "x-client-dn",
    "x-client-fingerprint",
    "x-client-host",
    "x-client-i-dn",
    "x-client-issuer",
    "x-client-port",
    "x-client-proto",
    "x-client-real-ip",
    "x-client-s-dn",
    "x-client-serial",
    "x-client-subject",
    "x-client-verified",
    "x-client-verify",
    "x-clientip",
    "x-custom-ip-authorization",
    "x-endpoint-api-userinfo",
    "x-from-ip",
    "x-host",
    "x-host-override",
    "x-https",
    "x-id-token-payload",
    "x-ip",
    "x-jwt-assertion",
    "x-jwt-payload",
    "x-method-override",
    // Next.js skipped its middleware, and the login in it, for this one (CVE-2025-29927).
    "x-middleware-subrequest",
    "x-originating-ip",
    "x-peer-ip",
    "x-proxy-client-ip",
    "x-proxy-remote-user",
    "x-proxy-url",
    "x-proxy-user",
    "x-realip",
    "x-scheme",
    "x-sendfile-type",
    "x-source-ip",
    "x-spiffe-id",
    "x-subject-dn",
    "x-true-ip",
    "x-url-scheme",
    "x-user-ip",
    "x-userinfo",
    "x-verified-client-cert",
];

/// Names of framing and routing. In another spelling they mean nothing, and must not come to mean
/// something.
pub(super) const ONLY_AS_WRITTEN: [&str; 6] = [
    "authorization",
    "connection",
    "content-length",
    "host",
    "te",
    "transfer-encoding",
];

/// Headers that the gateway sets on every request, so a client's would never arrive.
pub(super) const OURS: [&str; 3] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

/// Whether a folded name is one by which proxies describe a request or its sender.
pub(super) fn is_of_front_proxy(folded: &str) -> bool {
    // No prefix begins another, so only the last one that sorts before the name can begin it.
    let behind = FAMILIES.partition_point(|family| *family <= folded);
    if let Some(last) = behind.checked_sub(1)
        && let Some(family) = FAMILIES.get(last)
        && folded.starts_with(family)
    {
        return true;
    }
    NAMES
        .binary_search(&folded.trim_end_matches('-'))
        .is_ok()
}

/// Whether Envoy itself sets a header before it asks, or removes one that a client may not send.
pub(super) fn is_of_envoy(name: &str) -> bool {
    matches!(
        name,
        "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-client-cert"
    ) || (name.starts_with("x-envoy-") && !name.starts_with("x-envoy-original-"))
}

/// Whether a header may carry an identity: not one that frames or routes the request.
pub(crate) fn fits(name: &HeaderName) -> bool {
    const MEANING: [&str; 8] = [
        "content-type",
        "cookie",
        "expect",
        "keep-alive",
        "proxy-connection",
        "trailer",
        "upgrade",
        "date",
    ];
    let name = fold(name.as_str());
    !ONLY_AS_WRITTEN.contains(&&*name) && !MEANING.contains(&&*name) && !name.starts_with("sec-")
}

/// A name in the spelling that all of its variants share: CGI and its heirs take `_`, `.` and `-`
/// for one character.
pub(super) fn fold(name: &str) -> Cow<'_, str> {
    let mut bytes = name.bytes();
    // Names come in small letters from hyper, so most of them are not copied.
    if bytes.all(|byte| !matches!(byte, b'_' | b'.' | b'A'..=b'Z')) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.to_ascii_lowercase().replace(['_', '.'], "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envoy_tells_no_original_by_itself() {
        assert!(is_of_envoy("x-forwarded-proto") && is_of_envoy("x-envoy-attempt-count"));
        for name in ["x-envoy-original-path", "x-forwarded-host", "x-envoy"] {
            assert!(!is_of_envoy(name), "{name}");
        }
    }

    #[test]
    fn the_lists_are_in_order_and_no_family_begins_another() {
        assert!(FAMILIES.is_sorted() && NAMES.is_sorted());
        assert!(
            FAMILIES
                .windows(2)
                .all(|pair| !pair[1].starts_with(pair[0]))
        );
        assert!(
            NAMES
                .iter()
                .all(|name| !FAMILIES.iter().any(|family| name.starts_with(family)))
        );
    }

    #[test]
    fn the_document_holds_them_all() {
        let text = include_str!("../../../../docs/gateway/callers.md");
        for name in FAMILIES
            .map(|family| format!("`{family}*`"))
            .into_iter()
            .chain(NAMES.map(|name| format!("`{name}`")))
        {
            assert!(
                text.contains(&name),
                "docs/gateway/callers.md does not hold {name}"
            );
        }
    }

    #[test]
    fn families_and_names_are_told_from_what_is_like_them() {
        for name in [
            "x-forwarded",
            "x-forwarded-for",
            "x-real-ip-",
            "$wsra",
            "ssl-client-verify",
            "z-forwarded-for",
        ] {
            assert!(is_of_front_proxy(name), "{name}");
        }
        for name in [
            "",
            "x",
            "x-forwar",
            "x-realtime",
            "x-user-id",
            "x-client-id",
            "x-request-id",
            "via",
            "zz",
            "proxy-x",
        ] {
            assert!(!is_of_front_proxy(name), "{name}");
        }
    }
}
