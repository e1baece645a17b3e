//! A token request of an authenticated client, and the tokens that answer it.

use crate::config::client::RegisteredClient;
use crate::config::user::User;
use crate::endpoint::client::dpop::Binding;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::issue::builder::TokenBuilder;
use crate::state::IdpState;
use crate::store::UserGrant;
use crate::token::encoding::sha256_left_half;
use crate::token::issued::IssuedIdToken;
use serde_json::Value;
use std::sync::Arc;

/// A token request, once its client is authenticated.
pub(crate) struct GrantRequest<'r> {
    pub(crate) state: &'r Arc<IdpState>,
    pub(crate) client: Arc<RegisteredClient>,
    pub(crate) params: &'r Params,
    /// The binding of the tokens.
    pub(crate) binding: Binding,
}

impl GrantRequest<'_> {
    /// The tokens of a user: access and refresh, and with `openid` an ID token.
    pub(crate) fn tokens_of_user(
        &self,
        grant: &UserGrant,
        scope: &str,
    ) -> Result<Value, OAuthError> {
        let state = self.state;
        let Some(user) = state.user(&grant.username) else {
            return Err(OAuthError::invalid_grant("the user no longer exists"));
        };
        let access_token = TokenBuilder::for_user(state, &user, &grant.client)
            .of_grant(grant)
            .audience(&grant.audience)
            .scope(scope)
            .bind(self.binding.cnf())
            .with_ordered_flaws()
            .issue();
        state.store().join_session(grant, state.now());
        let mut answer = self.answer(&access_token, scope);
        if let Value::Object(members) = &mut answer {
            if grant.offline && self.client.may_use("refresh_token") {
                members.insert("refresh_token".to_owned(), self.refresh_token(grant).into());
            }
            if scope.split(' ').any(|scope| scope == "openid") {
                let id_token = self.id_token(&user, grant, &access_token);
                members.insert("id_token".to_owned(), id_token.into());
            }
        }
        Ok(answer)
    }

    fn id_token(&self, user: &User, grant: &UserGrant, access_token: &str) -> String {
        // Binds the two tokens to each other (OpenID Connect Core, section 3.1.3.6).
        let at_hash = sha256_left_half(access_token.as_bytes());
        let id_token = TokenBuilder::for_user(self.state, user, &grant.client)
            .of_grant(grant)
            .audience(&grant.client)
            .into_id_token(grant.nonce.clone(), Some(at_hash))
            .lifetime(self.state.config.id_token_lifetime());
        // Read before a flaw can change it: a hint names the true user.
        let subject = id_token.subject();
        let id_token = id_token.with_ordered_flaws().sign();
        self.remember(&id_token, subject, grant);
        id_token
    }

    /// A refresh token, bound for a public client only: a client that authenticates needs no other
    /// proof to refresh (RFC 9449, section 5).
    fn refresh_token(&self, grant: &UserGrant) -> String {
        let public = self.client.is_public();
        let bound = UserGrant {
            jkt: self.binding.jkt.clone().filter(|_| public),
            x5t: self.binding.x5t.clone().filter(|_| public),
            ..grant.clone()
        };
        let life = (self.state.config.refresh_token_lifetime, self.state.now());
        self.state.store().add_refresh_token(bound, life)
    }

    fn remember(&self, id_token: &str, subject: String, grant: &UserGrant) {
        let (state, now) = (self.state, self.state.now());
        let issued = IssuedIdToken {
            client: grant.client.clone(),
            username: grant.username.clone(),
            session: grant.session.clone(),
            grant: grant.id,
            auth_time: grant.auth_time,
            subject,
            expires: now + u64::from(state.config.id_token_lifetime()),
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
