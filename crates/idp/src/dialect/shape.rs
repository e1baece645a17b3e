//! What one provider does its own way: addresses, documents, and the words of its tokens.
//!
//! Everything has a default, which is what most providers do; a dialect states only what it does
//! differently.

use crate::dialect::facts::Facts;
use crate::dialect::ids;
use crate::token::claims::{Claims, claims};
use crate::token::encoding::random_text;
use crate::token::issued::IssuedAccess;
use crate::token::kind::{Kind, TokenFormat};
use serde_json::{Value, json};

/// A key that is published beside the one that signs access tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    Nothing,
    /// For encryption: no signature is good under it.
    Encryption,
    /// For ID tokens only.
    IdTokens,
    /// For tokens of one other tenant only.
    OtherTenant,
}

/// Where the endpoints are, below the base; none where the provider has none.
#[derive(Clone, Default)]
pub(crate) struct Endpoints {
    pub(crate) authorize: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) userinfo: Option<String>,
    pub(crate) introspect: Option<String>,
    pub(crate) revoke: Option<String>,
}

/// One issuer's documents, and where they are below the base.
#[derive(Clone)]
pub(crate) struct Published {
    /// The issuer's path; in Microsoft's documents for every tenant it holds `{tenantid}`.
    pub(crate) issuer: String,
    pub(crate) metadata: Vec<String>,
    pub(crate) keys: String,
}

pub(crate) trait Shape: Sync {
    /// The claims of an access token.
    fn access_token(&self, facts: &Facts) -> Claims;

    /// The claims of an ID token.
    fn id_token(&self, facts: &Facts) -> Claims;

    /// The header members besides `alg` and `kid`.
    fn header(&self, _kind: Kind, _kid: &str) -> Claims {
        claims(json!({ "typ": "JWT" }))
    }

    /// What stands between the base and the end of the issuer.
    fn issuer_path(&self, _tenant: &str) -> String {
        String::new()
    }

    /// Where the key set is, below the base.
    fn keys_path(&self, tenant: &str) -> String;

    /// Where the endpoints are, below the base.
    fn endpoints(&self, tenant: &str) -> Endpoints;

    /// The documents, the configured tenant's first.
    fn published(&self, tenants: &[String]) -> Vec<Published> {
        let tenant = tenants.first().map(String::as_str).unwrap_or_default();
        let (issuer, keys) = (self.issuer_path(tenant), self.keys_path(tenant));
        vec![Published {
            metadata: vec![discovery(&issuer)],
            issuer,
            keys,
        }]
    }

    /// Members of the metadata besides the usual ones or in their place; null takes one away.
    fn metadata(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// What stands between the base and the end of the issuer of access tokens, where the metadata
    /// has another issuer and names this one beside it.
    fn access_token_issuer(&self) -> Option<&'static str> {
        None
    }

    /// Makes a JWK what it is in the key set of that issuer.
    fn dress_key(&self, _jwk: &mut Claims, _issuer: &str) {}

    /// Adds what stands in a key document besides the keys, from the name and
    /// the public half (PEM) of the key that signs.
    fn dress_key_set(&self, _set: &mut Claims, _kid: &str, _pem: &str) {}

    /// A name for the key of that number, counted from 0.
    fn kid(&self, _number: usize) -> String {
        random_text(12)
    }

    fn beside(&self) -> Beside {
        Beside::Nothing
    }

    /// The tenant for whose tokens alone the key beside is good.
    fn other_tenant(&self) -> &'static str {
        ""
    }

    /// The tenant where none is configured.
    fn tenant(&self) -> &'static str {
        ""
    }

    /// Whether every tenant has an issuer of its own, and a user's tenant decides.
    fn has_tenants(&self) -> bool {
        false
    }

    /// The audience of a client's tokens when none is configured and none is asked for.
    fn audience(&self, _client: &str, _tenant: &str) -> String {
        "api://enterprise-api".to_owned()
    }

    /// Whether clients may ask for this audience by that address.
    fn is_address_of(&self, _audience: &str, _asked: &str) -> bool {
        false
    }

    /// A user's identifier where none is configured.
    fn user_id(&self, username: &str) -> String {
        ids::uuid(username)
    }

    /// The name of a scope in a token, from the text by which clients ask for it.
    fn scope_name<'s>(&self, asked: &'s str) -> &'s str {
        asked
    }

    /// The format of access tokens where none is configured.
    fn format(&self) -> TokenFormat {
        TokenFormat::Jwt
    }

    /// A new access token that says nothing.
    fn opaque_token(&self) -> String {
        random_text(32)
    }

    /// What introspection answers about an active token.
    fn introspection(&self, issued: &IssuedAccess) -> Claims {
        let mut answer = issued.claims.clone();
        answer.extend(claims(json!({
            "active": true,
            "token_type": issued.token_type(),
            "client_id": issued.client,
            "username": issued.username,
            "scope": issued.scope,
        })));
        answer
    }

    /// Whether introspection asks nobody who they are.
    fn introspection_is_open(&self) -> bool {
        false
    }

    /// Whether there is an imitation of Microsoft Graph.
    fn has_graph(&self) -> bool {
        false
    }

    /// Whether there is `tokeninfo`, Google's endpoint in place of introspection.
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
    /// All five, the same way under one path.
    pub(crate) fn under(path: &str, names: [&str; 5]) -> Self {
        let [authorize, token, userinfo, introspect, revoke] =
            names.map(|name| (!name.is_empty()).then(|| format!("{path}{name}")));
        Self {
            authorize,
            token,
            userinfo,
            introspect,
            revoke,
        }
    }
}
