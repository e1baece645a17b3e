//! Okta, a custom authorization server: scopes as an array, the client in `cid`, no `typ`.

use crate::dialect::facts::Facts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, Published, Shape, discovery};
use crate::token::claims::{Claims, claims, with};
use crate::token::issued::IssuedAccess;
use crate::token::kind::Kind;
use serde_json::json;

pub(crate) struct Okta;

impl Shape for Okta {
    fn access_token(&self, facts: &Facts) -> Claims {
        let token = claims(json!({
            "ver": 1,
            "jti": format!("AT.{}", facts.token_id),
            "iss": facts.issuer,
            "aud": facts.audience,
            "iat": facts.issued_at,
            "exp": facts.expires,
            "cid": facts.client,
            "scp": facts.scope.as_ref().map(|_| facts.scopes()),
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

    fn id_token(&self, facts: &Facts) -> Claims {
        let subject = facts
            .person
            .as_ref()
            .map_or(&facts.client, |person| &person.id);
        with(
            facts.openid(subject),
            json!({
                "ver": 1,
                "jti": format!("ID.{}", facts.token_id),
                "amr": ["pwd"],
                "idp": "00oEXAMPLE",
                "auth_time": facts.auth_time(),
                "at_hash": facts.at_hash,
                "name": facts.person.as_ref().map(|person| &person.name),
                "email": facts.email(),
                "preferred_username": facts.login(),
                "groups": facts.roles_and_groups(),
            }),
        )
    }

    fn header(&self, _kind: Kind, _kid: &str) -> Claims {
        Claims::new()
    }

    fn issuer_path(&self, tenant: &str) -> String {
        format!("/oauth2/{tenant}")
    }

    fn keys_path(&self, tenant: &str) -> String {
        format!("/oauth2/{tenant}/v1/keys")
    }

    fn endpoints(&self, tenant: &str) -> Endpoints {
        let names = [
            "/authorize",
            "/token",
            "/userinfo",
            "/introspect",
            "/revoke",
        ];
        Endpoints::under(&format!("/oauth2/{tenant}/v1"), names)
    }

    fn published(&self, tenants: &[String]) -> Vec<Published> {
        let tenant = tenants.first().map(String::as_str).unwrap_or_default();
        let issuer = self.issuer_path(tenant);
        let metadata = vec![
            discovery(&issuer),
            format!("{issuer}/.well-known/oauth-authorization-server"),
        ];
        vec![Published {
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
    fn introspection(&self, issued: &IssuedAccess) -> Claims {
        let mut answer = issued.claims.clone();
        for name in ["scp", "cid", "ver", "auth_time", "groups"] {
            answer.remove(name);
        }
        with(
            answer,
            json!({
                "active": true,
                "token_type": issued.token_type(),
                "client_id": issued.client,
                "username": issued.claims.get("sub").filter(|_| issued.username.is_some()),
                "scope": issued.scope,
            }),
        )
    }
}
