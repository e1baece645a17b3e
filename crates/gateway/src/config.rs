//! The gateway's settings as written: its tables of the one `portcullis.toml`.
//!
//! Reading changes nothing, and unknown members are refused with their line. What the settings mean is for
//! [`Settings`](crate::Settings) to find out. The issuers stand in the same document and are read by
//! [`portcullis_resource_server::Config`].

mod assertion;
mod cedar;
mod doors;

pub use assertion::AssertionConfig;
pub use cedar::{CedarConfig, CedarDemand};
pub use doors::{DoorTlsConfig, ExtAuthzConfig, ForwardAuthConfig};

use portcullis_core::{ConfigError, ConfigErrors};
use portcullis_resource_server::config::{ClaimScalar, OneOrMore};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
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
    /// `json`, `text`, or `auto` (default): text on a terminal, JSON elsewhere. It is for the log, on standard error,
    /// and for the audit records.
    pub format: Option<String>,
    /// Where the audit records go, one for each decision: `stdout` (default), `none`, or the path of a file. SIGHUP
    /// begins the file anew.
    pub audit: Option<String>,
    /// How the subject of a token is written down: `plain` (default), `hashed`, or `none`.
    pub audit_subject: Option<String>,
    /// A file with the key of hashed subjects, 16 bytes or more. Default: a random one for each start, so that only
    /// records of one run can be brought together.
    pub audit_key: Option<PathBuf>,
    /// Whether the caller's address is written down. Default true.
    pub audit_peer: Option<bool>,
    /// Whether the gateway begins a trace where the request names none, sampled. Default false: what an upstream
    /// samples is then its own choice.
    #[serde(default)]
    pub begin_traces: bool,
}

/// `[gateway]`, as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// The address to listen on. Default `127.0.0.1:8080`; a socket that systemd hands over comes first. There is no
    /// reverse proxy where another door is open and neither this nor an upstream is named.
    pub listen: Option<SocketAddr>,
    /// Where requests go whose route names no upstream: a URL, or the name of an `[[upstream]]`.
    pub upstream: Option<String>,
    /// The hosts that are served, `*.example.com` for all below. Default: any. Others get 421.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Addresses and networks of proxies in front, whose `X-Forwarded-For` is believed. Default: none.
    #[serde(default)]
    pub trusted_proxies: Vec<String>,
    /// Whether a CORS preflight (`OPTIONS` with `Access-Control-Request-Method`) is passed on without a token.
    /// Default false.
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
    /// Listens for plain HTTP beyond loopback: whoever is on the way reads the tokens. For closed networks where
    /// somebody else has ended TLS already.
    #[serde(default)]
    pub danger_plain_http: bool,
}

/// `[gateway.tls]`, as written. The files are read again when they change.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate chain, in PEM, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key, in PEM.
    pub key: PathBuf,
    /// The lowest version: `1.2` (default) or `1.3`.
    pub minimum: Option<String>,
    /// Certificates of the authorities whose client certificates are accepted, in PEM. Default: clients are not
    /// asked for one.
    pub client_authorities: Option<PathBuf>,
    /// Whether a client without a certificate may connect. Default false; needs `client_authorities`.
    #[serde(default)]
    pub client_certificate_optional: bool,
    /// `max-age` of `Strict-Transport-Security` (RFC 6797), in seconds. Default 31,536,000; 0 leaves it out.
    pub hsts: Option<u64>,
    /// An address that answers plain HTTP with a redirect to HTTPS. Default: none.
    pub redirect: Option<SocketAddr>,
}

/// `[gateway.admin]`, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct AdminConfig {
    /// The address to listen on, for plain HTTP: `/live`, `/ready`, `/metrics`. It tells no secrets.
    pub listen: SocketAddr,
}

