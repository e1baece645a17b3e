//! Auth0: an issuer with a final slash, and two profiles of access tokens.
//!
//! The real one gives an opaque token when no audience is asked for; here there is always a default
//! one.

use crate::dialect::facts::Facts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, Shape};
use crate::token::claims::{Claims, claims, with};
use crate::token::kind::Kind;
use serde_json::{Value, json};

pub(crate) struct Auth0 {
    pub(crate) rfc9068: bool,
}

/// Roles reach a token only by a claim of one's own, whose name must be a URL.
const ROLES: &str = "https://example.test/roles";

impl Shape for Auth0 {
    fn access_token(&self, facts: &Facts) -> Claims {
        let token = with(
            facts.openid(&subject(facts)),
            json!({
                "aud": audiences(facts),
                "scope": facts.scope,
                "permissions": facts.roles_if_any(),
                ROLES: facts.roles_if_any(),
            }),
        );
        let grant = facts.person.is_none().then_some("client-credentials");
        with(
            token,
            match self.rfc9068 {
                true => json!({ "client_id": facts.client, "jti": facts.token_id }),
                false => json!({ "azp": facts.client, "gty": grant }),
            },
        )
    }

    fn id_token(&self, facts: &Facts) -> Claims {
        with(
            facts.openid(&subject(facts)),
            json!({
                "sid": facts.session,
                "name": facts.person.as_ref().map(|person| &person.name),
                "nickname": facts.person.as_ref().map(|person| &person.username),
                "email": facts.email(),
                "email_verified": facts.email().map(|_| true),
                "at_hash": facts.at_hash,
                ROLES: facts.roles_if_any(),
            }),
        )
    }

    fn header(&self, kind: Kind, _kid: &str) -> Claims {
        let rfc9068 = self.rfc9068 && kind == Kind::Access;
        claims(json!({ "typ": if rfc9068 { "at+jwt" } else { "JWT" } }))
    }

    fn issuer_path(&self, _tenant: &str) -> String {
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

fn subject(facts: &Facts) -> String {
    match &facts.person {
        Some(person) => person.id.clone(),
        None => format!("{}@clients", facts.client),
    }
}

/// With `openid`, the token is for userinfo as well.
fn audiences(facts: &Facts) -> Value {
    if facts.scopes().contains(&"openid") {
        return json!([facts.audience, format!("{}/userinfo", facts.base)]);
    }
    json!(facts.audience)
}
