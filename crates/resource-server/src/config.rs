//! The settings as written: a TOML document, or a few environment variables.
//!
//! Reading changes nothing, and unknown members are refused. What the settings mean is for
//! [`Settings`](crate::Settings) to find out.

mod questions;
mod unreadable;

pub(crate) use questions::WrittenClient;
pub use questions::{GroupsConfig, IntrospectionConfig};
pub use unreadable::unreadable;

use crate::client_auth::Secret;
use crate::revocation::{RevocationConfig, StoreUrl};
use portcullis_core::jose::json::Json;
use portcullis_core::{ConfigError, ConfigErrors, Limits};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// The settings of a resource server, as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The trusted issuers: at least one.
    #[serde(default)]
    pub issuer: Vec<IssuerConfig>,
    /// The `realm` of challenges (RFC 9110, section 11.5). Default `api`.
    pub realm: Option<String>,
    /// A header that holds the bare token, besides `Authorization`, where a proxy in front puts it there:
    /// `cf-access-jwt-assertion`. Default none.
    pub token_header: Option<String>,
    /// How many verified tokens are remembered. Default 10,000; 0 switches it off.
    pub remembered_tokens: Option<usize>,
    /// What was revoked: the table `[revocation]`. Default: in memory only.
    #[serde(default)]
    pub revocation: RevocationConfig,
    /// The bounds on foreign input, each with its safe default.
    #[serde(default)]
    pub limits: Limits,
}

/// One trusted issuer, as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The issuer identifier, exactly as it stands in the tokens' `iss`.
    pub url: String,
    /// What the tokens' `aud` must hold: a text, or a list of which one will do.
    #[serde(default, deserialize_with = "one_or_more")]
    #[cfg_attr(feature = "schema", schemars(with = "OneOrMore<String>"))]
    pub audience: Vec<String>,
    /// What kind of provider it is: `entra-v2`, `okta`, `rfc9068` ... Default: what the URL shows, else `generic`.
    pub profile: Option<String>,
    /// The tenant that the tokens must name. It also fills `{tenantid}` in `url`.
    pub tenant: Option<String>,
    /// The tenants whose tokens are accepted, where `url` holds `{tenantid}` and is for all of them.
    #[serde(default)]
    pub tenants: Vec<String>,
    /// Accepts every tenant of a provider whose tenants share their keys: whoever can make a tenant gets in, and who
    /// may do what is for roles and scopes alone. Default false.
    #[serde(default)]
    pub danger_any_tenant: bool,
    /// How many tenants are remembered between requests. Default 1,024.
    pub remembered_tenants: Option<usize>,
    /// Where the caller's stable identifier is, as a claim path. Default: where the provider keeps it.
    pub subject: Option<String>,
    /// Where roles are found, as claim paths, all of them together; `{audience}` stands for each of the audiences.
    /// Default: where the provider keeps them.
    pub roles: Option<OneOrMore<String>>,
    /// Where groups are found, as claim paths. Default: where the provider keeps them.
    pub groups: Option<OneOrMore<String>>,
    /// Where it is said how the user signed in, as a claim path. Default: where the provider says so, mostly `acr`.
    pub acr: Option<String>,
    /// Where it is said when the user signed in, as a claim path. Default: where the provider says so, `auth_time`.
    pub auth_time: Option<String>,
    /// What parts a text that lists several roles or groups, such as `;`. Default: a text is one name.
    pub delimiter: Option<char>,
    /// What roles begin with in the token: it is taken off, and roles without it count for nothing.
    pub role_prefix: Option<String>,
    /// What scopes begin with in the token: it is taken off, and scopes without it count for nothing.
    pub scope_prefix: Option<String>,
    /// The roles that a role includes: `Admin = ["Editor"]`.
    #[serde(default)]
    pub role_includes: BTreeMap<String, Vec<String>>,
    /// Claims that must have a value, or one of several: `repository_owner_id = "123456"`.
    #[serde(default)]
    pub claims: BTreeMap<String, OneOrMore<ClaimScalar>>,
    /// How far the clocks may be apart, in seconds. Default 60, at most 300.
    pub leeway: Option<u64>,
    /// How far away `exp` may be, in seconds. Default 86,400.
    pub max_lifetime: Option<u64>,
    /// The algorithms to accept. Default: all asymmetric ones.
    pub algorithms: Option<Vec<String>>,
    /// The metadata's address, where the issuer's URL does not lead to it. Its `issuer` is checked all the same.
    pub metadata_url: Option<String>,
    /// The key set's address, where the issuer has no metadata. The issuer is checked all the same.
    pub jwks_uri: Option<String>,
    /// A file with the certificates, in PEM, that this issuer's documents are trusted by, besides the usual ones.
    pub ca_file: Option<PathBuf>,
    /// A file with a bearer token for fetching this issuer's documents, read again at every fetch, as Kubernetes wants.
    pub fetch_token_file: Option<PathBuf>,
    /// A file that keeps the last good keys, for a start while the issuer is down.
    pub key_snapshot: Option<PathBuf>,
    /// How the issuer is asked about opaque tokens. Default: it is not, and they are refused.
    pub introspection: Option<IntrospectionConfig>,
    /// How groups are found that do not fit into a token of Entra ID. Default: they are not, and stay unknown.
    pub groups_lookup: Option<GroupsConfig>,
}

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected one value, or a list of them")]
pub enum OneOrMore<T> {
    /// One.
    One(T),
    /// A list.
    More(Vec<T>),
}

