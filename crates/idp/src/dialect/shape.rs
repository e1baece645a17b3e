//! What differs between providers: addresses, documents, and the claims of tokens.
//!
//! Every method has a default, which most providers share. A dialect overrides only what differs.

use crate::dialect::facts::TokenFacts;
use crate::dialect::ids;
use crate::token::claims::{JsonObject, claims};
use crate::token::encoding::random_text;
use crate::token::issued::IssuedAccessToken;
use crate::token::kind::{FlowToken, TokenFormat};
use serde_json::{Value, json};

/// The purpose of a second published key, beside the one that signs access tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExtraKey {
    Nothing,
    /// For encryption: no signature is good under it.
    Encryption,
    /// For ID tokens only.
    IdTokens,
    /// For tokens of one other tenant only.
    OtherTenant,
}

/// When a person's tokens come with a refresh token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshRule {
    Always,
    /// For the scope `offline_access` (OpenID Connect Core, section 11).
    OfflineScope,
    /// For `access_type=offline` in the authorization request, as Google has it.
    OfflineAccessType,
}

/// The paths of the endpoints below the base; `None` for one that the provider does not have.
#[derive(Clone, Default)]
pub(crate) struct Endpoints {
    pub(crate) authorize: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) userinfo: Option<String>,
    pub(crate) introspect: Option<String>,
    pub(crate) revoke: Option<String>,
}

/// The paths of one issuer's documents below the base.
#[derive(Clone)]
pub(crate) struct IssuerDocuments {
    /// The issuer's path; in Microsoft's documents for every tenant it holds `{tenantid}`.
    pub(crate) issuer: String,
    pub(crate) metadata: Vec<String>,
    pub(crate) keys: String,
}

pub(crate) trait ProviderShape: Sync {
    /// The claims of an access token.
    fn access_token(&self, facts: &TokenFacts) -> JsonObject;

    /// The claims of an ID token.
    fn id_token(&self, facts: &TokenFacts) -> JsonObject;

    /// The header members besides `alg` and `kid`.
    fn header(&self, _kind: FlowToken, _kid: &str) -> JsonObject {
        claims(json!({ "typ": "JWT" }))
    }

    /// The part of the issuer behind the base.
    fn issuer_path(&self, _tenant: &str) -> String {
        String::new()
    }

    /// Where the key set is, below the base.
    fn keys_path(&self, tenant: &str) -> String;

    /// Where the endpoints are, below the base.
    fn endpoints(&self, tenant: &str) -> Endpoints;

    /// The documents, the configured tenant's first.
    fn documents(&self, tenants: &[String]) -> Vec<IssuerDocuments> {
        // Most providers have one issuer, so the tenants of users get no documents of their own.
        let tenant = tenants.first().map(String::as_str).unwrap_or_default();
        let (issuer, keys) = (self.issuer_path(tenant), self.keys_path(tenant));
        vec![IssuerDocuments {
            metadata: vec![discovery(&issuer)],
            issuer,
            keys,
        }]
    }

    /// Extra members of the metadata; null removes a usual one.
    fn metadata(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// The path of the issuer of access tokens, if it differs from the metadata's own issuer.
    fn access_token_issuer(&self) -> Option<&'static str> {
        None
    }

    /// Adapts a JWK to the key set of that issuer.
    fn dress_key(&self, _jwk: &mut JsonObject, _issuer: &str) {}

    /// Adds the members of a key document besides the keys, from the name and
    /// the public half (PEM) of the key that signs.
    fn dress_key_set(&self, _set: &mut JsonObject, _kid: &str, _pem: &str) {}

    /// A name for the key of that number, counted from 0.
    fn kid(&self, _number: usize) -> String {
        random_text(12)
    }

    fn beside(&self) -> ExtraKey {
        ExtraKey::Nothing
    }

    /// The only tenant whose tokens the second key may sign.
    fn other_tenant(&self) -> &'static str {
        ""
    }

    /// The default tenant.
    fn tenant(&self) -> &'static str {
        ""
    }

    /// Whether each tenant has its own issuer, so that a user's tenant decides.
    fn has_tenants(&self) -> bool {
        false
    }

    /// The default audience of a client's tokens.
    fn audience(&self, _client: &str, _tenant: &str) -> String {
        "api://enterprise-api".to_owned()
    }

    /// Whether `asked` is another name of this audience.
    fn is_address_of(&self, _audience: &str, _asked: &str) -> bool {
        false
    }

    /// The default identifier of a user.
    fn user_id(&self, username: &str) -> String {
        ids::uuid(username)
    }

    /// The name of a scope in tokens, from the text that clients send.
    fn scope_name<'s>(&self, asked: &'s str) -> &'s str {
        asked
    }

    /// The default format of access tokens.
    fn format(&self) -> TokenFormat {
        TokenFormat::Jwt
    }

    /// A new opaque access token.
    fn opaque_token(&self) -> String {
        random_text(32)
    }

    /// The introspection response for an active token.
    fn introspection(&self, issued: &IssuedAccessToken) -> JsonObject {
        let mut answer = issued.claims.clone();
        // Last, so that a claim named `active` in the token cannot change the answer.
        answer.extend(claims(json!({
            "active": true,
            "token_type": issued.token_type(),
            "client_id": issued.client,
            "username": issued.username,
            "scope": issued.scope,
        })));
        answer
    }

    /// When a person's tokens come with a refresh token.
    fn refresh_rule(&self) -> RefreshRule {
        RefreshRule::Always
    }

    /// Whether introspection needs no client authentication.
    fn introspection_is_open(&self) -> bool {
        false
    }

    /// Whether Microsoft Graph is imitated.
    fn has_graph(&self) -> bool {
        false
    }

    /// Whether there is `tokeninfo`, which Google has in place of introspection.
    fn has_tokeninfo(&self) -> bool {
        false
    }
}

/// Where an issuer's metadata is (OpenID Connect Discovery, section 4): at most one final slash is
/// removed.
pub(crate) fn discovery(issuer: &str) -> String {
    format!(
        "{}/.well-known/openid-configuration",
        issuer.strip_suffix('/').unwrap_or(issuer)
    )
}

impl Endpoints {
    /// All five below one path.
    pub(crate) fn under(path: &str, names: [&str; 5]) -> Self {
        let [authorize, token, userinfo, introspect, revoke] = names;
        Self {
            authorize: address(path, authorize),
            token: address(path, token),
            userinfo: address(path, userinfo),
            introspect: address(path, introspect),
            revoke: address(path, revoke),
        }
    }
}

/// The address of an endpoint; an empty name stands for one that the provider does not have.
fn address(path: &str, name: &str) -> Option<String> {
    (!name.is_empty()).then_some(format!("{path}{name}"))
}
