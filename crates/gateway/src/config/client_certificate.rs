//! Where proxies in front tell the client's certificate, as written.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[gateway.client_certificate]`, as written: the certificates of clients whose TLS ends at a
/// proxy in front, for tokens that are bound to one (RFC 8705). The header counts only from
/// `trusted_proxies`, from the programs that ask by `[forward_auth]`, and from the Envoy of
/// `[ext_authz]`. From everybody else it counts for nothing, and no upstream gets it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificateConfig {
    /// How the proxy writes the certificate: `rfc9440` (`Client-Cert`), `envoy`
    /// (`x-forwarded-client-cert`), `nginx` (`$ssl_client_escaped_cert`), `haproxy`
    /// (`%[ssl_c_der,base64]`), `traefik` (`X-Forwarded-Tls-Client-Cert`), `caddy`
    /// (`{http.request.tls.client.certificate_der_base64}`), `apache` (`%{SSL_CLIENT_CERT}s`), or
    /// `alb` (`X-Amzn-Mtls-Clientcert-Leaf`).
    pub format: String,
    /// The header that the proxy sets, and that it never passes on from a client. Default: the one
    /// of the format; required for `nginx`, `haproxy`, `caddy` and `apache`, which have none.
    pub header: Option<String>,
}
