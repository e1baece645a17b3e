//! Auth0: an issuer with a final slash, and two profiles of access tokens.
//!
//! The real one gives an opaque token when no audience is asked for; here there is always a default
//! one.

use crate::dialect::facts::TokenFacts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, ProviderShape, RefreshRule};
use crate::token::claims::{JsonObject, claims, with};
use crate::token::kind::FlowToken;
use serde_json::{Value, json};

pub(crate) struct Auth0 {
    pub(crate) rfc9068: bool,
}

/// Roles reach a token only by a claim of one's own, whose name must be a URL.
const ROLES: &str = "https://example.test/roles";

impl ProviderShape for Auth0 {
    fn refresh_rule(&self) -> RefreshRule {
        RefreshRule::OfflineScope
    }

    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        let token = with(
            facts.openid(&subject(facts)),
            json!({
                "aud": audiences(facts),
                "scope": facts.scope,
                "permissions": facts.roles_if_any(),
                ROLES: facts.roles_if_any(),
            }),
        );
        // The only sign of a client's own token in this profile is its grant type.
        let grant = facts.person.is_none().then_some("client-credentials");
        with(
            token,
            match self.rfc9068 {
                true => json!({ "client_id": facts.client, "jti": facts.token_id }),
                false => json!({ "azp": facts.client, "gty": grant }),
            },
        )
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        with(
            facts.openid(&subject(facts)),
            json!({
                "sid": facts.session,
                "name": facts.full_name(),
                "nickname": facts.username(),
                "email": facts.email(),
                "email_verified": facts.email_verified(),
                "at_hash": facts.at_hash,
                ROLES: facts.roles_if_any(),
            }),
        )
    }

    fn header(&self, kind: FlowToken, _kid: &str) -> JsonObject {
        let rfc9068 = self.rfc9068 && kind == FlowToken::Access;
        claims(json!({ "typ": if rfc9068 { "at+jwt" } else { "JWT" } }))
    }

    fn issuer_path(&self, _tenant: &str) -> String {
        // The final slash is part of the issuer: validators must not trim it.
        "/".to_owned()
    }

    fn keys_path(&self, _tenant: &str) -> String {
        "/.well-known/jwks.json".to_owned()
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        Endpoints::under(
            "",
            [
                "/authorize",
                // Auth0 has no introspection endpoint.
                "/oauth/token",
                "/userinfo",
                "",
                "/oauth/revoke",
            ],
        )
    }

    fn user_id(&self, username: &str) -> String {
        format!("auth0|{}", ids::hex(username, 24))
    }
}

fn subject(facts: &TokenFacts) -> String {
    match &facts.person {
        Some(person) => person.id.clone(),
        // A client's subject cannot collide with a user's, which has a connection in front.
        None => format!("{}@clients", facts.client),
    }
}

/// With `openid`, the token is for userinfo as well.
fn audiences(facts: &TokenFacts) -> Value {
    if facts.scopes().contains(&"openid") {
        return json!([facts.audience, format!("{}/userinfo", facts.base)]);
    }
    json!(facts.audience)
}
