//! Client authentication (RFC 6749, section 2.3; RFC 7523; RFC 8705).
//!
//! A request may use one method, and only the one that the client registered, if it did.

use crate::config::client::{ClientAuthentication, RegisteredClient};
use crate::endpoint::client::{assertion, certificate};
use crate::endpoint::http::basic::basic;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::state::IdpState;
use axum::http::header::AUTHORIZATION;
use std::sync::Arc;

/// The credentials of a request.
struct Credentials {
    id: String,
    secret: Option<String>,
    by: ClientAuthentication,
}

impl PostedForm {
    /// The authenticated client; a public client only names itself.
    pub(crate) fn client(&self, state: &IdpState) -> Result<Arc<RegisteredClient>, OAuthError> {
        let params = &self.params;
        if params.find("client_assertion_type").is_some()
            || params.find("client_assertion").is_some()
        {
            return self.asserted_client(state);
        }
        let credentials = self.credentials()?;
        let Some(client) = state.client(&credentials.id) else {
            return Err(OAuthError::invalid_client());
        };
        if client.danger_unchecked || self.are_good(&credentials, &client, state) {
            return Ok(client);
        }
        Err(OAuthError::invalid_client())
    }

    fn are_good(
        &self,
        credentials: &Credentials,
        client: &RegisteredClient,
        state: &IdpState,
    ) -> bool {
        // A secret beside the certificate would be a second method at once.
        if client.authenticates_by_tls() {
            return credentials.secret.is_none()
                && certificate::proves(state, &self.caller, client);
        }
        let authentic = match (&client.secret, &credentials.secret) {
            (Some(right), Some(sent)) => right.is(sent),
            // A client with a key has no secret either, but must sign: naming itself is not enough.
            (None, None) => client.is_public(),
            _ => false,
        };
        authentic && client.may_authenticate_by(credentials.by)
    }

    /// Whether the request has client credentials, good or bad.
    pub(crate) fn tells_who_asks(&self) -> bool {
        let names = ["client_id", "client_secret", "client_assertion"];
        self.caller.headers.contains_key(AUTHORIZATION)
            || names.iter().any(|name| self.params.find(name).is_some())
    }

    fn credentials(&self) -> Result<Credentials, OAuthError> {
        let secret = self.params.find("client_secret").map(str::to_owned);
        // Without the header, the form names the client, with or without its secret.
        let Some(value) = self.caller.headers.get(AUTHORIZATION) else {
            let by = match secret {
                Some(_) => ClientAuthentication::ClientSecretPost,
                None => ClientAuthentication::None,
            };
            return Ok(Credentials {
                id: self.params.need("client_id")?.to_owned(),
                secret,
                by,
            });
        };
        let (id, by_basic) = basic(value.as_bytes()).ok_or_else(OAuthError::invalid_client)?;
        if secret.is_some() {
            return Err(OAuthError::invalid_request(
                "two methods of client authentication at once",
            ));
        }
        if self
            .params
            .find("client_id")
            .is_some_and(|named| named != id)
        {
            return Err(OAuthError::invalid_request(
                "`client_id` names a different client than the credentials",
            ));
        }
        Ok(Credentials {
            id,
            secret: Some(by_basic),
            by: ClientAuthentication::ClientSecretBasic,
        })
    }

    fn asserted_client(&self, state: &IdpState) -> Result<Arc<RegisteredClient>, OAuthError> {
        let params = &self.params;
        if self.caller.headers.contains_key(AUTHORIZATION) || params.find("client_secret").is_some()
        {
            return Err(OAuthError::invalid_request(
                "two methods of client authentication at once",
            ));
        }
        if params.need("client_assertion_type")? != assertion::TYPE {
            return Err(OAuthError::invalid_request(
                "`client_assertion_type` must be the one for JWTs",
            ));
        }
        let client = assertion::client(state, params.need("client_assertion")?)?;
        // `client_id` is optional beside an assertion, but must not contradict it (RFC 7521,
        // section 4.2).
        let same = params.find("client_id").is_none_or(|id| id == client.id);
        let proven = same && client.may_authenticate_by(ClientAuthentication::PrivateKeyJwt);
        if proven {
            Ok(client)
        } else {
            Err(OAuthError::invalid_client())
        }
    }
}