/// A value that a claim can be compared with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected a text, a whole number, true or false")]
pub enum ClaimScalar {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Bool(bool),
}

impl From<ClaimScalar> for Json {
    fn from(value: ClaimScalar) -> Self {
        match value {
            ClaimScalar::Text(text) => Self::from(text.as_str()),
            ClaimScalar::Integer(integer) => Self::from(integer),
            ClaimScalar::Bool(value) => Self::from(value),
        }
    }
}

impl<T> OneOrMore<T> {
    /// The values as a list.
    pub fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(value) => vec![value],
            Self::More(values) => values,
        }
    }
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    OneOrMore::deserialize(deserializer).map(OneOrMore::into_vec)
}

impl From<&str> for OneOrMore<String> {
    fn from(text: &str) -> Self {
        Self::One(text.to_owned())
    }
}

/// The variables that are read from the environment.
pub const VARIABLES: [&str; 9] = [
    "OAUTH2_ISSUER",
    "OAUTH2_AUDIENCE",
    "OAUTH2_TENANT_ID",
    "OAUTH2_PROFILE",
    "OAUTH2_ROLES_CLAIM",
    "OAUTH2_INTROSPECTION",
    "OAUTH2_CLIENT_ID",
    "OAUTH2_CLIENT_SECRET",
    "PORTCULLIS_STORE",
];

impl Config {
    /// Reads the environment, and `.env` in the working directory for what the environment does not hold.
    ///
    /// `OAUTH2_ISSUER` and `OAUTH2_AUDIENCE` (several with commas between) are needed; `OAUTH2_TENANT_ID`,
    /// `OAUTH2_PROFILE`, `OAUTH2_ROLES_CLAIM` and `PORTCULLIS_STORE`, the URL of the revocation store, are optional.
    /// `OAUTH2_INTROSPECTION=true` has the issuer asked about opaque tokens, as the client `OAUTH2_CLIENT_ID` with
    /// `OAUTH2_CLIENT_SECRET`.
    ///
    /// # Errors
    ///
    /// Every variable that is missing, and a `.env` that cannot be read, all at once.
    pub fn from_env() -> Result<Self, ConfigErrors> {
        let file = dotenv(Path::new(".env"))?;
        Self::from_variables(|name| std::env::var(name).ok().or_else(|| file.get(name).cloned()))
    }

    /// One variable of the environment, or else of `.env`, for the settings of the application itself.
    ///
    /// # Errors
    ///
    /// A `.env` that cannot be read.
    pub fn variable(name: &str) -> Result<Option<String>, ConfigErrors> {
        let file = dotenv(Path::new(".env"))?;
        Ok(std::env::var(name).ok().or_else(|| file.get(name).cloned()))
    }

