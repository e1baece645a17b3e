//! A field in which a proxy tells its client's certificate, in each format; and what a client could
//! bring before it, or into its names: it never stands in for what the proxy tells.

use crate::shared::choice;
use portcullis_core::proof::Thumbprint;
use portcullis_gateway::fuzzing::client_certificate;

const FORMATS: [&str; 8] = [
    "rfc9440", "envoy", "nginx", "haproxy", "traefik", "caddy", "apache", "alb",
];

/// A value of DER that is framed like a certificate, and its base64.
const DER: [u8; 6] = [0x30, 4, 2, 2, 1, 2];
const BASE64: &str = "MAQCAgEC";

pub(crate) fn run(data: &[u8]) {
    let (selector, data) = choice(data);
    let format = FORMATS[usize::from(selector) % FORMATS.len()];
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // A stricter reading takes nothing that the other one does not.
    let (apart, joined) = (
        client_certificate(format, text, false),
        client_certificate(format, text, true),
    );
    assert!(joined.is_err() || joined == apart, "{format} {text}");
    let own = *Thumbprint::of_certificate(&DER).as_bytes();
    let hash: String = own.iter().map(|byte| format!("{byte:02x}")).collect();
    let is_own = |format: &str, text: &str, joined: bool| {
        let read = client_certificate(format, text, joined);
        assert!(
            read.as_ref().map_or(true, |it| *it == Some(own)),
            "{format} {text}: {read:?}"
        );
    };
    assert_eq!(
        client_certificate("envoy", &format!("Hash={hash}"), true),
        Ok(Some(own))
    );
    // What Envoy appends to, and the names that it writes without quotes.
    is_own("envoy", &format!("{text},Hash={hash}"), false);
    is_own(
        "envoy",
        &format!("{text},By=a;Hash={hash};Subject=\"b\""),
        false,
    );
    for key in ["URI", "DNS"] {
        is_own("envoy", &format!("Hash={hash};{key}={text}"), false);
    }
    // Two fields that became one.
    is_own("rfc9440", &format!("{text}, :{BASE64}:"), true);
    is_own("rfc9440", &format!(":{BASE64}:, {text}"), true);
    is_own("traefik", &format!("{text},{BASE64}"), true);
    is_own("traefik", &format!("{BASE64},{text}"), true);
    is_own("caddy", &format!("{text},{BASE64}"), true);
}
