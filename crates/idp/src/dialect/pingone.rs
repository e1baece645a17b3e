//! PingOne: the audience as an array, no subject in tokens that clients get for themselves.
//!
//! Roles and groups reach a token as attributes of the resource, under names of one's own: here
//! `roles`, `groups`.

use crate::dialect::facts::TokenFacts;
use crate::dialect::shape::{Endpoints, ProviderShape};
use crate::token::claims::{JsonObject, claims, with};
use crate::token::encoding::random_text;
use crate::token::kind::FlowToken;
use serde_json::json;

pub(crate) struct PingOne;

impl ProviderShape for PingOne {
    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        let token = claims(json!({
            "client_id": facts.client,
            "iss": facts.issuer,
            "jti": facts.guid("jti"),
            "iat": facts.issued_at,
            "exp": facts.expires,
            "aud": [facts.audience],
            "scope": facts.scope,
            "env": facts.tenant,
            "org": "00000000-9999-4000-8000-000000000099",
            "roles": facts.roles_if_any(),
            "groups": facts.groups_if_any(),
        }));
        match &facts.person {
            Some(person) => with(
                token,
                json!({
                    "sub": person.id,
                    "sid": facts.session,
                    "auth_time": facts.auth_time(),
                    "acr": facts.acr.as_deref().unwrap_or("Single_Factor"),
                }),
            ),
            // No subject: the client is named by `client_id` alone.
            None => token,
        }
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        let subject = facts.subject();
        with(
            facts.openid(subject),
            json!({
                "jti": facts.guid("jti"),
                "sid": facts.session,
                "auth_time": facts.auth_time(),
                "acr": facts.acr.as_deref().unwrap_or("Single_Factor"),
                "amr": ["pwd"],
                "at_hash": facts.at_hash,
                "name": facts.full_name(),
                "preferred_username": facts.name(),
                "email": facts.email(),
                "env": facts.tenant,
                "org": "00000000-9999-4000-8000-000000000099",
            }),
        )
    }

    fn header(&self, _kind: FlowToken, _kid: &str) -> JsonObject {
        JsonObject::new()
    }

    fn issuer_path(&self, tenant: &str) -> String {
        format!("/{tenant}/as")
    }

    fn keys_path(&self, tenant: &str) -> String {
        format!("/{tenant}/as/jwks")
    }

    fn endpoints(&self, tenant: &str) -> Endpoints {
        let names = [
            "/authorize",
            "/token",
            "/userinfo",
            "/introspect",
            "/revoke",
        ];
        Endpoints::under(&format!("/{tenant}/as"), names)
    }

    /// The first key of an environment has a name that anybody can guess.
    fn kid(&self, number: usize) -> String {
        // Only rotated keys get a random name.
        if number == 0 {
            "default".to_owned()
        } else {
            random_text(12)
        }
    }

    fn tenant(&self) -> &'static str {
        "00000000-ffff-4000-8000-0000000000f1"
    }
}
