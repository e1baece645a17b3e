//! Where proxies in front tell the client's certificate, from as written to as meant; and whether a
//! demand for one can be met at all.

use super::doors::Doors;
use crate::config::{ClientCertificateConfig, Config, GatewayConfig, RequireConfig};
use crate::identity::{IdentitySettings, fits};
use crate::request::certificate::{CertificateFormat, CertificateHeader};
use http::HeaderName;
use portcullis_core::proof::Binding;
use portcullis_core::{ConfigErrors, Faults};
use portcullis_resource_server as resource_server;

/// Headers that tell the gateway something else, or that it writes itself.
const TAKEN: [&str; 12] = [
    "dpop",
    "forwarded",
    "traceparent",
    "tracestate",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-proto",
    "x-forwarded-uri",
    "x-real-ip",
    "x-request-id",
];

/// The header, if one is written. `faults` are those of `[gateway]`.
pub(super) fn client_certificate(
    gateway: &GatewayConfig,
    doors: &Doors,
    faults: &Faults,
) -> Option<CertificateHeader> {
    let written = gateway.client_certificate.as_ref()?;
    let header = read_header(written, &faults.at("client_certificate"));
    // The header is ignored from everybody else, so the table alone would do nothing in silence.
    if gateway.trusted_proxies.is_empty() && !doors.take_headers_of_front() {
        let help = "name the proxies in front in `gateway.trusted_proxies`, or in \
            `forward_auth.trusted_peers`: nobody else is believed";
        faults
            .expected("client_certificate", "trusted proxies that tell it")
            .found_as("none")
            .given(&["trusted_proxies"])
            .given_elsewhere(&["forward_auth", "ext_authz"])
            .help(help);
    }
    header
}

fn read_header(written: &ClientCertificateConfig, faults: &Faults) -> Option<CertificateHeader> {
    let format = CertificateFormat::from_word(&written.format);
    if format.is_none() {
        let words: Vec<String> = CertificateFormat::words()
            .map(|word| format!("`{word}`"))
            .collect();
        faults
            .expected("format", format!("one of {}", words.join(", ")))
            .found(&written.format)
            .help("write the proxy in front, or the format that its certificates have");
    }
    let name = match &written.header {
        Some(text) => name(text, faults),
        None => usual_name(format?, faults),
    };
    Some(CertificateHeader {
        name: name?,
        format: format?,
    })
}

/// A name of the operator's choice.
fn name(text: &str, faults: &Faults) -> Option<HeaderName> {
    match HeaderName::try_from(text) {
        Ok(name) if fits(&name) && !TAKEN.contains(&name.as_str()) => Some(name),
        _ => {
            let help = "write the header that the proxy in front sets, such as `X-Client-Cert`";
            faults
                .expected("header", "the name of a header that tells nothing else")
                .found(text)
                .help(help);
            None
        }
    }
}

fn usual_name(format: CertificateFormat, faults: &Faults) -> Option<HeaderName> {
    let name = format.usual_header();
    if name.is_none() {
        faults
            .expected("header", "the header that the proxy in front sets")
            .found_as("none")
            .help("write its name, such as `X-Client-Cert`, here and in the proxy's settings");
    }
    name
}

/// Tells of a name that means a caller, or a token. `faults` are those of `[gateway]`.
pub(super) fn check_name(
    header: &Option<CertificateHeader>,
    identity: &Option<IdentitySettings>,
    tokens: &Result<resource_server::Settings, ConfigErrors>,
    faults: &Faults,
) {
    let (Some(CertificateHeader { name, .. }), Some(identity)) = (header, identity) else {
        return;
    };
    let token_header = tokens.as_ref().ok();
    let token_header = token_header.and_then(resource_server::Settings::token_header);
    // The upstream would get a certificate for a caller, or the gateway a certificate for a token.
    let found = match () {
        () if token_header == Some(name) => "the header of the token",
        () if identity.tells_caller(name) => "a header of the caller",
        () if identity.passes(name) => "a header of `identity.danger_pass`",
        () => return,
    };
    faults
        .at("client_certificate")
        .expected("header", "a name that is for the certificate alone")
        .found_as(format!("`{name}`, {found}"))
        .given_elsewhere(&["gateway.identity.*", "token_header"])
        .help("choose another name, here and in the proxy's settings");
}

