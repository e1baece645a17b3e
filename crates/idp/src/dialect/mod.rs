//! Which provider is imitated. One file for each: what its tokens and documents look like, as its
//! own documentation shows them, so that an application can be tested against each without an
//! account.
//!
//! What is imitated is the look, not the behaviour: flows, lifetimes and faults are the same in
//! every dialect.

pub(crate) mod adfs;
pub(crate) mod auth0;
pub(crate) mod authentik;
pub(crate) mod ci;
pub(crate) mod cloudflare;
pub(crate) mod cognito;
pub(crate) mod entra;
pub(crate) mod facts;
pub(crate) mod firebase;
pub(crate) mod generic;
pub(crate) mod google;
pub(crate) mod hydra;
pub(crate) mod ids;
pub(crate) mod keycloak;
pub(crate) mod kubernetes;
pub(crate) mod okta;
pub(crate) mod pingone;
pub(crate) mod shape;
pub(crate) mod zitadel;

use crate::dialect::shape::ProviderShape;
use portcullis_core::ConfigError;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// A provider whose tokens and documents are imitated.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
#[non_exhaustive]
pub enum Dialect {
    /// Nobody in particular: access tokens as RFC 9068 has them.
    #[default]
    Generic,
    /// Microsoft Entra ID, tokens of version 2.
    Entra,
    /// Microsoft Entra ID, tokens of version 1.
    EntraV1,
    /// Okta, a custom authorization server.
    Okta,
    /// Auth0, its own token profile.
    Auth0,
    /// Auth0, the token profile of RFC 9068.
    Auth0Rfc9068,
    /// Google: opaque access tokens; ID tokens are the JWTs.
    Google,
    /// Firebase Authentication: ID tokens as bearer tokens.
    Firebase,
    /// Amazon Cognito user pools: no `aud` in access tokens.
    Cognito,
    /// Keycloak.
    Keycloak,
    /// PingOne.
    PingOne,
    /// The ID tokens of GitHub Actions jobs; a user's name becomes that of a repository.
    GithubActions,
    /// The ID tokens of GitLab CI jobs; a user's name becomes that of a project.
    GitlabCi,
    /// The bound tokens of Kubernetes service accounts; a user's name becomes that of an account.
    Kubernetes,
    /// ZITADEL: opaque unless told otherwise.
    Zitadel,
    /// authentik.
    Authentik,
    /// Ory Hydra: opaque unless told otherwise.
    Hydra,
    /// Cloudflare Access application tokens.
    Cloudflare,
    /// Active Directory Federation Services.
    Adfs,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 19] = [
        Self::Generic,
        Self::Entra,
        Self::EntraV1,
        Self::Okta,
        Self::Auth0,
        Self::Auth0Rfc9068,
        Self::Google,
        Self::Firebase,
        Self::Cognito,
        Self::Keycloak,
        Self::PingOne,
        Self::GithubActions,
        Self::GitlabCi,
        Self::Kubernetes,
        Self::Zitadel,
        Self::Authentik,
        Self::Hydra,
        Self::Cloudflare,
        Self::Adfs,
    ];

    /// The name in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entra => "entra",
            Self::Auth0Rfc9068 => "auth0-rfc9068",
            other => other.profile(),
        }
    }

    /// The profile with which a resource server reads these tokens: `OAUTH2_PROFILE`.
    pub fn profile(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            // The profile of a resource server names the version; the imitation defaults to 2.
            Self::Entra => "entra-v2",
            Self::EntraV1 => "entra-v1",
            Self::Okta => "okta",
            Self::Auth0 | Self::Auth0Rfc9068 => "auth0",
            Self::Google => "google",
            Self::Firebase => "firebase",
            Self::Cognito => "cognito",
            Self::Keycloak => "keycloak",
            Self::PingOne => "pingone",
            Self::GithubActions => "github-actions",
            Self::GitlabCi => "gitlab-ci",
            Self::Kubernetes => "kubernetes",
            Self::Zitadel => "zitadel",
            Self::Authentik => "authentik",
            Self::Hydra => "hydra",
            Self::Cloudflare => "cloudflare",
            Self::Adfs => "adfs",
        }
    }

    /// Whether its tokens tell roles. Where they do not, an API cannot ask for a role.
    pub fn tells_roles(self) -> bool {
        !matches!(
            self,
            Self::Google | Self::GithubActions | Self::GitlabCi | Self::Kubernetes
        )
    }

    /// A claim of its tokens, with its value, that an API must demand, because the real provider
    /// gives tokens for any audience to anybody.
    pub fn condition(self) -> Option<(&'static str, &'static str)> {
        // Without it, anybody with an account at that provider would be let in.
        match self {
            Self::GithubActions => Some(("repository_owner_id", "123456")),
            Self::GitlabCi => Some(("namespace_id", "72")),
            Self::Kubernetes => Some(("kubernetes.io.namespace", "shop")),
            _ => None,
        }
    }

    pub(crate) fn shape(self) -> &'static dyn ProviderShape {
        match self {
            Self::Generic => &generic::Generic,
            Self::Entra => &entra::V2,
            Self::EntraV1 => &entra::V1,
            Self::Okta => &okta::Okta,
            Self::Auth0 => &auth0::Auth0 { rfc9068: false },
            Self::Auth0Rfc9068 => &auth0::Auth0 { rfc9068: true },
            Self::Google => &google::Google,
            Self::Firebase => &firebase::Firebase,
            Self::Cognito => &cognito::Cognito,
            Self::Keycloak => &keycloak::Keycloak,
            Self::PingOne => &pingone::PingOne,
            Self::GithubActions => &ci::GithubActions,
            Self::GitlabCi => &ci::GitlabCi,
            Self::Kubernetes => &kubernetes::Kubernetes,
            Self::Zitadel => &zitadel::Zitadel,
            Self::Authentik => &authentik::Authentik,
            Self::Hydra => &hydra::Hydra,
            Self::Cloudflare => &cloudflare::Cloudflare,
            Self::Adfs => &adfs::Adfs,
        }
    }
}

/// One of the names.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for Dialect {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Dialect".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": Self::ALL.map(Self::name) })
    }
}

impl FromStr for Dialect {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.name() == name)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                ConfigError::expected("as", "a provider that can be imitated")
                    .found(name)
                    .help(format!("write one of {names}"))
            })
    }
}

impl TryFrom<String> for Dialect {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        // What was expected alone: the reader of the settings knows the place and what it found.
        name.parse()
            .map_err(|_| format!("expected one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
