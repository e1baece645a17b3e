//! Firebase Authentication: ID tokens as bearer tokens, for a project.
//!
//! There are no scopes and no tokens for clients; custom claims, such as `roles` here, stand at the
//! top level.

use crate::dialect::facts::Facts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, Shape};
use crate::token::claims::{Claims, with};
use serde_json::json;

pub(crate) struct Firebase;

impl Shape for Firebase {
    fn access_token(&self, facts: &Facts) -> Claims {
        self.id_token(facts)
    }

    fn id_token(&self, facts: &Facts) -> Claims {
        let subject = facts
            .person
            .as_ref()
            .map_or(&facts.client, |person| &person.id);
        let provider = if facts.person.is_some() {
            "password"
        } else {
            "custom"
        };
        let identities = match facts.email() {
            Some(email) => json!({ "email": [email] }),
            None => json!({}),
        };
        with(
            facts.openid(subject),
            json!({
                "auth_time": facts.auth_time(),
                "user_id": subject,
                "name": facts.person.as_ref().map(|person| &person.name),
                "email": facts.email(),
                "email_verified": facts.email().map(|_| true),
                "firebase": { "identities": identities, "sign_in_provider": provider },
                "roles": facts.roles_if_any(),
            }),
        )
    }

    fn issuer_path(&self, tenant: &str) -> String {
        format!("/{tenant}")
    }

    fn keys_path(&self, _tenant: &str) -> String {
        "/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com".to_owned()
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        Endpoints::default()
    }

    fn tenant(&self) -> &'static str {
        "example-project"
    }

    fn audience(&self, _client: &str, tenant: &str) -> String {
        tenant.to_owned()
    }

    fn user_id(&self, username: &str) -> String {
        ids::letters(username, 28)
    }
}
