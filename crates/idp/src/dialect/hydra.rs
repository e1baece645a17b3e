//! Ory Hydra: opaque unless told otherwise; a JWT has scopes as an array and everything else in
//! `ext`.
//!
//! Introspection is at the administrators' address and asks nobody who they are: keep it from the
//! world.

use crate::dialect::facts::TokenFacts;
use crate::dialect::shape::{Endpoints, ExtraKey, ProviderShape, RefreshRule};
use crate::token::claims::{JsonObject, claims, with};
use crate::token::encoding::random_text;
use crate::token::issued::IssuedAccessToken;
use crate::token::kind::TokenFormat;
use serde_json::{Value, json};

pub(crate) struct Hydra;

impl ProviderShape for Hydra {
    fn refresh_rule(&self) -> RefreshRule {
        RefreshRule::OfflineScope
    }

    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        // Custom claims are kept apart from the registered ones.
        let ext = claims(json!({ "roles": facts.roles_if_any(), "groups": facts.groups_if_any() }));
        claims(json!({
            "aud": [facts.audience],
            "client_id": facts.client,
            "exp": facts.expires,
            "ext": ext,
            "iat": facts.issued_at,
            "iss": facts.issuer,
            "jti": facts.guid("jti"),
            "nbf": facts.issued_at,
            "scp": facts.scopes(),
            "sub": facts.subject(),
        }))
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        with(
            facts.openid(facts.subject()),
            json!({
                "aud": [facts.audience],
                "auth_time": facts.auth_time(),
                "rat": facts.auth_time(),
                "jti": facts.guid("jti"),
                "sid": facts.session,
                "at_hash": facts.at_hash,
                "name": facts.full_name(),
                "email": facts.email(),
            }),
        )
    }

    fn keys_path(&self, _tenant: &str) -> String {
        "/.well-known/jwks.json".to_owned()
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        // An administrators' address, which a proxy must not expose.
        let introspect = "/admin/oauth2/introspect";
        Endpoints::under(
            "",
            [
                "/oauth2/auth",
                "/oauth2/token",
                "/userinfo",
                introspect,
                "/oauth2/revoke",
            ],
        )
    }

    /// Introspection is for those who know the administrators' address: it is not told.
    fn metadata(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("introspection_endpoint", Value::Null),
            ("introspection_endpoint_auth_methods_supported", Value::Null),
            ("introspection_signing_alg_values_supported", Value::Null),
        ]
    }

    fn beside(&self) -> ExtraKey {
        ExtraKey::IdTokens
    }

    fn format(&self) -> TokenFormat {
        TokenFormat::Opaque
    }

    /// One dot, so that it is neither a JWT nor plainly none.
    fn opaque_token(&self) -> String {
        format!("ory_at_{}.{}", random_text(32), random_text(32))
    }

    fn introspection(&self, issued: &IssuedAccessToken) -> JsonObject {
        let mut answer = issued.claims.clone();
        // Introspection has the scopes as one string, and never an identifier.
        for name in ["scp", "jti"] {
            answer.remove(name);
        }
        with(
            answer,
            json!({
                "active": true,
                "scope": issued.scope,
                "token_type": issued.token_type(),
                "token_use": "access_token",
            }),
        )
    }

    fn introspection_is_open(&self) -> bool {
        true
    }
}
