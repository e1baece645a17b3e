//! A token request of an authenticated client, and the tokens that answer it.

use crate::config::client::Client;
use crate::endpoint::client::dpop::Binding;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::issue::builder::TokenBuilder;
use crate::state::State;
use crate::store::Grant;
use crate::token::encoding::sha256_left_half;
use crate::token::issued::IssuedId;
use serde_json::Value;
use std::sync::Arc;

/// What every grant begins with: a client that is who it says, and what it asks for.
pub(crate) struct Ask<'r> {
    pub(crate) state: &'r Arc<State>,
    pub(crate) client: Arc<Client>,
    pub(crate) params: &'r Params,
    /// What the tokens are bound to.
    pub(crate) binding: Binding,
}

impl Ask<'_> {
    /// The tokens of a user: access and refresh, and with `openid` an ID token.
    pub(crate) fn tokens_of_user(&self, grant: &Grant, scope: &str) -> Result<Value, OAuthError> {
        let state = self.state;
        let gone = || OAuthError::invalid_grant("the user is gone");
        let user = state.user(&grant.username).ok_or_else(gone)?;
        let builder = || TokenBuilder::for_user(state, user, &grant.client).of_grant(grant);
        let cnf = || self.binding.cnf();
        let access = builder()
            .audience(&grant.audience)
            .scope(scope)
            .bound(cnf());
        let access_token = access.with_ordered_flaws().issue();
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
                let id_token = id.with_ordered_flaws().sign();
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

    pub(crate) fn answer(&self, access_token: &str, scope: &str) -> Value {
        serde_json::json!({
            "access_token": access_token,
            "token_type": self.binding.token_type(),
            "expires_in": self.state.config.access_token_lifetime,
            "scope": scope,
        })
    }
}
