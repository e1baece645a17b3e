//! The applications that ask for tokens, as the settings describe them.

use crate::config::address::may_be_sent_to;
use crate::config::secret::Secret;
use crate::token::claims::JsonObject;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An application that asks for tokens. Members are named as in RFC 7591, section 2, where
/// possible.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisteredClient {
    /// `client_id`.
    pub id: String,
    /// Its secret. Without a secret, a key and a certificate it is a public client.
    pub secret: Option<Secret>,
    /// Its public key as a JWK, to authenticate by signed assertions (`private_key_jwt`, RFC 7523),
    /// or with its certificate in `x5c` (`self_signed_tls_client_auth`, RFC 8705).
    pub jwk: Option<Value>,
    /// More such keys, as a key set (RFC 7517).
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
    /// Skips every check: any secret, address, scope and audience is good. For tests that do not
    /// care about the client.
    #[serde(default)]
    pub danger_unchecked: bool,
}

/// How a client proves who it is (the OAuth Token Endpoint Authentication Methods of IANA).
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
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
        self.grant_types.is_empty() || self.grant_types.iter().any(|named| named == grant_type)
    }

    /// What is wrong with its settings, and the cure.
    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str)> {
        // A device client has no redirect URI, but names its grant types.
        if self.is_public() && self.redirect_uris.is_empty() && self.grant_types.is_empty() {
            let expected =
                "it lacks a secret, a key or a redirect URI, and can get no token without one";
            return Some((
                expected,
                "add `secret`, `jwk` or `redirect_uris`, or `grant_types` for a device",
            ));
        }
        let is_private = |jwk: &Value| {
            ["d", "k", "p", "q"]
                .iter()
                .any(|name| jwk.get(name).is_some())
        };
        if self.keys().any(is_private) {
            let cure = "take the private members out of `jwk`: the client alone keeps them";
            return Some(("its `jwk` is a private key", cure));
        }
        if self
            .backchannel_logout_uri
            .as_ref()
            .is_some_and(|uri| !may_be_sent_to(uri))
        {
            return Some((
                "its `backchannel_logout_uri` is neither https nor http on loopback",
                "write such an address",
            ));
        }
        let means = match self.token_endpoint_auth_method {
            None => true,
            Some(ClientAuthentication::None) => self.is_public(),
            Some(
                ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost,
            ) => self.secret.is_some(),
            Some(ClientAuthentication::PrivateKeyJwt) => self.keys().next().is_some(),
            Some(ClientAuthentication::TlsClientAuth) => {
                // Exactly one name (RFC 8705, section 2.1.2).
                self.tls_client_auth_subject_dn.is_some() != self.tls_client_auth_san_dns.is_some()
            }
            Some(ClientAuthentication::SelfSignedTlsClientAuth) => {
                self.keys().any(|key| key.get("x5c").is_some())
            }
        };
        let cure = "give the client what `token_endpoint_auth_method` needs, or leave that out";
        (!means).then_some(("it lacks what its way to authenticate needs", cure))
    }
}
