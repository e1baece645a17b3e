//! The applications that ask for tokens, as the settings describe them.

use crate::config::address::may_be_sent_to;
use crate::config::secret::Secret;
use crate::config::toml_text::TableText;
use crate::token::claims::JsonObject;
use portcullis_core::Faults;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An application that asks for tokens. Members are named as in RFC 7591, section 2, where
/// possible.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisteredClient {
    /// `client_id`.
    pub id: String,
    /// Its secret. Without a secret, a key and a certificate it is a public client.
    pub secret: Option<Secret>,
    /// Its public key as a JWK, to authenticate by signed assertions (`private_key_jwt`, RFC 7523),
    /// or with its certificate in `x5c` (`self_signed_tls_client_auth`, RFC 8705).
    #[cfg_attr(feature = "schema", schemars(with = "Option<JsonObject>"))]
    pub jwk: Option<Value>,
    /// More such keys, as a key set (RFC 7517).
    #[cfg_attr(feature = "schema", schemars(with = "Option<JsonObject>"))]
    pub jwks: Option<Value>,
    /// Its only authentication method. Default any that it has the means for.
    pub token_endpoint_auth_method: Option<ClientAuthentication>,
    /// The grants it may use, by their names in requests. Default all.
    #[serde(default)]
    pub grant_types: Vec<String>,
    /// Whether it must push its authorization requests (RFC 9126, section 6).
    /// Default false.
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// Whether it must prove a key for every token (RFC 9449, section 5.2). Default false.
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// Whether its tokens are bound to its certificate (RFC 8705, section 3.4).
    /// Default false.
    #[serde(default)]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// The subject of its certificate, as RFC 4514 writes it: `CN=service,O=Example`
    /// (`tls_client_auth`).
    pub tls_client_auth_subject_dn: Option<String>,
    /// Instead, a DNS name of its certificate (`tls_client_auth`).
    pub tls_client_auth_san_dns: Option<String>,
    /// Where codes may be sent. On loopback the port is free (RFC 8252, section 7.3).
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where browsers may be sent after logging out. On loopback the port is free here too.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// The address for logout tokens (OpenID Connect Back-Channel Logout 1.0): https, or http on
    /// loopback.
    pub backchannel_logout_uri: Option<String>,
    /// The scopes it may ask for, besides those of OpenID Connect.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The audiences it may ask for, besides the default one.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// The roles of the client itself.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Claims in every token that it gets, in place of the dialect's own.
    #[serde(default)]
    pub claims: JsonObject,
    /// Accepts authorization requests without PKCE (RFC 7636), as a legacy client sends them: a
    /// stolen code can be used then. Only for clients that authenticate. A challenge that is sent
    /// is checked. Default false.
    #[serde(default)]
    pub danger_no_pkce: bool,
    /// Skips the checks of what the client registered: any secret, http or https address, scope and
    /// audience is good. PKCE, `grant_types` and signed assertions are still checked. For tests
    /// that do not care about the client.
    #[serde(default)]
    pub danger_unchecked: bool,
}

/// How a client proves who it is (the OAuth Token Endpoint Authentication Methods of IANA).
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// Not at all: a public client.
    None,
    /// Its secret by HTTP Basic (RFC 6749, section 2.3.1).
    ClientSecretBasic,
    /// Its secret in the form (RFC 6749, section 2.3.1).
    ClientSecretPost,
    /// An assertion signed by its key (RFC 7523).
    PrivateKeyJwt,
    /// A certificate of an authority, with a registered name (RFC 8705, section 2.1).
    TlsClientAuth,
    /// The certificate in `x5c` of its key (RFC 8705, section 2.2).
    SelfSignedTlsClientAuth,
}

impl ClientAuthentication {
    /// Its name in settings and metadata.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
        }
    }
}

impl RegisteredClient {
    /// Whether it has no credentials.
    pub(crate) fn is_public(&self) -> bool {
        let has_keys = self.keys().next().is_some();
        let has_credentials = self.secret.is_some() || has_keys || self.authenticates_by_tls();
        // Grants that need a secret would refuse an unchecked client if it counted as public.
        !has_credentials && !self.danger_unchecked
    }

    /// Whether it authenticates by certificate.
    pub(crate) fn authenticates_by_tls(&self) -> bool {
        use ClientAuthentication::{SelfSignedTlsClientAuth, TlsClientAuth};
        matches!(
            self.token_endpoint_auth_method,
            Some(TlsClientAuth | SelfSignedTlsClientAuth)
        )
    }

