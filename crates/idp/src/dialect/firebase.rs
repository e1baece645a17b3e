//! Firebase Authentication: ID tokens as bearer tokens, for a project.
//!
//! There are no scopes and no tokens for clients; custom claims, such as `roles` here, stand at the
//! top level.

use crate::dialect::facts::TokenFacts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, ProviderShape};
use crate::token::claims::{JsonObject, with};
use serde_json::json;

pub(crate) struct Firebase;

impl ProviderShape for Firebase {
    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        // Firebase has no access tokens: APIs get the ID token.
        self.id_token(facts)
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        let subject = facts.subject();
        let provider = if facts.person.is_some() {
            "password"
        } else {
            "custom"
        };
        // An account without an address still has the member, but empty.
        let identities = match facts.email() {
            Some(email) => json!({ "email": [email] }),
            None => json!({}),
        };
        with(
            facts.openid(subject),
            json!({
                "auth_time": facts.auth_time(),
                "user_id": subject,
                "name": facts.full_name(),
                "email": facts.email(),
                "email_verified": facts.email_verified(),
                "firebase": { "identities": identities, "sign_in_provider": provider },
                "roles": facts.roles_if_any(),
            }),
        )
    }

    fn issuer_path(&self, tenant: &str) -> String {
        format!("/{tenant}")
    }

    fn keys_path(&self, _tenant: &str) -> String {
        // One key set for all projects: the audience alone tells them apart.
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
