//! Machines without root certificates, such as images that hold one program and nothing else.

use reqwest::{Client, ClientBuilder};

/// Why no https server can be trusted, and what to do.
pub const MISSING: &str = "no root certificates were found on this machine (in the files that \
    SSL_CERT_FILE and SSL_CERT_DIR name, or in folders such as /etc/ssl/certs): install \
    `ca-certificates`, or name a file with certificates, such as by `ca_file` of the issuer";

/// A client, and whether it trusts no https server for lack of root certificates.
pub(super) fn build(builder: impl Fn() -> ClientBuilder) -> (Option<Client>, bool) {
    if let Ok(client) = builder().build() {
        return (Some(client), false);
    }
    // With no roots but its own, the same client can be built. It still serves http on loopback.
    let client = builder().tls_certs_only([]).build().ok();
    let lacks_roots = client.is_some();
    (client, lacks_roots)
}
