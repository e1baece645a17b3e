//! A request to the authorization endpoint, checked before anybody signs in (RFC 6749, section
//! 4.1.1).
//!
//! Code only, and PKCE with S256 (RFC 7636). The parameters may have been pushed before (RFC 9126).

use crate::config::client::RegisteredClient;
use crate::endpoint::client::redirect_uri::is_registered;
use crate::endpoint::client::target::OPENID_SCOPES;
use crate::endpoint::http::params::Params;
use crate::state::IdpState;
use std::sync::Arc;

/// The length of a SHA-256 digest in base64url.
const SHA256_LENGTH: usize = 43;

/// A request that may be answered by sending the browser back to the client.
pub(crate) struct CodeRequest {
    pub(crate) client: Arc<RegisteredClient>,
    pub(crate) scope: String,
    pub(crate) audience: String,
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    /// `prompt`: whether the client wants a page.
    pub(crate) prompt: Option<String>,
    /// `max_age`: how long ago the user may have signed in, in seconds.
    pub(crate) max_age: Option<u64>,
    /// `id_token_hint`: the user that the client expects.
    pub(crate) hint: Option<String>,
    /// The key to which the code is to be bound (RFC 9449, section 10): its thumbprint.
    pub(crate) dpop_jkt: Option<String>,
    /// The `request_uri` that it was pushed under.
    pub(crate) pushed: Option<String>,
    pub(crate) back: ReturnAddress,
}

/// Where the browser returns to; the client registered it.
#[derive(Clone)]
pub(crate) struct ReturnAddress {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
}

pub(crate) enum AuthorizationRefusal {
    /// Shown on a page: there is no address to return to.
    Page(&'static str),
    /// Sent back to the client.
    Back(ReturnAddress, &'static str, String),
}

/// Checks the parameters, pushed or not.
pub(crate) fn judge(
    state: &IdpState,
    params: &Params,
) -> Result<CodeRequest, AuthorizationRefusal> {
    let client = state.client(params.find("client_id").unwrap_or_default());
    let Some(client) = client else {
        return Err(AuthorizationRefusal::Page(
            "Unknown client: no client is configured under this `client_id`.",
        ));
    };
    // An error must not go to an address that the client did not register (RFC 9700, section 4.11).
    let back = match params.find("redirect_uri") {
        Some(uri) if is_registered(&client, uri) => ReturnAddress {
            redirect_uri: uri.to_owned(),
            state: copy_of(params, "state"),
        },
        _ => {
            return Err(AuthorizationRefusal::Page(
                "The client did not register this `redirect_uri`.",
            ));
        }
    };
    check(&client, params).map_err(|(error, why)| back.refuse(error, why))?;
    let max_age = match params.find("max_age").map(str::parse::<u64>) {
        Some(Err(_)) => {
            return Err(back.refuse("invalid_request", "`max_age` is not a number of seconds"));
        }
        Some(Ok(seconds)) => Some(seconds),
        None => None,
    };
    let scope = params.scope(state, &client, &OPENID_SCOPES);
    let audience = params.audience(state, &client);
    Ok(CodeRequest {
        scope: scope.map_err(|error| back.refuse(error.error, &error.description))?,
        audience: audience.map_err(|error| back.refuse(error.error, &error.description))?,
        client,
        challenge: challenge(params).unwrap_or_default().to_owned(),
        nonce: copy_of(params, "nonce"),
        prompt: copy_of(params, "prompt"),
        max_age,
        hint: copy_of(params, "id_token_hint"),
        dpop_jkt: copy_of(params, "dpop_jkt"),
        pushed: None,
        back,
    })
}

impl ReturnAddress {
    fn refuse(&self, error: &'static str, description: &str) -> AuthorizationRefusal {
        AuthorizationRefusal::Back(self.clone(), error, description.to_owned())
    }
}

fn copy_of(params: &Params, name: &str) -> Option<String> {
    params.find(name).map(str::to_owned)
}

/// The errors of a request whose return address is good.
fn check(client: &RegisteredClient, params: &Params) -> Result<(), (&'static str, &'static str)> {
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
    // `plain` would show the verifier to whoever sees the request.
    if params.find("code_challenge_method") != Some("S256") || challenge(params).is_none() {
        return Err((
            "invalid_request",
            "PKCE with `code_challenge_method=S256` is required",
        ));
    }
    match params.find("dpop_jkt") {
        Some(jkt) if jkt.len() != SHA256_LENGTH => {
            Err(("invalid_request", "`dpop_jkt` is not a SHA-256 thumbprint"))
        }
        _ => Ok(()),
    }
}

/// The PKCE challenge (RFC 7636, section 4.2).
fn challenge(params: &Params) -> Option<&str> {
    let challenge = params.find("code_challenge")?;
    (challenge.len() == SHA256_LENGTH).then_some(challenge)
}
