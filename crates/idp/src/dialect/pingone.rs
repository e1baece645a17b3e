//! PingOne: the audience as an array, no subject in tokens that clients get for themselves.
//!
//! Roles and groups reach a token as attributes of the resource, under names of one's own: here
//! `roles`, `groups`.

use crate::dialect::facts::Facts;
use crate::dialect::shape::{Endpoints, Shape};
use crate::token::claims::{Claims, claims, with};
use crate::token::encoding::random_text;
use crate::token::kind::Kind;
use serde_json::json;

pub(crate) struct PingOne;

impl Shape for PingOne {
    fn access_token(&self, facts: &Facts) -> Claims {
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
            None => token,
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
                "jti": facts.guid("jti"),
                "sid": facts.session,
                "auth_time": facts.auth_time(),
                "acr": facts.acr.as_deref().unwrap_or("Single_Factor"),
                "amr": ["pwd"],
                "at_hash": facts.at_hash,
                "name": facts.person.as_ref().map(|person| &person.name),
                "preferred_username": facts.name(),
                "email": facts.email(),
                "env": facts.tenant,
                "org": "00000000-9999-4000-8000-000000000099",
            }),
        )
    }

    fn header(&self, _kind: Kind, _kid: &str) -> Claims {
        Claims::new()
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
