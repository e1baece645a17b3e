//! Which client asks, and whether it proves that (RFC 6749, section 2.3; RFC 7523; RFC 8705).
//!
//! One way at a time, and only the one that the client is registered for, if it is for one.

use crate::config::client::{Client, ClientAuthentication};
use crate::endpoint::client::{assertion, certificate};
use crate::endpoint::http::basic::basic;
use crate::endpoint::http::caller::Form;
use crate::endpoint::http::error::OAuthError;
use crate::state::State;
use axum::http::header::AUTHORIZATION;
use std::sync::Arc;

/// What a client shows to prove who it is.
struct Shown {
    id: String,
    secret: Option<String>,
    by: ClientAuthentication,
}

impl Form {
    /// The client that asks, authenticated; a public client only names itself.
    pub(crate) fn client(&self, state: &State) -> Result<Arc<Client>, OAuthError> {
        let params = &self.params;
        if params.find("client_assertion_type").is_some()
            || params.find("client_assertion").is_some()
        {
            return self.asserted_client(state);
        }
        let shown = self.shown()?;
        let client = state
            .client(&shown.id)
            .ok_or_else(OAuthError::invalid_client)?;
        if client.danger_unchecked {
            return Ok(client);
        }
        if client.authenticates_by_tls() {
            let proven =
                shown.secret.is_none() && certificate::proves(state, &self.caller, &client);
            return if proven {
                Ok(client)
            } else {
                Err(OAuthError::invalid_client())
            };
        }
        let authentic = match (&client.secret, &shown.secret) {
            (Some(right), Some(sent)) => right.is(sent),
            (None, None) => client.is_public(),
            _ => false,
        };
        let proven = authentic && client.may_authenticate_by(shown.by);
        if proven {
            Ok(client)
        } else {
            Err(OAuthError::invalid_client())
        }
    }

    /// Whether there are credentials of a client, good or bad.
    pub(crate) fn tells_who_asks(&self) -> bool {
        let names = ["client_id", "client_secret", "client_assertion"];
        self.caller.headers.contains_key(AUTHORIZATION)
            || names.iter().any(|name| self.params.find(name).is_some())
    }

    fn shown(&self) -> Result<Shown, OAuthError> {
        let secret = self.params.find("client_secret").map(str::to_owned);
        let Some(value) = self.caller.headers.get(AUTHORIZATION) else {
            let by = match secret {
                Some(_) => ClientAuthentication::ClientSecretPost,
                None => ClientAuthentication::None,
            };
            return Ok(Shown {
                id: self.params.need("client_id")?.to_owned(),
                secret,
                by,
            });
        };
        let (id, by_basic) = basic(value.as_bytes()).ok_or_else(OAuthError::invalid_client)?;
        if secret.is_some() {
            return Err(OAuthError::invalid_request(
                "two ways of client authentication at once",
            ));
        }
        if self
            .params
            .find("client_id")
            .is_some_and(|named| named != id)
        {
            return Err(OAuthError::invalid_request(
                "`client_id` names another client than the credentials",
            ));
        }
        Ok(Shown {
            id,
            secret: Some(by_basic),
            by: ClientAuthentication::ClientSecretBasic,
        })
    }

    fn asserted_client(&self, state: &State) -> Result<Arc<Client>, OAuthError> {
        let params = &self.params;
        if self.caller.headers.contains_key(AUTHORIZATION) || params.find("client_secret").is_some()
        {
            return Err(OAuthError::invalid_request(
                "two ways of client authentication at once",
            ));
        }
        if params.need("client_assertion_type")? != assertion::TYPE {
            return Err(OAuthError::invalid_request(
                "`client_assertion_type` is not the one for JWTs",
            ));
        }
        let client = assertion::client(state, params.need("client_assertion")?)?;
        let same = params.find("client_id").is_none_or(|id| id == client.id);
        let proven = same && client.may_authenticate_by(ClientAuthentication::PrivateKeyJwt);
        if proven {
            Ok(client)
        } else {
            Err(OAuthError::invalid_client())
        }
    }
}
