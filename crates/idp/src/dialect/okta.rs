//! Okta, a custom authorization server: scopes as an array, the client in `cid`, no `typ`.

use crate::dialect::facts::TokenFacts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, IssuerDocuments, ProviderShape, RefreshRule, discovery};
use crate::token::claims::{JsonObject, claims, with};
use crate::token::issued::IssuedAccessToken;
use crate::token::kind::FlowToken;
use serde_json::json;

pub(crate) struct Okta;

impl ProviderShape for Okta {
    fn refresh_rule(&self) -> RefreshRule {
        RefreshRule::OfflineScope
    }

    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        let token = claims(json!({
            "ver": 1,
            "jti": format!("AT.{}", facts.token_id),
            "iss": facts.issuer,
            "aud": facts.audience,
            "iat": facts.issued_at,
            "exp": facts.expires,
            "cid": facts.client,
            // An array, and no claim at all without scopes.
            "scp": facts.scope.is_some().then_some(facts.scopes()),
            "groups": facts.roles_and_groups(),
        }));
        match &facts.person {
            Some(person) => with(
                token,
                json!({
                    "uid": person.id,
                    "auth_time": facts.auth_time(),
                    "sub": facts.login(),
                }),
            ),
            None => with(token, json!({ "sub": facts.client })),
        }
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        let subject = facts.subject();
        with(
            facts.openid(subject),
            json!({
                "ver": 1,
                "jti": format!("ID.{}", facts.token_id),
                "amr": ["pwd"],
                "idp": "00oEXAMPLE",
                "auth_time": facts.auth_time(),
                "at_hash": facts.at_hash,
                "name": facts.full_name(),
                "email": facts.email(),
                "preferred_username": facts.login(),
                "groups": facts.roles_and_groups(),
            }),
        )
    }

    fn header(&self, _kind: FlowToken, _kid: &str) -> JsonObject {
        JsonObject::new()
    }

    fn issuer_path(&self, tenant: &str) -> String {
        format!("/oauth2/{tenant}")
    }

    fn keys_path(&self, tenant: &str) -> String {
        format!("/oauth2/{tenant}/v1/keys")
    }

    fn endpoints(&self, tenant: &str) -> Endpoints {
        // Everything of a custom authorization server is below its own path.
        let names = [
            "/authorize",
            "/token",
            "/userinfo",
            "/introspect",
            "/revoke",
        ];
        Endpoints::under(&format!("/oauth2/{tenant}/v1"), names)
    }

    fn documents(&self, tenants: &[String]) -> Vec<IssuerDocuments> {
        let tenant = tenants.first().map(String::as_str).unwrap_or_default();
        let issuer = self.issuer_path(tenant);
        let metadata = vec![
            discovery(&issuer),
            format!("{issuer}/.well-known/oauth-authorization-server"),
        ];
        vec![IssuerDocuments {
            metadata,
            issuer,
            keys: self.keys_path(tenant),
        }]
    }

    fn tenant(&self) -> &'static str {
        "default"
    }

    fn user_id(&self, username: &str) -> String {
        format!("00u{}", ids::letters(username, 17))
    }

    /// Without the array: scopes are one string here.
    fn introspection(&self, issued: &IssuedAccessToken) -> JsonObject {
        let mut answer = issued.claims.clone();
        // Introspection uses the names of RFC 7662 in place of these claims.
        for name in ["scp", "cid", "ver", "auth_time", "groups"] {
            answer.remove(name);
        }
        with(
            answer,
            json!({
                "active": true,
                "token_type": issued.token_type(),
                "client_id": issued.client,
                "username": issued.username.as_ref().and(issued.claims.get("sub")),
                "scope": issued.scope,
            }),
        )
    }
}
