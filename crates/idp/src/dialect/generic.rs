//! Nobody in particular: access tokens as RFC 9068 has them, every claim under its usual name.

use crate::dialect::facts::TokenFacts;
use crate::dialect::shape::{Endpoints, IssuerDocuments, ProviderShape};
use crate::token::claims::{JsonObject, claims, with};
use crate::token::kind::FlowToken;
use serde_json::json;

pub(crate) struct Generic;

impl ProviderShape for Generic {
    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        let mut token = with(
            facts.openid(&facts.client),
            json!({
                "client_id": facts.client,
                "jti": facts.token_id,
                "scope": facts.scope,
                // Only if a flow saw the sign-in: RFC 9068 makes both claims optional.
                "auth_time": facts.signed_in_at,
                "acr": facts.acr,
                "roles": facts.roles_if_any(),
            }),
        );
        token.extend(person(facts));
        token
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        let mut token = with(
            facts.openid(&facts.client),
            json!({
                "azp": facts.client,
                "jti": facts.token_id,
                "auth_time": facts.signed_in_at,
                "acr": facts.acr,
                "at_hash": facts.at_hash,
            }),
        );
        token.extend(person(facts));
        token
    }

    fn header(&self, kind: FlowToken, _kid: &str) -> JsonObject {
        claims(json!({ "typ": if kind == FlowToken::Access { "at+jwt" } else { "JWT" } }))
    }

    fn keys_path(&self, _tenant: &str) -> String {
        "/jwks".to_owned()
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        Endpoints::under(
            "",
            [
                "/authorize",
                "/token",
                "/userinfo",
                "/introspect",
                "/revoke",
            ],
        )
    }

    fn documents(&self, _tenants: &[String]) -> Vec<IssuerDocuments> {
        // Both well-known names (RFC 8414, section 5), for clients that know only one.
        let metadata = ["openid-configuration", "oauth-authorization-server"];
        let metadata = metadata
            .map(|name| format!("/.well-known/{name}"))
            .to_vec();
        vec![IssuerDocuments {
            issuer: String::new(),
            metadata,
            keys: "/jwks".to_owned(),
        }]
    }
}

fn person(facts: &TokenFacts) -> JsonObject {
    let Some(person) = &facts.person else {
        return JsonObject::new();
    };
    claims(json!({
        "sub": person.id,
        "oid": person.id,
        "name": person.name,
        "preferred_username": person.username,
        "email": person.email,
        // Only with a configured tenant: the generic dialect has none of its own.
        "tid": (!facts.tenant.is_empty()).then_some(&facts.tenant),
        "roles": facts.roles,
        "groups": facts.groups_if_any(),
        "sid": facts.session,
    }))
}
