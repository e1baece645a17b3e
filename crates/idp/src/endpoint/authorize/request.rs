//! What is asked of the authorization endpoint, read and judged before anybody signs in (RFC 6749,
//! section 4.1.1).
//!
//! Code only, and PKCE with S256 (RFC 7636). The parameters may have been pushed before (RFC 9126).

use crate::config::client::Client;
use crate::endpoint::client::redirect_uri::is_registered;
use crate::endpoint::client::target::OPENID_SCOPES;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::state::State;
use std::sync::Arc;

/// A request that may be answered by sending the browser back to the client.
pub(crate) struct AuthorizationRequest {
    pub(crate) client: Arc<Client>,
    pub(crate) scope: String,
    pub(crate) audience: String,
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    /// `prompt`: what the client wants the user to see.
    pub(crate) prompt: Option<String>,
    /// `max_age`: how long ago the user may have signed in, in seconds.
    pub(crate) max_age: Option<u64>,
    /// `id_token_hint`: who the client believes is there.
    pub(crate) hint: Option<String>,
    /// The key to which the code is to be bound (RFC 9449, section 10): its thumbprint.
    pub(crate) dpop_jkt: Option<String>,
    /// The `request_uri` that it was pushed under.
    pub(crate) pushed: Option<String>,
    pub(crate) back: Back,
}

/// Where to send an answer, once client and redirect URI are known to be right.
#[derive(Clone)]
pub(crate) struct Back {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
}

pub(crate) enum Refusal {
    /// Told on a page: there is nobody to send it to.
    Page(&'static str),
    /// Sent back to the client.
    Back(Back, &'static str, String),
}

/// Judges the parameters, wherever they came from.
pub(crate) fn judge(state: &State, params: &Params) -> Result<AuthorizationRequest, Refusal> {
    let client = params.find("client_id").and_then(|id| state.client(id));
    let client = client.ok_or(Refusal::Page(
        "The client is unknown: `client_id` names none that is configured.",
    ))?;
    let redirect_uri = params
        .find("redirect_uri")
        .filter(|uri| is_registered(&client, uri));
    let redirect_uri = redirect_uri.ok_or(Refusal::Page(
        "The redirect URI is not one that the client registered.",
    ))?;
    let text = |name: &str| params.find(name).map(str::to_owned);
    let back = Back {
        redirect_uri: redirect_uri.to_owned(),
        state: text("state"),
    };
    let refuse =
        |error, description: &str| Refusal::Back(back.clone(), error, description.to_owned());
    check(&client, params).map_err(|(error, description)| refuse(error, description))?;
    let max_age = params.find("max_age").map(|seconds| seconds.parse::<u64>());
    let Ok(max_age) = max_age.transpose() else {
        return Err(refuse(
            "invalid_request",
            "`max_age` is no number of seconds",
        ));
    };
    let told = |error: OAuthError| refuse(error.error, &error.description);
    Ok(AuthorizationRequest {
        scope: params.scope(state, &client, &OPENID_SCOPES).map_err(told)?,
        audience: params.audience(state, &client).map_err(told)?,
        client: Arc::clone(&client),
        challenge: challenge(params).unwrap_or_default().to_owned(),
        nonce: text("nonce"),
        prompt: text("prompt"),
        max_age,
        hint: text("id_token_hint"),
        dpop_jkt: text("dpop_jkt"),
        pushed: None,
        back,
    })
}

/// What the client may not ask, or asks in a way that is not supported.
fn check(client: &Client, params: &Params) -> Result<(), (&'static str, &'static str)> {
    match params.find("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err((
                "unsupported_response_type",
                "`response_type` must be `code`",
            ));
        }
        None => return Err(("invalid_request", "`response_type` is missing")),
    }
    if !client.may_use("authorization_code") {
        return Err(("unauthorized_client", "the client may not use this grant"));
    }
    if params.find("request").is_some() || params.find("request_uri").is_some() {
        return Err(("request_not_supported", "request objects are not supported"));
    }
    if params.find("code_challenge_method") != Some("S256") || challenge(params).is_none() {
        return Err((
            "invalid_request",
            "PKCE with `code_challenge_method=S256` is required",
        ));
    }
    if params.find("dpop_jkt").is_some_and(|jkt| jkt.len() != 43) {
        return Err(("invalid_request", "`dpop_jkt` is no SHA-256 thumbprint"));
    }
    Ok(())
}

/// The challenge of PKCE (RFC 7636, section 4.2).
fn challenge(params: &Params) -> Option<&str> {
    params
        .find("code_challenge")
        .filter(|challenge| challenge.len() == 43)
}
