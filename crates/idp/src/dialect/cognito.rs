//! Amazon Cognito user pools: access tokens without `aud`, for which the client's id stands in.
//!
//! `origin_jti` is the same in all tokens of one signing in: what revokes one, revokes all. One key
//! signs ID tokens and another access tokens, in one set; `token_use` alone tells the tokens apart.

use crate::dialect::facts::Facts;
use crate::dialect::ids;
use crate::dialect::shape::{Beside, Endpoints, Shape};
use crate::token::claims::{Claims, claims, with};
use crate::token::kind::Kind;
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

impl Shape for Cognito {
    fn access_token(&self, facts: &Facts) -> Claims {
        let token = claims(json!({
            "iss": facts.issuer,
            "version": 2,
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
                    "origin_jti": ids::uuid(&facts.session),
                    "event_id": facts.guid("event"),
                }),
            ),
            None => with(token, json!({ "sub": facts.audience })),
        }
    }

    fn id_token(&self, facts: &Facts) -> Claims {
        let subject = facts
            .person
            .as_ref()
            .map_or(&facts.client, |person| &person.id);
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
                "name": facts.person.as_ref().map(|person| &person.name),
                "email": facts.email(),
                "email_verified": facts.email().map(|_| true),
            }),
        )
    }

    fn header(&self, _kind: Kind, _kid: &str) -> Claims {
        Claims::new()
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
        SystemRandom::new().fill(&mut random).expect("randomness");
        STANDARD.encode(random)
    }

    fn beside(&self) -> Beside {
        Beside::IdTokens
    }

    fn tenant(&self) -> &'static str {
        "eu-west-1_EXAMPLE"
    }

    fn audience(&self, client: &str, _tenant: &str) -> String {
        client.to_owned()
    }

    fn scope_name<'s>(&self, asked: &'s str) -> &'s str {
        asked
            .strip_prefix(RESOURCE_SERVER)
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(asked)
    }
}

fn scope(facts: &Facts) -> String {
    let prefixed = |scope: &str| match UNPREFIXED.contains(&scope) || scope.contains('/') {
        true => scope.to_owned(),
        false => format!("{RESOURCE_SERVER}/{scope}"),
    };
    match facts.scope {
        None if facts.person.is_some() => NATIVE_SCOPE.to_owned(),
        _ => facts
            .scopes()
            .into_iter()
            .map(prefixed)
            .collect::<Vec<_>>()
            .join(" "),
    }
}