/// `[gateway.identity]`, as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// Header names and what they tell: `subject`, `client`, `tenant`, `kind`, `scopes`, `roles`, `groups`, `issuer`,
    /// or `claim:` and a claim path. Default `x-auth-subject`, `-client`, `-scopes`, `-roles` and `-issuer`; none where
    /// an assertion says it.
    pub headers: Option<BTreeMap<String, String>>,
    /// Beginnings of header names that only the gateway may set. Default `x-auth-`.
    pub reserved: Option<Vec<String>>,
    /// Whether the upstream gets the token as well. Default false.
    #[serde(default)]
    pub forward_token: bool,
    /// One signed assertion for the upstream, which it can verify. Default: none.
    pub assertion: Option<AssertionConfig>,
}

/// `[gateway.limits]`, as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Most connections at a time. Default 10,000. More wait until one ends.
    pub connections: Option<usize>,
    /// Most bytes of a request's head. Default 65,536, at least 8,192.
    pub header_bytes: Option<u32>,
    /// Most header fields of a request. Default 100.
    pub headers: Option<usize>,
    /// Most bytes of a request's body. Default 10,485,760; 0 for no bound. A route can say otherwise.
    pub body_bytes: Option<u64>,
    /// Most requests at a time on one HTTP/2 connection. Default 100.
    pub streams: Option<u32>,
    /// Most refusals of one caller in a minute; then it gets 429 until some are forgiven, except with a token that was
    /// verified before. Default 300; 0 for no bound. Callers on loopback are not counted.
    pub failing_callers: Option<u32>,
}

/// `[gateway.timeouts]`, as written. All in seconds.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TimeoutsConfig {
    /// For a TLS handshake and for the head of a request; also how long a connection may be idle. Default 15.
    pub head: Option<u64>,
    /// For the next piece of a request's body. Default 30.
    pub body: Option<u64>,
    /// For a connection to an upstream. Default 5.
    pub connect: Option<u64>,
    /// For the head of an upstream's answer. Default 60. A route can say otherwise.
    pub response: Option<u64>,
    /// For requests under way when the gateway is stopped. Default 30.
    pub drain: Option<u64>,
}

/// `[[route]]`, as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// What the log, the metrics and policies call it; no other route has the same. Default: its place and its path, for
    /// policies its path.
    pub name: Option<String>,
    /// The path: segments compare whole and with case; `*` stands for one segment, `**` at the end for any number,
    /// none too; `{name}` is a `*` that policies can read. A final slash of a request makes no difference.
    pub path: String,
    /// The methods. `GET` includes `HEAD`. Default: all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// The hosts, `*.example.com` for all below. Default: all.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// `token` (default): a valid token; `public`: none is asked for; `optional`: valid if there is one.
    pub access: Option<String>,
    /// What the token must meet.
    pub require: Option<RequireConfig>,
    /// Where requests go: a URL, or the name of an `[[upstream]]`. Default: the gateway's.
    pub upstream: Option<String>,
    /// Most bytes of a request's body. Default: the gateway's; 0 for no bound.
    pub body_bytes: Option<u64>,
    /// For the head of the upstream's answer, in seconds. Default: the gateway's.
    pub timeout: Option<u64>,
    /// Whom the signed assertion is for, its `aud`. Default: that of `[gateway.identity.assertion]`.
    pub assertion_audience: Option<String>,
}

/// What a token must meet: all the members that are written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RequireConfig {
    /// Scopes that were all granted: one, or a list.
    pub scope: Option<OneOrMore<String>>,
    /// Roles that the caller all has: one, or a list.
    pub role: Option<OneOrMore<String>>,
    /// Groups that the caller is all in: one, or a list.
    pub group: Option<OneOrMore<String>>,
    /// For whom the token was issued: `user`, or `application` in its own name.
    pub kind: Option<String>,
    /// Claim paths and their values: one, or several of which one will do. A list in the token holds it.
    #[serde(default)]
    pub claim: BTreeMap<String, OneOrMore<ClaimScalar>>,
    /// How the user signed in, by `acr`: one value, or several of which one will do, in order of preference.
    pub acr: Option<OneOrMore<String>>,
    /// How long ago the user may have signed in, by `auth_time`, in seconds.
    pub max_age: Option<u64>,
    /// That the policies of `[cedar]` permit it: `true` for the request's method, or the name of an action.
    pub cedar: Option<CedarDemand>,
    /// All of these.
    pub all: Option<Vec<Self>>,
    /// At least one of these.
    pub any: Option<Vec<Self>>,
    /// Not this.
    pub not: Option<Box<Self>>,
}