    /// Its public keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Value> {
        let set = match &self.jwks {
            Some(set) => set.get("keys").and_then(Value::as_array),
            None => None,
        };
        self.jwk.iter().chain(set.into_iter().flatten())
    }

    /// Whether it may use this authentication method.
    pub(crate) fn may_authenticate_by(&self, method: ClientAuthentication) -> bool {
        self.token_endpoint_auth_method
            .is_none_or(|only| only == method)
    }

    /// Whether it may use this grant.
    pub(crate) fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.is_empty()
            || self
                .grant_types
                .iter()
                .any(|named| named == grant_type)
    }

    /// The client as the settings write it.
    pub(crate) fn toml(&self) -> String {
        // Every member, so that nothing is lost when the settings are replaced.
        let method = self
            .token_endpoint_auth_method
            .map(ClientAuthentication::name);
        TableText::new("client")
            .text("id", Some(&self.id))
            .text("secret", self.secret.as_ref().map(Secret::reveal))
            .json("jwk", self.jwk.as_ref())
            .json("jwks", self.jwks.as_ref())
            .text("token_endpoint_auth_method", method)
            .list("grant_types", &self.grant_types)
            .flag(
                "require_pushed_authorization_requests",
                self.require_pushed_authorization_requests,
            )
            .flag("dpop_bound_access_tokens", self.dpop_bound_access_tokens)
            .flag(
                "tls_client_certificate_bound_access_tokens",
                self.tls_client_certificate_bound_access_tokens,
            )
            .text(
                "tls_client_auth_subject_dn",
                self.tls_client_auth_subject_dn.as_deref(),
            )
            .text(
                "tls_client_auth_san_dns",
                self.tls_client_auth_san_dns.as_deref(),
            )
            .list("redirect_uris", &self.redirect_uris)
            .list("post_logout_redirect_uris", &self.post_logout_redirect_uris)
            .text(
                "backchannel_logout_uri",
                self.backchannel_logout_uri.as_deref(),
            )
            .list("scopes", &self.scopes)
            .list("audiences", &self.audiences)
            .list("roles", &self.roles)
            .object("claims", &self.claims)
            .flag("danger_no_pkce", self.danger_no_pkce)
            .flag("danger_unchecked", self.danger_unchecked)
            .into_text()
    }

    /// Everything that is wrong with its settings. `faults` are those of its table.
    pub(crate) fn check(&self, faults: &Faults) {
        // A device client has no redirect URI, but names its grant types.
        if self.is_public() && self.redirect_uris.is_empty() && self.grant_types.is_empty() {
            faults
                .expected(
                    "",
                    "a secret, a key or a redirect URI: without one, it gets no token",
                )
                .found_as(format!("none at the client `{}`", self.id))
                .given(&["secret", "jwk", "jwks", "redirect_uris", "grant_types"])
                .help("add `secret`, `jwk` or `redirect_uris`, or `grant_types` for a device");
        }
        // Nothing else would tie a public client's code to the browser that asked for it.
        if self.danger_no_pkce && self.is_public() {
            faults
                .expected("danger_no_pkce", "a client that authenticates")
                .found_as(format!("the public client `{}`", self.id))
                .given(&["secret", "jwk", "jwks"])
                .help("give it a `secret`, or let it send `code_challenge`");
        }
        let is_private = |jwk: &Value| {
            ["d", "k", "p", "q"]
                .iter()
                .any(|name| jwk.get(name).is_some())
        };
        if self.keys().any(is_private) {
            // Never the key itself.
            faults
                .expected("jwk", "a public key")
                .found_as("a private one")
                .help("take the private members out: the client alone keeps them");
        }
        if let Some(uri) = &self.backchannel_logout_uri
            && !may_be_sent_to(uri)
        {
            faults
                .expected(
                    "backchannel_logout_uri",
                    "an https address, or http on loopback",
                )
                .found(uri)
                .help("write such an address, without user information or a fragment");
        }
        if let Some(method) = self.token_endpoint_auth_method
            && !self.has_means_for(method)
        {
            faults
                .expected(
                    "token_endpoint_auth_method",
                    "a method that the client has means for",
                )
                .found_as(serde_json::to_string(&method).unwrap_or_default())
                .given(&["secret", "jwk", "jwks"])
                .given(&["tls_client_auth_subject_dn", "tls_client_auth_san_dns"])
                .help("give the client what the method needs, or leave the method out");
        }
    }

    /// Whether it has what this authentication method needs.
    fn has_means_for(&self, method: ClientAuthentication) -> bool {
        match method {
            ClientAuthentication::None => self.is_public(),
            ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost => {
                self.secret.is_some()
            }
            ClientAuthentication::PrivateKeyJwt => self.keys().next().is_some(),
            // Exactly one name (RFC 8705, section 2.1.2).
            ClientAuthentication::TlsClientAuth => {
                self.tls_client_auth_subject_dn.is_some() != self.tls_client_auth_san_dns.is_some()
            }
            ClientAuthentication::SelfSignedTlsClientAuth => {
                self.keys().any(|key| key.get("x5c").is_some())
            }
        }
    }
}
