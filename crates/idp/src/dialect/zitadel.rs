//! ZITADEL: opaque unless told otherwise; a JWT has no scopes, and the roles are the members of an
//! object.
//!
//! The audience holds the client and its project, which is what an API compares with.

use crate::dialect::facts::TokenFacts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, ProviderShape, RefreshRule};
use crate::token::claims::{JsonObject, claims, with};
use crate::token::kind::TokenFormat;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(crate) struct Zitadel;

const ORGANIZATION: &str = "100000000000000009";

const ROLES: &str = "urn:zitadel:iam:org:project:roles";

const OWNER: &str = "urn:zitadel:iam:user:resourceowner:id";

impl ProviderShape for Zitadel {
    fn refresh_rule(&self) -> RefreshRule {
        RefreshRule::OfflineScope
    }

    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        with(
            roles(facts),
            json!({
                "iss": facts.issuer,
                "sub": subject(facts),
                // The project is in the audience beside the client, so an API can check either.
                "aud": [facts.client, facts.audience],
                "exp": facts.expires,
                "iat": facts.issued_at,
                "nbf": facts.issued_at,
                "jti": ids::digits(&facts.token_id, 18),
                "client_id": facts.client,
                OWNER: ORGANIZATION,
            }),
        )
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        // A set, because client and project may be configured alike.
        let all = BTreeSet::from([&facts.client, &facts.audience, &facts.tenant]);
        let mut token = with(
            facts.openid(&subject(facts)),
            json!({
                "aud": all,
                "azp": facts.client,
                "client_id": facts.client,
                "auth_time": facts.auth_time(),
                "amr": ["pwd"],
                "at_hash": facts.at_hash,
                "sid": facts.session,
                "name": facts.full_name(),
                "preferred_username": facts.login(),
                "email": facts.email(),
                "email_verified": facts.email_verified(),
            }),
        );
        token.extend(roles(facts));
        token
    }

    fn keys_path(&self, _tenant: &str) -> String {
        "/oauth/v2/keys".to_owned()
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        let userinfo = Some("/oidc/v1/userinfo".to_owned());
        Endpoints {
            userinfo,
            ..Endpoints::under(
                "/oauth/v2",
                ["/authorize", "/token", "", "/introspect", "/revoke"],
            )
        }
    }

    /// The project, as far as there is a word for it that all providers share.
    fn tenant(&self) -> &'static str {
        "100000000000000001"
    }

    fn audience(&self, _client: &str, tenant: &str) -> String {
        tenant.to_owned()
    }

    fn user_id(&self, username: &str) -> String {
        ids::digits(username, 18)
    }

    fn format(&self) -> TokenFormat {
        TokenFormat::Opaque
    }
}

fn subject(facts: &TokenFacts) -> String {
    match &facts.person {
        Some(person) => person.id.clone(),
        None => ids::digits(&facts.client, 18),
    }
}

/// Each role, and in which organization the user holds it; once for this project, once with its
/// number.
fn roles(facts: &TokenFacts) -> JsonObject {
    if facts.roles.is_empty() {
        return JsonObject::new();
    }
    let held = |role: &String| (role.clone(), json!({ ORGANIZATION: "org.example.test" }));
    let roles = Value::Object(facts.roles.iter().map(held).collect());
    // The second claim names the project, for APIs that serve several.
    let of_project = format!("urn:zitadel:iam:org:project:{}:roles", facts.tenant);
    claims(json!({ ROLES: roles, of_project: roles }))
}
