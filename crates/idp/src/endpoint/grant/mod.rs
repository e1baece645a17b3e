//! The token endpoint (RFC 6749, section 3.2): one file for each grant. No password grant.

mod client_credentials;
mod code;
mod device;
mod exchange;
mod on_behalf_of;
mod refresh;

use super::caller::Form;
use super::dpop::{self, Binding};
use super::error::{OAuthError, json};
use super::params::Params;
use crate::client::Client;
use crate::dialect::Kind;
use crate::jws::sha256_left_half;
use crate::mint::TokenBuilder;
use crate::state::State;
use crate::store::{Grant, IssuedId};
use axum::extract;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

/// The grants, by their names in requests.
pub(super) fn types(state: &State) -> Vec<&'static str> {
    let mut types = vec![
        "authorization_code",
        "client_credentials",
        "refresh_token",
        DEVICE_CODE,
        TOKEN_EXCHANGE,
    ];
    types.extend(state.shape.has_graph().then_some(JWT_BEARER));
    types
}

pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(super) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What every grant begins with: a client that is who it says, and what it asks for.
struct Ask<'r> {
    state: &'r Arc<State>,
    client: Arc<Client>,
    params: &'r Params,
    /// What the tokens are bound to.
    binding: Binding,
}

pub(super) async fn token(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    dpop::with_nonce(&state, json(form.and_then(|form| answer(&state, &form))))
}

fn answer(state: &Arc<State>, form: &Form) -> Result<Value, OAuthError> {
    let client = form.client(state)?;
    let binding = form.binding(state, &client)?;
    let ask = Ask {
        state,
        client,
        params: &form.params,
        binding,
    };
    let grant_type = ask.params.need("grant_type")?;
    if !types(state).contains(&grant_type) {
        return Err(OAuthError::new(
            "unsupported_grant_type",
            "see `grant_types_supported`",
        ));
    }
    if !ask.client.may_use(grant_type) {
        return Err(OAuthError::new(
            "unauthorized_client",
            "the client may not use this grant",
        ));
    }
    match grant_type {
        "client_credentials" => client_credentials::tokens(&ask),
        "authorization_code" => code::tokens(&ask),
        "refresh_token" => refresh::tokens(&ask),
        TOKEN_EXCHANGE => exchange::tokens(&ask),
        JWT_BEARER => on_behalf_of::tokens(&ask),
        _ => device::tokens(&ask),
    }
}

impl Ask<'_> {
    /// The tokens of a user: access and refresh, and with `openid` an ID token.
    fn tokens_of_user(&self, grant: &Grant, scope: &str) -> Result<Value, OAuthError> {
        let state = self.state;
        let gone = || OAuthError::invalid_grant("the user is gone");
        let user = state.user(&grant.username).ok_or_else(gone)?;
        let builder = || TokenBuilder::for_user(state, user, &grant.client).of_grant(grant);
        let cnf = || self.binding.cnf();
        let access = builder()
            .audience(&grant.audience)
            .scope(scope)
            .bound(cnf());
        let access_token = state.flaws.on(Kind::Access, access).issue();
        state.store().join_session(grant, state.now());
        let mut answer = self.answer(&access_token, scope);
        if let Value::Object(members) = &mut answer {
            if self.client.may_use("refresh_token") {
                members.insert("refresh_token".to_owned(), self.refresh_token(grant).into());
            }
            if scope.split(' ').any(|scope| scope == "openid") {
                // The left half of the access token's digest (OpenID Connect Core, section
                // 3.1.3.6).
                let at_hash = sha256_left_half(access_token.as_bytes());
                let builder = builder().audience(&grant.client);
                let id = builder.into_id_token(grant.nonce.clone(), Some(at_hash));
                let subject = id.subject();
                let id_token = state.flaws.on(Kind::Id, id).sign();
                self.remember(&id_token, subject, grant);
                members.insert("id_token".to_owned(), id_token.into());
            }
        }
        Ok(answer)
    }

    /// Bound for a public client: one that can prove who it is needs no other proof to refresh (RFC
    /// 9449, section 5).
    fn refresh_token(&self, grant: &Grant) -> String {
        let public = self.client.is_public();
        let bound = |to: &Option<String>| to.clone().filter(|_| public);
        let (jkt, x5t) = (bound(&self.binding.jkt), bound(&self.binding.x5t));
        self.state.store().add_refresh_token(
            Grant {
                jkt,
                x5t,
                ..grant.clone()
            },
            self.state.now(),
        )
    }

    fn remember(&self, id_token: &str, subject: String, grant: &Grant) {
        let (state, now) = (self.state, self.state.now());
        let issued = IssuedId {
            client: grant.client.clone(),
            username: grant.username.clone(),
            session: grant.session.clone(),
            grant: grant.id,
            auth_time: grant.auth_time,
            subject,
            expires: now + u64::from(state.config.access_token_lifetime),
        };
        state.store().add_id_token(id_token, issued, now);
    }

    fn answer(&self, access_token: &str, scope: &str) -> Value {
        serde_json::json!({
            "access_token": access_token,
            "token_type": self.binding.token_type(),
            "expires_in": self.state.config.access_token_lifetime,
            "scope": scope,
        })
    }
}
