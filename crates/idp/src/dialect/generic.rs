//! Nobody in particular: access tokens as RFC 9068 has them, every claim under its usual name.

use crate::dialect::facts::Facts;
use crate::dialect::shape::{Endpoints, Published, Shape};
use crate::token::claims::{Claims, claims, with};
use crate::token::kind::Kind;
use serde_json::json;

pub(crate) struct Generic;

impl Shape for Generic {
    fn access_token(&self, facts: &Facts) -> Claims {
        let mut token = with(
            facts.openid(&facts.client),
            json!({
                "client_id": facts.client,
                "jti": facts.token_id,
                "scope": facts.scope,
                "auth_time": facts.signed_in_at,
                "acr": facts.acr,
                "roles": facts.roles_if_any(),
            }),
        );
        token.extend(person(facts));
        token
    }

    fn id_token(&self, facts: &Facts) -> Claims {
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

    fn header(&self, kind: Kind, _kid: &str) -> Claims {
        claims(json!({ "typ": if kind == Kind::Access { "at+jwt" } else { "JWT" } }))
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

    fn published(&self, _tenants: &[String]) -> Vec<Published> {
        let metadata = ["openid-configuration", "oauth-authorization-server"];
        let metadata = metadata.map(|name| format!("/.well-known/{name}")).to_vec();
        vec![Published {
            issuer: String::new(),
            metadata,
            keys: "/jwks".to_owned(),
        }]
    }
}

fn person(facts: &Facts) -> Claims {
    let Some(person) = &facts.person else {
        return Claims::new();
    };
    claims(json!({
        "sub": person.id,
        "oid": person.id,
        "name": person.name,
        "preferred_username": person.username,
        "email": person.email,
        "tid": (!facts.tenant.is_empty()).then_some(&facts.tenant),
        "roles": facts.roles,
        "groups": facts.groups_if_any(),
        "sid": facts.session,
    }))
}
