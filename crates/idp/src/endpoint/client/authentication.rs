//! Client authentication (RFC 6749, section 2.3; RFC 7523; RFC 8705).
//!
//! A request may use one method, and only the one that the client registered, if it did.

use crate::config::client::{ClientAuthentication, RegisteredClient};
use crate::endpoint::client::mismatch::Mismatch;
use crate::endpoint::client::{assertion, certificate};
use crate::endpoint::http::basic::basic;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::{OAuthError, printable};
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
            return Err(unknown(state, &credentials));
        };
        if !client.danger_unchecked {
            self.prove(&credentials, &client, state)?;
        }
        Ok(client)
    }

    fn prove(
        &self,
        credentials: &Credentials,
        client: &RegisteredClient,
        state: &IdpState,
    ) -> Result<(), OAuthError> {
        // A secret beside the certificate would be a second method at once.
        if client.authenticates_by_tls() {
            let proven =
                credentials.secret.is_none() && certificate::proves(state, &self.caller, client);
            let problem = "expected its certificate and no secret";
            return check(proven, client, problem);
        }
        let wrong_secret;
        let problem = match (&client.secret, &credentials.secret) {
            (Some(right), Some(sent)) if right.is(sent) => {
                let same = client.may_authenticate_by(credentials.by);
                return check(same, client, &method_problem(client, credentials.by));
            }
            (Some(_), Some(sent)) => {
                // The length alone shows a secret that was cut or quoted.
                wrong_secret = format!(
                    "expected the `secret` of its [[client]] in the settings, found another one \
                        (length {})",
                    sent.chars().count()
                );
                &wrong_secret
            }
            (Some(_), None) => {
                "expected its secret, by HTTP Basic or as `client_secret`; found none"
            }
            // A client with a key has no secret either, but must sign: naming itself is not enough.
            (None, None) if client.is_public() => {
                let same = client.may_authenticate_by(credentials.by);
                return check(same, client, &method_problem(client, credentials.by));
            }
            (None, _) if !client.is_public() => "expected an assertion signed by its key",
            (None, _) => {
                "expected no secret, as the client is public; help: send `client_id` alone, or \
                    write a `secret` into its [[client]] in the settings"
            }
        };
        check(false, client, problem)
    }

    /// Whether the request has client credentials, good or bad.
    pub(crate) fn tells_who_asks(&self) -> bool {
        let names = ["client_id", "client_secret", "client_assertion"];
        self.caller.headers.contains_key(AUTHORIZATION)
            || names
                .iter()
                .any(|name| self.params.find(name).is_some())
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
        let (id, by_basic) = basic(value.as_bytes()).ok_or_else(|| {
            let expected = "`Authorization`: expected `Basic` and id:secret in base64";
            OAuthError::invalid_client(expected)
        })?;
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
        let same = params
            .find("client_id")
            .is_none_or(|id| id == client.id);
        check(
            same,
            &client,
            "expected the same `client_id` as in the assertion",
        )?;
        let by = ClientAuthentication::PrivateKeyJwt;
        let allowed = client.may_authenticate_by(by);
        check(allowed, &client, &method_problem(&client, by))?;
        Ok(client)
    }
}

fn check(proven: bool, client: &RegisteredClient, problem: &str) -> Result<(), OAuthError> {
    if proven {
        return Ok(());
    }
    let id = printable(&client.id);
    Err(OAuthError::invalid_client(&format!(
        "client `{id}`: {problem}"
    )))
}

fn method_problem(client: &RegisteredClient, by: ClientAuthentication) -> String {
    let expected = client
        .token_endpoint_auth_method
        .map_or("any", ClientAuthentication::name);
    let found = by.name();
    format!(
        "expected `token_endpoint_auth_method` `{expected}` as in the settings, found `{found}`"
    )
}

fn unknown(state: &IdpState, credentials: &Credentials) -> OAuthError {
    // The line never repeats the secret that was sent.
    let member = match credentials.secret {
        Some(_) => ("secret", "..."),
        None => ("redirect_uris", "http://localhost:3000/callback"),
    };
    Mismatch::of_unknown_client(state, &credentials.id, member).into_error("invalid_client")
}