/// With the names that tell a token or a certificate: what they hold is not the caller's to write.
pub(super) fn with_secret_names(
    identity: IdentitySettings,
    tokens: &resource_server::Settings,
    certificate: Option<&CertificateHeader>,
) -> IdentitySettings {
    identity
        .with_token_header(tokens.token_header().cloned())
        .with_token_cookie(tokens.token_cookie().map(Box::from))
        .with_certificate_header(certificate.map(|it| it.name.clone()))
}

/// The places that demand tokens that are bound to a certificate.
pub(super) fn certificate_demands(config: &Config) -> Vec<String> {
    let mut places = Vec::new();
    let issuers = config.resource_server.issuer.iter();
    for (index, issuer) in issuers.enumerate() {
        if issuer.bound.as_deref() == Some(Binding::Mtls.name()) {
            places.push(format!("issuer[{index}].bound"));
        }
    }
    for (index, route) in config.gateway.route.iter().enumerate() {
        if route.require.as_ref().is_some_and(demands_certificate) {
            places.push(format!("route[{index}].require.bound"));
        }
    }
    places
}

/// Whether nobody without a certificate meets it.
fn demands_certificate(require: &RequireConfig) -> bool {
    let mut parts = require.all.iter().flatten();
    require.bound.as_deref() == Some(Binding::Mtls.name()) || parts.any(demands_certificate)
}