    /// Reads variables from anywhere.
    ///
    /// # Errors
    ///
    /// Every variable that is missing, all at once.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        let value = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        let (issuer, audience) = (value("OAUTH2_ISSUER"), value("OAUTH2_AUDIENCE"));
        let faults = [
            ("OAUTH2_ISSUER", &issuer, "OAUTH2_ISSUER=https://idp.example.com"),
            ("OAUTH2_AUDIENCE", &audience, "OAUTH2_AUDIENCE=api://enterprise-api"),
        ];
        let missing = |(name, _, example): (&str, _, &str)| {
            let cure = format!("set it in the environment or in `.env`, such as `{example}`");
            ConfigError::new(name, "it is not set", cure)
        };
        let missed = faults.into_iter().filter(|(_, value, _): &(_, &Option<String>, _)| value.is_none());
        let mut faults: Vec<ConfigError> = missed.map(missing).collect();
        let introspection = introspection(value, &mut faults);
        ConfigErrors::check(faults)?;
        let audience = audience.unwrap_or_default();
        let issuer = IssuerConfig {
            url: issuer.unwrap_or_default(),
            audience: audience
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
            profile: value("OAUTH2_PROFILE"),
            tenant: value("OAUTH2_TENANT_ID"),
            roles: value("OAUTH2_ROLES_CLAIM").map(OneOrMore::One),
            introspection,
            ..IssuerConfig::default()
        };
        let revocation = RevocationConfig {
            store: value("PORTCULLIS_STORE").map(|url| StoreUrl::new(url.trim())),
            ..RevocationConfig::default()
        };
        Ok(Self { issuer: vec![issuer], revocation, ..Self::default() })
    }

    /// Reads a TOML document. The tables of the [doors](DOORS) are left to them.
    ///
    /// # Errors
    ///
    /// What cannot be read, with its line.
    pub fn from_toml(text: &str) -> Result<Self, ConfigErrors> {
        let read = DeTable::parse(text).and_then(|mut document| {
            for door in DOORS {
                document.get_mut().remove(door);
            }
            Self::deserialize(toml::Deserializer::from(document))
        });
        read.map_err(|error| unreadable(text, error.span(), error.message()).into())
    }
}

/// The simple case of introspection: `OAUTH2_INTROSPECTION=true`, a client and its secret.
fn introspection(
    value: impl Fn(&str) -> Option<String>,
    faults: &mut Vec<ConfigError>,
) -> Option<IntrospectionConfig> {
    match value("OAUTH2_INTROSPECTION").as_deref().map(str::trim) {
        None | Some("false") => return None,
        Some("true") => {}
        Some(_) => {
            let cure = "write `true`, or leave it out; everything else is for the TOML document";
            faults.push(ConfigError::new("OAUTH2_INTROSPECTION", "`true` or `false`", cure));
            return None;
        }
    }
    let mut needed = |name: &str| {
        let found = value(name);
        if found.is_none() {
            let cure = "set it to what the issuer gave to this API's own client";
            faults.push(ConfigError::new(name, "it is not set, and `OAUTH2_INTROSPECTION` needs it", cure));
        }
        found
    };
    let (client_id, secret) = (needed("OAUTH2_CLIENT_ID"), needed("OAUTH2_CLIENT_SECRET"));
    Some(IntrospectionConfig {
        client_id,
        client_secret: secret.map(Secret::new),
        ..IntrospectionConfig::default()
    })
}

/// The tables that one document may hold beside the resource server's: they are the gateway's to read.
pub const DOORS: [&str; 7] = ["gateway", "forward_auth", "ext_authz", "log", "route", "upstream", "cedar"];

