//! The gateway's settings as written: its tables of the one `portcullis.toml`.
//!
//! Reading changes nothing, and unknown members are refused with their line. What the settings mean
//! is for [`Settings`](crate::Settings) to find out. The issuers stand in the same document and are
//! read by [`portcullis_resource_server::Config`].

mod assertion;
mod cedar;
mod client_address;
mod doors;
pub(crate) mod excerpt;
mod identity;
mod limits;
mod route;
pub(crate) mod schema;
mod tls;
mod upstream;

pub use assertion::AssertionConfig;
pub use cedar::{CedarConfig, CedarDemand};
pub use client_address::ClientAddressConfig;
pub use doors::{DoorTlsConfig, ExtAuthzConfig, ForwardAuthConfig};
pub use identity::IdentityConfig;
pub use limits::{LimitsConfig, TimeoutsConfig};
pub use route::{RequireConfig, RouteConfig};
pub use tls::{AdminConfig, TlsConfig};
pub use upstream::{HealthConfig, UpstreamConfig};

use portcullis_core::{ConfigError, ConfigErrors};
use portcullis_resource_server::config::{DOORS, fill, unreadable as read_fault};
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use toml::de::DeTable;

/// The whole document as written: what the resource server reads of it, and what the gateway does.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuers, and everything else about tokens.
    pub resource_server: portcullis_resource_server::Config,
    /// The gateway, the routes and the upstreams.
    pub gateway: Tables,
    /// What the document says about tokens, to see whether a reload changes it.
    pub(crate) token_settings: toml::Table,
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
    /// path of the URL comes before the path of every request.
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
    /// Whether a CORS preflight (`OPTIONS` with `Origin` and `Access-Control-Request-Method`,
    /// without a body) is passed on without a token. Default false.
    #[serde(default)]
    pub public_preflight: bool,
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

impl Config {
    /// Reads a TOML document, and says all that is wrong with its form.
    ///
    /// # Errors
    ///
    /// What cannot be read, with its line: the first fault among the issuers' members, and the
    /// first among the gateway's.
    pub fn from_toml(text: &str) -> Result<Self, ConfigErrors> {
        let resource_server = portcullis_resource_server::Config::from_toml(text);
        // Not TOML at all: one fault, not the same one twice.
        let token_settings: toml::Table = match (text.parse(), &resource_server) {
            (Ok(table), _) => table,
            (Err(_), Err(errors)) => return Err(errors.clone()),
            (Err(error), Ok(_)) => return Err(unreadable(text, &error).into()),
        };
        match (resource_server, tables(text)) {
            (Ok(resource_server), Ok(gateway)) => {
                let token_settings = without_doors(text, token_settings)?;
                Ok(Self {
                    resource_server,
                    gateway,
                    token_settings,
                })
            }
            (Ok(_), Err(errors)) | (Err(errors), Ok(_)) => Err(errors),
            (Err(errors), Err(others)) => {
                let faults = errors.iter().chain(others.iter()).cloned().collect();
                Err(ConfigErrors::check(faults).err().unwrap_or(errors))
            }
        }
    }
}

/// The gateway's tables; the rest of the document is the resource server's.
fn tables(text: &str) -> Result<Tables, ConfigErrors> {
    let mut document = DeTable::parse(text).map_err(|error| unreadable(text, &error))?;
    let others: Vec<String> = document
        .get_ref()
        .keys()
        .map(|name| name.get_ref().to_string())
        .filter(|name| !DOORS.contains(&name.as_str()))
        .collect();
    for other in &others {
        document.get_mut().remove(other.as_str());
    }
    let filled = fill(document.get_mut())?;
    let read = Tables::deserialize(toml::Deserializer::from(document));
    read.map_err(|error| read_fault(text, error.span(), &filled.hide(error.message())).into())
}

/// The document of the resource server with the values of variables, by which two generations are
/// compared.
fn without_doors(text: &str, mut document: toml::Table) -> Result<toml::Table, ConfigErrors> {
    document.retain(|name, _| !DOORS.contains(&name));
    let mut parsed = DeTable::parse(text).map_err(|error| unreadable(text, &error))?;
    for door in DOORS {
        parsed.get_mut().remove(door);
    }
    fill(parsed.get_mut())?.fill(&mut document);
    Ok(document)
}

fn unreadable(text: &str, error: &toml::de::Error) -> ConfigError {
    read_fault(text, error.span(), error.message())
}

#[cfg(test)]
mod tests {
    use super::*;
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
            "line 3: unknown field `audiences`",
            "write `audience`;",
            "line 5: unknown field `lissten`",
            "write `listen`;",
            "2 faults",
        ] {
            assert!(errors.contains(told), "{told}: {errors}");
        }
        let errors = Config::from_toml("[gatewy]\n").unwrap_err().to_string();
        assert!(
            errors.contains("line 1: unknown field `gatewy`") && errors.contains("1 fault"),
            "{errors}"
        );
        let errors =
            Config::from_toml("[[route]]\npath = \"/\"\nrequire = { rol = \"x\" }\n").unwrap_err();
        assert!(
            errors.to_string().contains("line 3: unknown field `rol`"),
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
            "realm = \"${PORTCULLIS_NOWHERE}\"\n[gateway]\nlisten = \"${PORTCULLIS_NOWHERE}\"\n",
        );
        let errors = errors.unwrap_err();
        assert_eq!(
            errors.iter().map(ConfigError::place).collect::<Vec<_>>(),
            ["realm", "gateway.listen"]
        );
        let errors = Config::from_toml("[gateway]\npublic_preflight = \"${PATH}\"\n")
            .unwrap_err()
            .to_string();
        assert!(
            errors.contains("line 2") && errors.contains("${PATH}") && !errors.contains(&home),
            "{errors}"
        );
    }

    #[test]
    fn what_is_not_toml_is_one_fault() {
        let errors = Config::from_toml("a = \n[gateway\n").unwrap_err();
        assert_eq!(errors.iter().count(), 1, "{errors}");
    }
}
