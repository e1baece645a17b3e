//! Google: access tokens are opaque, and the JWTs that APIs see are ID tokens.
//!
//! ID tokens hold neither scopes nor roles. Instead of introspection there is `tokeninfo`.

use crate::dialect::facts::TokenFacts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, ProviderShape, RefreshRule};
use crate::token::claims::{JsonObject, with};
use crate::token::encoding::random_text;
use crate::token::kind::TokenFormat;
use serde_json::json;

pub(crate) struct Google;

impl ProviderShape for Google {
    fn refresh_rule(&self) -> RefreshRule {
        RefreshRule::OfflineAccessType
    }

    /// Where a JWT is wanted all the same, it is an ID token: there is nothing else to imitate.
    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        self.id_token(facts)
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        let Some(person) = &facts.person else {
            return service_account(facts);
        };
        with(
            facts.openid(&person.id),
            json!({
                "azp": facts.client,
                "at_hash": facts.at_hash,
                "email": person.email,
                "email_verified": facts.email_verified(),
                // Google's claim for the Workspace domain; APIs restrict access by it.
                "hd": person.email.as_deref().and_then(|email| email.rsplit('@').next()),
                "name": person.name,
            }),
        )
    }

    fn keys_path(&self, _tenant: &str) -> String {
        "/oauth2/v3/certs".to_owned()
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        Endpoints::under(
            "",
            ["/o/oauth2/v2/auth", "/token", "/v1/userinfo", "", "/revoke"],
        )
    }

    fn audience(&self, client: &str, _tenant: &str) -> String {
        client.to_owned()
    }

    fn user_id(&self, username: &str) -> String {
        ids::digits(username, 21)
    }

    fn format(&self) -> TokenFormat {
        TokenFormat::Opaque
    }

    fn opaque_token(&self) -> String {
        // The prefix lets secret scanners recognize a leaked token.
        format!("ya29.{}", random_text(48))
    }

    fn has_tokeninfo(&self) -> bool {
        true
    }
}

/// A service account's ID token: number, address, and the number again as `azp`.
fn service_account(facts: &TokenFacts) -> JsonObject {
    // A service account is known by a number; its address can change.
    let number = ids::digits(&facts.client, 21);
    with(
        facts.openid(&number),
        json!({
            "azp": number,
            "email": format!("{}@example.iam.gserviceaccount.test", facts.client),
            "email_verified": true,
        }),
    )
}