/// `[[upstream]]`, as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// What routes call it.
    pub name: String,
    /// The servers, `http://` or `https://` with host and port and no path. The one with the fewest requests
    /// under way gets the next.
    pub servers: Vec<String>,
    /// `http1` (default), or `http2`, without TLS as well, as gRPC servers want it. WebSockets take `http1`.
    pub protocol: Option<String>,
    /// Which `Host` the servers see: `client` (default), the one that was asked for, or `upstream`, their own. Over
    /// HTTP/2 it is their own; `X-Forwarded-Host` says what was asked for.
    pub host: Option<String>,
    /// Certificates of the authorities to trust, in PEM. Default: the system's.
    pub authorities: Option<PathBuf>,
    /// How to see whether a server is well. Default: by its failing connections alone.
    pub health: Option<HealthConfig>,
}

/// `[upstream.health]`, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// The path to ask for; 2xx and 3xx mean well.
    pub path: String,
    /// How often, in seconds. Default 10.
    pub interval: Option<u64>,
    /// How long an answer may take, in seconds. Default 3.
    pub timeout: Option<u64>,
}

impl Config {
    /// Reads a TOML document, and says all that is wrong with its form.
    ///
    /// # Errors
    ///
    /// What cannot be read, with its line: the first fault among the issuers' members, and the first among the
    /// gateway's.
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
                Ok(Self { resource_server, gateway, token_settings: without_doors(token_settings) })
            }
            (Ok(_), Err(error)) => Err(unreadable(text, &error).into()),
            (Err(errors), Ok(_)) => Err(errors),
            (Err(errors), Err(error)) => {
                let faults = errors.iter().cloned().chain([unreadable(text, &error)]).collect();
                Err(ConfigErrors::check(faults).err().unwrap_or(errors))
            }
        }
    }
}

/// The gateway's tables; the rest of the document is the resource server's.
fn tables(text: &str) -> Result<Tables, toml::de::Error> {
    let mut document = DeTable::parse(text)?;
    let others: Vec<String> = document
        .get_ref()
        .keys()
        .map(|name| name.get_ref().to_string())
        .filter(|name| !portcullis_resource_server::config::DOORS.contains(&name.as_str()))
        .collect();
    for other in &others {
        document.get_mut().remove(other.as_str());
    }
    Tables::deserialize(toml::Deserializer::from(document))
}

fn without_doors(mut document: toml::Table) -> toml::Table {
    document.retain(|name, _| !portcullis_resource_server::config::DOORS.contains(&name));
    document
}

fn unreadable(text: &str, error: &toml::de::Error) -> ConfigError {
    portcullis_resource_server::config::unreadable(text, error.span(), error.message())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(config.token_settings.keys().collect::<Vec<_>>(), ["issuer", "realm"]);
    }

    #[test]
    fn unknown_members_are_refused_with_line_and_name_on_both_sides_at_once() {
        let errors =
            Config::from_toml("[[issuer]]\nurl = \"https://a\"\naudiences = []\n[gateway]\nlissten = 1\n")
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
        assert!(errors.contains("line 1: unknown field `gatewy`") && errors.contains("1 fault"), "{errors}");
        let errors = Config::from_toml("[[route]]\npath = \"/\"\nrequire = { rol = \"x\" }\n").unwrap_err();
        assert!(errors.to_string().contains("line 3: unknown field `rol`"), "{errors}");
    }

    #[test]
    fn what_is_not_toml_is_one_fault() {
        let errors = Config::from_toml("a = \n[gateway\n").unwrap_err();
        assert_eq!(errors.iter().count(), 1, "{errors}");
    }
}
