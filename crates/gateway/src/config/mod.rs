//! The gateway's settings as written: its tables of the one `portcullis.toml`.
//!
//! Reading changes nothing, and unknown members are refused with their line. What the settings mean
//! is for [`Settings`](crate::Settings) to find out. The issuers stand in the same document and are
//! read by [`portcullis_resource_server::Config`].

mod assertion;
mod cedar;
mod client_address;
mod client_certificate;
mod cors;
mod doors;
pub(crate) mod excerpt;
mod identity;
mod limits;
mod overrides;
mod route;
pub(crate) mod schema;
mod tls;
mod upstream;

pub use assertion::AssertionConfig;
pub use cedar::{CedarConfig, CedarDemand};
pub use client_address::ClientAddressConfig;
pub use client_certificate::ClientCertificateConfig;
pub use cors::CorsConfig;
pub use doors::{DoorTlsConfig, ExtAuthzConfig, ForwardAuthConfig, ReceiversConfig};
pub use identity::IdentityConfig;
pub use limits::{LimitsConfig, TimeoutsConfig};
pub use overrides::Overrides;
pub use route::{RequireConfig, RouteConfig};
pub use tls::{AdminConfig, TlsConfig};
pub use upstream::{HealthConfig, UpstreamConfig};

use portcullis_resource_server::config::ConfigOrigin;
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The whole document as written: what the resource server reads of it, and what the gateway does.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuers, and everything else about tokens.
    pub resource_server: portcullis_resource_server::Config,
    /// The gateway, the routes and the upstreams.
    pub gateway: Tables,
    /// What the document says about tokens, to see whether a reload changes it.
    pub(crate) token_settings: toml::Table,
    /// How the tables of the gateway were written, with the faults of their form.
    pub(crate) origin: ConfigOrigin,
}

/// The tables of the gateway.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// Where the reverse proxy listens, and what holds for all requests.
    pub gateway: Option<GatewayConfig>,
    /// The door for nginx, Traefik and Caddy. Default: none.
    pub forward_auth: Option<ForwardAuthConfig>,
    /// The door for Envoy and Istio. Default: none.
    pub ext_authz: Option<ExtAuthzConfig>,
    /// Where providers send logouts and security events to. Default: to the reverse proxy.
    pub receivers: Option<ReceiversConfig>,
    /// Who may call what. A request that no route matches needs a valid token.
    #[serde(default)]
    pub route: Vec<RouteConfig>,
    /// The servers behind the gateway, by name.
    #[serde(default)]
    pub upstream: Vec<UpstreamConfig>,
    /// Policies beyond scopes and roles. Default: none.
    pub cedar: Option<CedarConfig>,
    /// What is written down, where and how.
    #[serde(default)]
    pub log: LogConfig,
}

/// `[log]`, as written. It is fixed at the start.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// `json`, `text`, or `auto` (default): text on a terminal, JSON elsewhere. It is for the log,
    /// on standard error, and for the audit records.
    pub format: Option<String>,
    /// Where the audit records go, one for each decision: `stdout` (default), `none`, or the path
    /// of a file. SIGHUP begins the file anew.
    pub audit: Option<String>,
    /// How the subject of a token is written down: `plain` (default), `hashed`, or `none`.
    pub audit_subject: Option<String>,
    /// A file with the key of hashed subjects, 16 bytes or more. Default: a random one for each
    /// start, so that only records of one run can be brought together.
    pub audit_key: Option<PathBuf>,
    /// Whether the caller's address is written down. Default true.
    pub audit_peer: Option<bool>,
    /// Whether each response of an upstream has a record too, when it has ended: its status, its
    /// bytes, and how long it took. Default false.
    #[serde(default)]
    pub audit_responses: bool,
    /// Whether the gateway begins a trace where the request names none, sampled. Default false:
    /// what an upstream samples is then its own choice.
    #[serde(default)]
    pub begin_traces: bool,
}

