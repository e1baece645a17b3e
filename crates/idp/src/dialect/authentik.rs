//! authentik: an access token is the ID token's claims with `azp` and `uid`; the audience is the
//! client.
//!
//! Scopes are in a token only by a mapping of one's own, which this imitation has; roles are
//! groups.

use crate::dialect::facts::TokenFacts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, ProviderShape, RefreshRule};
use crate::token::claims::{JsonObject, claims, with};
use serde_json::json;

pub(crate) struct Authentik;

impl ProviderShape for Authentik {
    fn refresh_rule(&self) -> RefreshRule {
        RefreshRule::OfflineScope
    }

    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        with(
            identity(facts),
            json!({
                "azp": facts.client,
                "uid": facts.token_id,
                "scope": facts.scope,
            }),
        )
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
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
        // The endpoints belong to all applications: only the issuer and the keys name one.
        Endpoints::under("/application/o", names)
    }

    fn tenant(&self) -> &'static str {
        "enterprise-api"
    }

    fn audience(&self, client: &str, _tenant: &str) -> String {
        // authentik has no separate audiences: a token is always for its client.
        client.to_owned()
    }

    /// In the usual mode, the subject is a digest.
    fn user_id(&self, username: &str) -> String {
        ids::hex(username, 64)
    }
}

fn identity(facts: &TokenFacts) -> JsonObject {
    let (subject, username) = match &facts.person {
        Some(person) => (person.id.clone(), person.username.clone()),
        // authentik makes a service account for each client that asks for itself.
        None => (
            ids::hex(&facts.client, 64),
            format!("ak-{}-client_credentials", facts.client),
        ),
    };
    let signed_in = facts.person.is_some();
    claims(json!({
        "iss": facts.issuer,
        "sub": subject,
        "aud": facts.audience,
        "exp": facts.expires,
        "iat": facts.issued_at,
        "auth_time": facts.auth_time(),
        "acr": facts.acr.as_deref().unwrap_or("goauthentik.io/providers/oauth2/default"),
        // Nobody signs in for a client.
        "amr": signed_in.then_some(["pwd"]),
        "sid": signed_in.then_some(&facts.session),
        "name": facts.full_name(),
        "preferred_username": username,
        "nickname": username,
        "email": facts.email(),
        "email_verified": facts.email_verified(),
        "groups": facts.roles_and_groups(),
    }))
}
