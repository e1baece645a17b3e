//! Cloudflare Access application tokens. The real one sends them as `Cf-Access-Jwt-Assertion`.
//!
//! There is no metadata and there are no scopes; a service's token has an empty subject. The key
//! document has certificates besides the key set, which nobody needs; here a public key stands in
//! their place.

use crate::dialect::facts::TokenFacts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, IssuerDocuments, ProviderShape};
use crate::token::claims::{JsonObject, claims, with};
use serde_json::json;

pub(crate) struct Cloudflare;

impl ProviderShape for Cloudflare {
    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        let token = claims(json!({
            "type": "app",
            "aud": [facts.audience],
            "exp": facts.expires,
            "iat": facts.issued_at,
            "iss": facts.issuer,
        }));
        // A service token has no subject: the name of its credential is all that there is.
        let Some(person) = &facts.person else {
            return with(
                token,
                json!({ "common_name": format!("{}.access", facts.client), "sub": "" }),
            );
        };
        let custom =
            claims(json!({ "roles": facts.roles_if_any(), "groups": facts.groups_if_any() }));
        with(
            token,
            json!({
                "nbf": facts.issued_at,
                "sub": person.id,
                "email": person.email,
                "country": "DE",
                "identity_nonce": facts.token_id,
                // Claims of the identity provider behind Access are grouped under one member.
                "custom": (!custom.is_empty()).then_some(custom),
            }),
        )
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        with(self.access_token(facts), json!({ "nonce": facts.nonce }))
    }

    fn keys_path(&self, _tenant: &str) -> String {
        "/cdn-cgi/access/certs".to_owned()
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        Endpoints::default()
    }

    fn documents(&self, _tenants: &[String]) -> Vec<IssuerDocuments> {
        vec![IssuerDocuments {
            // No metadata: a resource server has to be told where the keys are.
            issuer: String::new(),
            metadata: Vec::new(),
            keys: self.keys_path(""),
        }]
    }

    fn dress_key_set(&self, set: &mut JsonObject, kid: &str, pem: &str) {
        let certificate = json!({ "kid": kid, "cert": pem });
        set.insert("public_certs".to_owned(), json!([certificate]));
        set.insert("public_cert".to_owned(), certificate);
    }

    /// The tag of an application.
    fn audience(&self, _client: &str, _tenant: &str) -> String {
        ids::hex("enterprise-api", 64)
    }
}
