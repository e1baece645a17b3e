//! authentik: an access token is the ID token's claims with `azp` and `uid`; the audience is the
//! client.
//!
//! Scopes are in a token only by a mapping of one's own, which this imitation has; roles are
//! groups.

use crate::dialect::facts::Facts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, Shape};
use crate::token::claims::{Claims, claims, with};
use serde_json::json;

pub(crate) struct Authentik;

impl Shape for Authentik {
    fn access_token(&self, facts: &Facts) -> Claims {
        with(
            identity(facts),
            json!({
                "azp": facts.client,
                "uid": facts.token_id,
                "scope": facts.scope,
            }),
        )
    }

    fn id_token(&self, facts: &Facts) -> Claims {
        with(
            identity(facts),
            json!({ "nonce": facts.nonce, "at_hash": facts.at_hash }),
        )
    }

    fn issuer_path(&self, tenant: &str) -> String {
        format!("/application/o/{tenant}/")
    }

    fn keys_path(&self, tenant: &str) -> String {
        format!("/application/o/{tenant}/jwks/")
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        let names = [
            "/authorize/",
            "/token/",
            "/userinfo/",
            "/introspect/",
            "/revoke/",
        ];
        Endpoints::under("/application/o", names)
    }

    fn tenant(&self) -> &'static str {
        "enterprise-api"
    }

    fn audience(&self, client: &str, _tenant: &str) -> String {
        client.to_owned()
    }

    /// In the usual mode, the subject is a digest.
    fn user_id(&self, username: &str) -> String {
        ids::hex(username, 64)
    }
}

fn identity(facts: &Facts) -> Claims {
    let subject = facts
        .person
        .as_ref()
        .map_or_else(|| ids::hex(&facts.client, 64), |person| person.id.clone());
    let service = format!("ak-{}-client_credentials", facts.client);
    let username = facts
        .person
        .as_ref()
        .map_or(&service, |person| &person.username);
    claims(json!({
        "iss": facts.issuer,
        "sub": subject,
        "aud": facts.audience,
        "exp": facts.expires,
        "iat": facts.issued_at,
        "auth_time": facts.auth_time(),
        "acr": facts.acr.as_deref().unwrap_or("goauthentik.io/providers/oauth2/default"),
        // Nobody signs in for a client.
        "amr": facts.person.as_ref().map(|_| ["pwd"]),
        "sid": facts.person.as_ref().map(|_| &facts.session),
        "name": facts.person.as_ref().map(|person| &person.name),
        "preferred_username": username,
        "nickname": username,
        "email": facts.email(),
        "email_verified": facts.email().map(|_| true),
        "groups": facts.roles_and_groups(),
    }))
}