/// The variables of a `.env` file; none if there is no file.
///
/// # Errors
///
/// A file that is there but cannot be read. Values are never shown.
pub fn dotenv(path: &Path) -> Result<BTreeMap<String, String>, ConfigErrors> {
    let fault = |problem: &str| {
        let cure = "write lines like `OAUTH2_ISSUER=https://idp.example.com`, or remove the file";
        ConfigErrors::from(ConfigError::new(path.display().to_string(), problem, cure))
    };
    match dotenvy::from_path_iter(path) {
        Ok(lines) => {
            lines.collect::<Result<_, _>>().map_err(|_| fault("a line is not of the form NAME=value"))
        }
        Err(error) if error.not_found() => Ok(BTreeMap::new()),
        Err(_) => Err(fault("the file cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_variables_are_named_all_at_once() {
        let errors = Config::from_variables(|_| None).unwrap_err().to_string();
        assert!(errors.contains("OAUTH2_ISSUER") && errors.contains("OAUTH2_AUDIENCE"), "{errors}");
        let blank = Config::from_variables(|_| Some(" ".to_owned()));
        assert!(blank.is_err());
    }

    fn of(variables: &[(&str, &str)]) -> Result<Config, String> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Config::from_variables(|name| find(name).map(|(_, value)| (*value).to_owned()))
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn audiences_are_a_list() {
        let config = of(&[("OAUTH2_ISSUER", "x"), ("OAUTH2_AUDIENCE", "a, b")]);
        assert_eq!(config.unwrap().issuer[0].audience, ["a", "b"]);
    }

    #[test]
    fn introspection_needs_a_client_with_its_secret() {
        let with = |more: &[(&str, &str)]| {
            of(&[&[("OAUTH2_ISSUER", "https://a"), ("OAUTH2_AUDIENCE", "b")], more].concat())
        };
        let client = ("OAUTH2_CLIENT_ID", "api");
        assert!(with(&[client]).unwrap().issuer[0].introspection.is_none());
        assert!(with(&[("OAUTH2_INTROSPECTION", "false")]).unwrap().issuer[0].introspection.is_none());
        let errors = with(&[("OAUTH2_INTROSPECTION", "true"), client]).unwrap_err();
        assert!(errors.contains("OAUTH2_CLIENT_SECRET") && !errors.contains("OAUTH2_CLIENT_ID"), "{errors}");
        assert!(with(&[("OAUTH2_INTROSPECTION", "yes"), client]).unwrap_err().contains("`true` or `false`"));
        let whole = [("OAUTH2_INTROSPECTION", "true"), client, ("OAUTH2_CLIENT_SECRET", "marked")];
        let config = with(&whole).unwrap();
        let introspection = config.issuer[0].introspection.as_ref().unwrap();
        assert_eq!(introspection.client_secret, Some(Secret::new("marked")));
        assert!(!format!("{config:?}").contains("marked"));
    }

    #[test]
    fn one_audience_needs_no_list() {
        let audiences = |written: &str| {
            let text = format!("[[issuer]]\nurl = \"https://a.example\"\naudience = {written}\n");
            Config::from_toml(&text).map(|config| config.issuer[0].audience.clone()).ok()
        };
        assert_eq!(audiences("\"x\""), Some(vec!["x".to_owned()]));
        assert_eq!(audiences("[\"x\", \"y\"]"), Some(vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!(audiences("7"), None);
    }

    #[test]
    fn limits_are_settings() {
        let config = Config::from_toml("[limits]\ntoken_bytes = 4096\n").unwrap();
        assert_eq!(config.limits, Limits { token_bytes: 4_096, ..Limits::default() });
    }

    #[test]
    fn unknown_members_are_refused_with_their_line() {
        let errors = Config::from_toml("[[issuer]]\nurl = \"https://a\"\naudiences = [\"x\"]\n").unwrap_err();
        assert!(errors.to_string().contains("line 3"), "{errors}");
        let errors = Config::from_toml("realm = \"a\"\n[gatewy]\nlisten = 1\n").unwrap_err();
        assert!(errors.to_string().contains("line 2: unknown field `gatewy`"), "{errors}");
    }

    #[test]
    fn the_tables_of_the_doors_are_left_to_them() {
        let text = "realm = \"a\"\n[gateway]\nlisten = 1\n[[route]]\nx = 2\n[[upstream]]\ny = 3\n";
        assert_eq!(Config::from_toml(text).unwrap().realm.as_deref(), Some("a"));
    }
}