/// Tells of the demands that no request can ever meet. `has_others`: certificates come by another
/// way than the header. `faults` are those of the document.
pub(super) fn check_demands(
    demands: &[String],
    header: &Option<CertificateHeader>,
    has_others: bool,
    faults: &Faults,
) {
    if has_others || header.is_some() {
        return;
    }
    for place in demands {
        let help = "set `gateway.tls.bound_clients`, or `[gateway.client_certificate]` where a \
            proxy in front ends TLS";
        faults
            .expected(place, "client certificates")
            .found_as("no setting that brings one")
            .given_elsewhere(&["gateway.tls", "gateway.client_certificate", "ext_authz"])
            .help(help);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::settings::Settings;
    use portcullis_core::ConfigErrors;

    const GATEWAY: &str = "[gateway]\nupstream = \"http://127.0.0.1:1\"\n";

    fn settings(tables: &str) -> Result<Settings, ConfigErrors> {
        let issuer = "[[issuer]]\nurl = \"https://idp.example\"\naudience = [\"api\"]\n";
        Config::from_toml(&format!("{issuer}{tables}")).and_then(Settings::try_from)
    }

    fn places(tables: &str) -> Vec<String> {
        let errors = settings(tables).unwrap_err();
        let places = errors.iter().map(|fault| fault.place().to_owned());
        places.collect()
    }

    /// Members of `[gateway]` for a trusted proxy with this certificate header.
    fn from_proxy(certificate: &str) -> String {
        format!(
            "{GATEWAY}trusted_proxies = [\"10.0.0.7\"]\nclient_certificate = {{ {certificate} }}\n"
        )
    }

    #[test]
    fn a_header_has_a_format_and_a_name_of_its_own() {
        for (members, name) in [
            ("format = \"rfc9440\"", "client-cert"),
            ("format = \"envoy\"", "x-forwarded-client-cert"),
            ("format = \"traefik\"", "x-forwarded-tls-client-cert"),
            ("format = \"alb\"", "x-amzn-mtls-clientcert-leaf"),
            (
                "format = \"nginx\", header = \"X-Client-Cert\"",
                "x-client-cert",
            ),
            (
                "format = \"apache\", header = \"SSL_CLIENT_CERT\"",
                "ssl_client_cert",
            ),
        ] {
            let settings = settings(&from_proxy(members)).unwrap();
            assert_eq!(settings.client_certificate.unwrap().name, name);
        }
        let header = "gateway.client_certificate.header";
        for (members, place) in [
            ("format = \"nginx\"", header),
            ("format = \"haproxy\"", header),
            ("format = \"caddy\"", header),
            ("format = \"apache\"", header),
            (
                "format = \"der\", header = \"x\"",
                "gateway.client_certificate.format",
            ),
        ] {
            assert_eq!(places(&from_proxy(members)), [place], "{members}");
        }
        for name in [
            "a b",
            "Authorization",
            "Cookie",
            "DPoP",
            "X-Forwarded-For",
            "X-Auth-Subject",
            "X_Auth_Subject",
            "X-Auth-Cert",
        ] {
            let members = format!("format = \"nginx\", header = \"{name}\"");
            assert_eq!(places(&from_proxy(&members)), [header], "{name}");
        }
        let passed = "format = \"nginx\", header = \"Client-Cert\"";
        let passed = from_proxy(passed) + "identity = { danger_pass = [\"Client-Cert\"] }\n";
        assert_eq!(places(&passed), [header]);
        let token = "token_header = \"X-Token\"\n";
        let text = format!(
            "{token}[[issuer]]\nurl = \"https://idp.example\"\naudience = [\"api\"]\n{}",
            from_proxy("format = \"nginx\", header = \"X-Token\"")
        );
        let errors = Config::from_toml(&text)
            .and_then(Settings::try_from)
            .unwrap_err();
        assert_eq!(errors.iter().next().unwrap().place(), header);
    }

    #[test]
    fn a_header_of_nobody_is_a_fault() {
        let alone = "client_certificate = { format = \"rfc9440\" }\n";
        assert_eq!(
            places(&format!("{GATEWAY}{alone}")),
            ["gateway.client_certificate"]
        );
        let asked = |peers: &str| {
            format!(
                "[gateway]\n{alone}[forward_auth]\nlisten = \"127.0.0.1:0\"\nproxy = \"nginx\"\n\
                 trusted_peers = [{peers}]\n"
            )
        };
        assert_eq!(places(&asked("")), ["gateway.client_certificate"]);
        assert!(settings(&asked("\"127.0.0.1\"")).is_ok());
        let envoy = format!("[gateway]\n{alone}[ext_authz]\nlisten = \"127.0.0.1:0\"\n");
        assert!(settings(&envoy).is_ok());
    }

    #[test]
    fn a_certificate_that_can_never_come_is_not_demanded() {
        let route = |require: &str| format!("[[route]]\npath = \"/\"\nrequire = {require}\n");
        let demands = route("{ bound = \"mtls\" }");
        assert_eq!(
            places(&format!("{GATEWAY}{demands}")),
            ["route[0].require.bound"]
        );
        let nested = route("{ all = [{ bound = \"mtls\" }] }");
        assert_eq!(
            places(&format!("{GATEWAY}{nested}")),
            ["route[0].require.bound"]
        );
        assert_eq!(
            places(&format!("bound = \"mtls\"\n{GATEWAY}")),
            ["issuer[0].bound"]
        );
        for require in [
            "{ bound = \"any\" }",
            "{ bound = \"dpop\" }",
            "{ any = [{ bound = \"mtls\" }, { role = \"x\" }] }",
        ] {
            assert!(
                settings(&format!("{GATEWAY}{}", route(require))).is_ok(),
                "{require}"
            );
        }
        let tls = "[gateway.tls]\ncertificate = \"c\"\nkey = \"k\"\n";
        assert_eq!(places(&format!("{GATEWAY}{tls}{demands}")).len(), 1);
        for source in [
            format!("{GATEWAY}{tls}bound_clients = true\n"),
            format!("{GATEWAY}{tls}client_authorities = \"a\"\n"),
            from_proxy("format = \"rfc9440\""),
            "[ext_authz]\nlisten = \"127.0.0.1:0\"\n".to_owned(),
        ] {
            assert!(settings(&format!("{source}{demands}")).is_ok(), "{source}");
        }
    }

    #[test]
    fn a_change_of_the_header_is_told() {
        let old = settings(&from_proxy("format = \"rfc9440\"")).unwrap();
        let new = settings(&from_proxy("format = \"alb\"")).unwrap();
        let others = old.compare(&new).unwrap().others;
        assert_eq!(others, ["gateway.client_certificate"]);
        let rows = new
            .summary()
            .into_iter()
            .flat_map(|section| section.rows);
        let labels: Vec<String> = rows.map(|row| row.label).collect();
        assert!(
            labels.contains(&"x-amzn-mtls-clientcert-leaf".to_owned()),
            "{labels:?}"
        );
    }
}
