//! Keycloak: roles of the realm and of each client apart, the kind of token in the claim `typ`.
//!
//! As in the real one, every user holds roles in the client `account`, which therefore stands in
//! `aud`: they are not roles of the API. The key set holds a key for encryption too.

use crate::dialect::facts::TokenFacts;
use crate::dialect::shape::{Endpoints, ExtraKey, ProviderShape};
use crate::token::claims::{JsonObject, claims, with};
use crate::token::issued::IssuedAccessToken;
use serde_json::json;

pub(crate) struct Keycloak;

impl ProviderShape for Keycloak {
    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        let realm: Vec<&str> = facts
            .roles
            .iter()
            .map(String::as_str)
            // A default role of every realm: an API must not take it for a permission.
            .chain(["offline_access"])
            .collect();
        let token = with(
            common(facts),
            json!({
                "typ": "Bearer",
                // `account` is there because every user has roles in that client.
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
                    // Of the host that asked: always this machine.
                    "clientHost": "127.0.0.1",
                    "clientAddress": "127.0.0.1",
                    "preferred_username": format!("service-account-{}", facts.client),
                }),
            ),
        }
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
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

    fn introspection(&self, issued: &IssuedAccessToken) -> JsonObject {
        // Keycloak repeats the name under the member of RFC 7662.
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

    fn beside(&self) -> ExtraKey {
        ExtraKey::Encryption
    }

    fn tenant(&self) -> &'static str {
        "acme"
    }
}

fn common(facts: &TokenFacts) -> JsonObject {
    // A client's service account is a user of its own, with a UUID for its subject.
    let subject = match &facts.person {
        Some(person) => person.id.clone(),
        None => facts.service_guid(),
    };
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

fn person(facts: &TokenFacts) -> serde_json::Value {
    let groups = facts
        .groups
        .iter()
        .map(|group| format!("/{group}"))
        .collect::<Vec<_>>();
    json!({
        "auth_time": facts.auth_time(),
        "sid": facts.session,
        "name": facts.full_name(),
        "preferred_username": facts.name(),
        "email": facts.email(),
        "email_verified": facts.email_verified(),
        "groups": (!groups.is_empty()).then_some(groups),
    })
}