/// `[gateway]`, as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// The address to listen on. Default `127.0.0.1:8080`; a socket that systemd hands over comes
    /// first. There is no reverse proxy where another door is open and neither this nor an upstream
    /// is named.
    pub listen: Option<SocketAddr>,
    /// Where requests go whose route names no upstream: a URL, or the name of an `[[upstream]]`. A
    /// path of the URL comes before the path of every request. Default: the only `[[upstream]]`;
    /// with none or several it is required, unless no reverse proxy is open.
    pub upstream: Option<String>,
    /// The hosts that are served, `*.example.com` for all below. Default: any. Others get 421.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Addresses and networks of proxies in front, whose `X-Forwarded-For` is believed; `unix` for
    /// whoever may open a Unix socket of the gateway. Default: none.
    #[serde(default)]
    pub trusted_proxies: Vec<String>,
    /// Where trusted proxies tell the caller's address. Default: in `X-Forwarded-For`.
    pub client_address: Option<ClientAddressConfig>,
    /// Where proxies in front tell the client's certificate. Default: only the gateway's own TLS
    /// does.
    pub client_certificate: Option<ClientCertificateConfig>,
    /// Whether a CORS preflight (`OPTIONS` with `Origin` and `Access-Control-Request-Method`,
    /// without a body) is passed on without a token, for the upstream to answer. Default false.
    #[serde(default)]
    pub public_preflight: bool,
    /// Which pages of other origins may call; the gateway answers their preflights. Default: CORS
    /// is left to the upstream.
    pub cors: Option<CorsConfig>,
    /// HTTPS. Without it, only loopback can be listened on.
    pub tls: Option<TlsConfig>,
    /// The listener for probes and metrics. Default: none.
    pub admin: Option<AdminConfig>,
    /// What the upstream is told about the caller.
    #[serde(default)]
    pub identity: IdentityConfig,
    /// The bounds on what callers send.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// How long to wait for what.
    #[serde(default)]
    pub timeouts: TimeoutsConfig,
    /// Listens for plain HTTP beyond loopback: whoever is on the way reads the tokens. For closed
    /// networks where somebody else has ended TLS already.
    #[serde(default)]
    pub danger_plain_http: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::ConfigError;
    use portcullis_resource_server::config::{ClaimScalar, OneOrMore};

    #[test]
    fn one_document_holds_both_parts() {
        let config = Config::from_toml(
            "realm = \"r\"\n[[issuer]]\nurl = \"https://a\"\n[gateway]\nupstream = \"http://b\"\n\
             [[route]]\npath = \"/x\"\nrequire = { role = \"Admin\", claim = { level = 3 } }\n",
        );
        let config = config.unwrap();
        assert_eq!(config.resource_server.realm.as_deref(), Some("r"));
        assert_eq!(
            config.gateway.route[0].require.as_ref().unwrap().claim["level"],
            OneOrMore::One(ClaimScalar::Integer(3))
        );
        assert_eq!(
            config.token_settings.keys().collect::<Vec<_>>(),
            ["issuer", "realm"]
        );
    }

    #[test]
    fn unknown_members_are_refused_with_line_and_name_on_both_sides_at_once() {
        let errors = Config::from_toml(
            "[[issuer]]\nurl = \"https://a\"\naudiences = []\n[gateway]\nlissten = 1\n",
        )
        .unwrap_err()
        .to_string();
        for told in [
            "issuer[0].audiences (line 3): unknown member `audiences`",
            "write `audience`;",
            "gateway.lissten (line 5): unknown member `lissten`",
            "write `listen`;",
            "gateway.upstream: expected where requests go, found nothing",
            "3 faults",
        ] {
            assert!(errors.contains(told), "{told}: {errors}");
        }
        let errors = Config::from_toml("[gatewy]\n")
            .unwrap_err()
            .to_string();
        assert!(
            errors.contains("gatewy (line 1): unknown member `gatewy`")
                && errors.contains("2 faults")
                && errors.contains("issuer: expected at least one issuer"),
            "{errors}"
        );
        let errors =
            Config::from_toml("[[route]]\npath = \"/\"\nrequire = { rol = \"x\" }\n").unwrap_err();
        assert!(
            errors
                .to_string()
                .contains("route[0].require.rol (line 3): unknown member `rol`"),
            "{errors}"
        );
    }

    /// The variable is one that every test has; nothing is set here.
    #[test]
    fn values_of_the_environment_stand_on_both_sides() {
        let home = std::env::var("PATH").unwrap();
        let config = Config::from_toml(
            "realm = \"${PATH}\"\n[[issuer]]\nurl = \"https://a\"\n[gateway]\nhosts = \
                [\"x${PATH}\", \"$${PATH}\"]\n",
        );
        let config = config.unwrap();
        assert_eq!(config.resource_server.realm, Some(home.clone()));
        assert_eq!(config.token_settings["realm"].as_str(), Some(home.as_str()));
        assert_eq!(
            config.gateway.gateway.unwrap().hosts,
            [format!("x{home}"), "${PATH}".to_owned()]
        );
        let errors = Config::from_toml(
            "realm = \"${PORTCULLIS_NOWHERE}\"\n[[issuer]]\nurl = \"https://a\"\naudience = \
                \"b\"\n[gateway]\nupstream = \"http://a\"\nlisten = \"${PORTCULLIS_NOWHERE}\"\n",
        );
        let errors = errors.unwrap_err();
        assert_eq!(
            errors
                .iter()
                .map(ConfigError::place)
                .collect::<Vec<_>>(),
            ["realm", "gateway.listen"]
        );
        let errors = Config::from_toml("[gateway]\npublic_preflight = \"${PATH}\"\n")
            .unwrap_err()
            .to_string();
        assert!(
            errors.contains("(line 2)") && errors.contains("${PATH}") && !errors.contains(&home),
            "{errors}"
        );
    }

    #[test]
    fn what_is_not_toml_is_one_fault() {
        let errors = Config::from_toml("a = \n[gateway\n").unwrap_err();
        assert_eq!(errors.iter().count(), 1, "{errors}");
    }
}
