//! Keycloak: roles of the realm and of each client apart, the kind of token in the claim `typ`.
//!
//! As in the real one, every user holds roles in the client `account`, which therefore stands in
//! `aud`: they are not roles of the API. The key set holds a key for encryption too.

use crate::dialect::facts::Facts;
use crate::dialect::shape::{Beside, Endpoints, Shape};
use crate::token::claims::{Claims, claims, with};
use crate::token::issued::IssuedAccess;
use serde_json::json;

pub(crate) struct Keycloak;

impl Shape for Keycloak {
    fn access_token(&self, facts: &Facts) -> Claims {
        let realm: Vec<&str> = facts
            .roles
            .iter()
            .map(String::as_str)
            .chain(["offline_access"])
            .collect();
        let token = with(
            common(facts),
            json!({
                "typ": "Bearer",
                "aud": [facts.audience, "account"],
                "allowed-origins": ["http://127.0.0.1"],
                "realm_access": { "roles": realm },
                "resource_access": { "account": { "roles": ["manage-account", "view-profile"] } },
                "scope": facts.scope.as_deref().unwrap_or("email profile"),
            }),
        );
        match &facts.person {
            Some(_) => with(token, person(facts)),
            None => with(
                token,
                json!({
                    "client_id": facts.client,
                    "clientHost": "127.0.0.1",
                    "clientAddress": "127.0.0.1",
                    "preferred_username": format!("service-account-{}", facts.client),
                }),
            ),
        }
    }

    fn id_token(&self, facts: &Facts) -> Claims {
        let token = with(
            common(facts),
            json!({
                "typ": "ID",
                "aud": facts.audience,
                "nonce": facts.nonce,
                "at_hash": facts.at_hash,
            }),
        );
        with(token, person(facts))
    }

    fn issuer_path(&self, tenant: &str) -> String {
        format!("/realms/{tenant}")
    }

    fn keys_path(&self, tenant: &str) -> String {
        format!("/realms/{tenant}/protocol/openid-connect/certs")
    }

    fn endpoints(&self, tenant: &str) -> Endpoints {
        let names = [
            "/auth",
            "/token",
            "/userinfo",
            "/token/introspect",
            "/revoke",
        ];
        Endpoints::under(&format!("/realms/{tenant}/protocol/openid-connect"), names)
    }

    fn introspection(&self, issued: &IssuedAccess) -> Claims {
        let username = issued.claims.get("preferred_username");
        with(
            issued.claims.clone(),
            json!({
                "active": true,
                "token_type": issued.token_type(),
                "client_id": issued.client,
                "username": username,
            }),
        )
    }

    fn beside(&self) -> Beside {
        Beside::Encryption
    }

    fn tenant(&self) -> &'static str {
        "acme"
    }
}

fn common(facts: &Facts) -> Claims {
    let subject = facts
        .person
        .as_ref()
        .map_or_else(|| facts.service_guid(), |person| person.id.clone());
    claims(json!({
        "exp": facts.expires,
        "iat": facts.issued_at,
        "jti": facts.guid("jti"),
        "iss": facts.issuer,
        "sub": subject,
        "azp": facts.client,
        "acr": facts.acr.as_deref().unwrap_or("1"),
    }))
}

fn person(facts: &Facts) -> serde_json::Value {
    let groups = facts
        .groups
        .iter()
        .map(|group| format!("/{group}"))
        .collect::<Vec<_>>();
    json!({
        "auth_time": facts.auth_time(),
        "sid": facts.session,
        "name": facts.person.as_ref().map(|person| &person.name),
        "preferred_username": facts.name(),
        "email": facts.email(),
        "email_verified": facts.email().map(|_| true),
        "groups": (!groups.is_empty()).then_some(groups),
    })
}
