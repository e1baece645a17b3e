//! Amazon Cognito user pools: access tokens without `aud`, for which the client's id stands in.
//!
//! `origin_jti` is the same in all tokens of one signing in: what revokes one, revokes all. One key
//! signs ID tokens and another access tokens, in one set; `token_use` alone tells the tokens apart.

use crate::dialect::facts::TokenFacts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, ExtraKey, ProviderShape};
use crate::token::claims::{JsonObject, claims, with};
use crate::token::kind::FlowToken;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

pub(crate) struct Cognito;

/// Scopes of one's own stand behind the name of the resource server that has them.
const RESOURCE_SERVER: &str = "enterprise-api";

/// What a user's token holds when no scope was asked for.
const NATIVE_SCOPE: &str = "aws.cognito.signin.user.admin";

const UNPREFIXED: [&str; 5] = ["openid", "profile", "email", "phone", NATIVE_SCOPE];

impl ProviderShape for Cognito {
    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        let token = claims(json!({
            "iss": facts.issuer,
            "version": 2,
            // There is no `aud`: a validator compares this claim with its own audience.
            "client_id": facts.audience,
            "token_use": "access",
            "scope": scope(facts),
            "auth_time": facts.auth_time(),
            "exp": facts.expires,
            "iat": facts.issued_at,
            "jti": facts.guid("jti"),
        }));
        match &facts.person {
            Some(person) => with(
                token,
                json!({
                    "sub": person.id,
                    "username": person.username,
                    "cognito:groups": facts.roles_and_groups(),
                    // Derived from the session, so that all tokens of one sign-in share it.
                    "origin_jti": ids::uuid(&facts.session),
                    "event_id": facts.guid("event"),
                }),
            ),
            None => with(token, json!({ "sub": facts.audience })),
        }
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        let subject = facts.subject();
        with(
            facts.openid(subject),
            json!({
                "token_use": "id",
                "cognito:username": facts.name(),
                "cognito:groups": facts.roles_and_groups(),
                "auth_time": facts.auth_time(),
                "origin_jti": ids::uuid(&facts.session),
                "event_id": facts.guid("event"),
                "jti": facts.guid("jti"),
                "at_hash": facts.at_hash,
                "name": facts.full_name(),
                "email": facts.email(),
                "email_verified": facts.email_verified(),
            }),
        )
    }

    fn header(&self, _kind: FlowToken, _kid: &str) -> JsonObject {
        // Not even `typ`: only `token_use` tells the kinds of token apart.
        JsonObject::new()
    }

    fn issuer_path(&self, tenant: &str) -> String {
        format!("/{tenant}")
    }

    fn keys_path(&self, tenant: &str) -> String {
        format!("/{tenant}/.well-known/jwks.json")
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        Endpoints::under(
            "/oauth2",
            ["/authorize", "/token", "/userInfo", "", "/revoke"],
        )
    }

    /// 32 bytes in the standard alphabet: `+`, `/`, and always a final `=`.
    #[expect(
        clippy::expect_used,
        reason = "without randomness nothing here is safe"
    )]
    fn kid(&self, _number: usize) -> String {
        let mut random = [0; 32];
        SystemRandom::new()
            .fill(&mut random)
            .expect("randomness");
        // A `kid` that is not URL-safe trips code that takes it for a file name or a path.
        STANDARD.encode(random)
    }

    fn beside(&self) -> ExtraKey {
        ExtraKey::IdTokens
    }

    fn tenant(&self) -> &'static str {
        "eu-west-1_EXAMPLE"
    }

    fn audience(&self, client: &str, _tenant: &str) -> String {
        client.to_owned()
    }

    fn scope_name<'s>(&self, asked: &'s str) -> &'s str {
        match asked.split_once('/') {
            Some((RESOURCE_SERVER, name)) => name,
            _ => asked,
        }
    }
}

fn scope(facts: &TokenFacts) -> String {
    if facts.scope.is_none() && facts.person.is_some() {
        return NATIVE_SCOPE.to_owned();
    }
    let scopes: Vec<String> = facts.scopes().into_iter().map(prefix).collect();
    scopes.join(" ")
}

/// A custom scope behind the name of its resource server, as Cognito writes it.
fn prefix(scope: &str) -> String {
    if UNPREFIXED.contains(&scope) || scope.contains('/') {
        scope.to_owned()
    } else {
        format!("{RESOURCE_SERVER}/{scope}")
    }
}
