//! A request to the authorization endpoint, checked before anybody signs in (RFC 6749, section
//! 4.1.1).
//!
//! Code only, and PKCE with S256 (RFC 7636). The parameters may have been pushed before (RFC 9126).

use crate::config::client::RegisteredClient;
use crate::dialect::shape::RefreshRule;
use crate::endpoint::authorize::answer::{ResponseMode, ReturnAddress};
use crate::endpoint::client::mismatch::{Mismatch, RefusalReason};
use crate::endpoint::client::redirect_uri::{is_other_loopback_name, is_registered};
use crate::endpoint::client::target::OPENID_SCOPES;
use crate::endpoint::http::error::{OAuthError, printable};
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
    /// None for a client that may go without PKCE, and does.
    pub(crate) challenge: Option<String>,
    pub(crate) nonce: Option<String>,
    /// `prompt`: whether the client wants a page.
    pub(crate) prompt: Option<String>,
    /// `max_age`: how long ago the user may have signed in, in seconds.
    pub(crate) max_age: Option<u64>,
    /// The first of `acr_values`: how the client wants the user to sign in.
    pub(crate) acr: Option<String>,
    /// `id_token_hint`: the user that the client expects.
    pub(crate) hint: Option<String>,
    /// The key to which the code is to be bound (RFC 9449, section 10): its thumbprint.
    pub(crate) dpop_jkt: Option<String>,
    /// Whether the grant comes with refresh tokens.
    pub(crate) offline: bool,
    /// The `request_uri` that it was pushed under.
    pub(crate) pushed: Option<String>,
    pub(crate) back: ReturnAddress,
}

pub(crate) enum AuthorizationRefusal {
    /// Shown on a page: there is no address to return to.
    Page(RefusalReason),
    /// Sent back to the client.
    Back(ReturnAddress, &'static str, String),
}

/// Checks the parameters, pushed or not.
pub(crate) fn judge(
    state: &IdpState,
    params: &Params,
) -> Result<CodeRequest, AuthorizationRefusal> {
    let (client, back) = recipient(state, params).map_err(AuthorizationRefusal::Page)?;
    // Before every other check: it decides the way of their errors. Its own goes by the query.
    let name = params.find("response_mode");
    let Some(mode) = ResponseMode::from_name(name) else {
        let found = printable(name.unwrap_or_default());
        let expected = ResponseMode::NAMES.join("`, `");
        let problem = format!(
            "`response_mode`: expected one of `{expected}`, \
             found `{found}`"
        );
        return Err(back.refuse("invalid_request", &problem));
    };
    // Errors go the way that the client asked for, too.
    let back = ReturnAddress { mode, ..back };
    check(&client, params).map_err(|error| back.refuse(error.error, &error.description))?;
    let max_age = max_age(params);
    let max_age = max_age.map_err(|problem| back.refuse("invalid_request", &problem))?;
    let scope = params.scope(state, &client, &OPENID_SCOPES);
    let scope = scope.map_err(|error| back.refuse(error.error, &error.description))?;
    let audience = params.audience(state, &client);
    Ok(CodeRequest {
        offline: match state.config.dialect.shape().refresh_rule() {
            RefreshRule::Always => true,
            RefreshRule::OfflineScope => asks_offline(&scope),
            RefreshRule::OfflineAccessType => params.find("access_type") == Some("offline"),
        },
        scope,
        audience: audience.map_err(|error| back.refuse(error.error, &error.description))?,
        client,
        challenge: copy_of(params, "code_challenge"),
        nonce: copy_of(params, "nonce"),
        prompt: copy_of(params, "prompt"),
        max_age,
        // They stand in the order of preference (OpenID Connect Core, section 3.1.2.1).
        acr: params
            .find("acr_values")
            .and_then(|values| values.split_ascii_whitespace().next())
            .map(str::to_owned),
        hint: copy_of(params, "id_token_hint"),
        dpop_jkt: copy_of(params, "dpop_jkt"),
        pushed: None,
        back,
    })
}

/// The client, and where the browser returns to: both must be known before an error can be sent.
fn recipient(
    state: &IdpState,
    params: &Params,
) -> Result<(Arc<RegisteredClient>, ReturnAddress), RefusalReason> {
    let id = params.find("client_id").unwrap_or_default();
    let sent = params.find("redirect_uri");
    let Some(client) = state.client(id) else {
        // With the address that was sent, the line registers the client as it is.
        let example = sent.unwrap_or("http://localhost:3000/callback");
        let member = ("redirect_uris", example);
        return Err(Mismatch::of_unknown_client(state, id, member).into());
    };
    // An error must not go to an address that the client did not register (RFC 9700, section 4.11).
    match sent {
        Some(uri) if is_registered(&client, uri) => {
            let back = ReturnAddress {
                redirect_uri: uri.to_owned(),
                state: copy_of(params, "state"),
                // The default of the code flow, until the request names another one.
                mode: ResponseMode::Query,
            };
            Ok((client, back))
        }
        _ => {
            let registered = ("redirect_uris", &client.redirect_uris[..]);
            let mut mismatch = Mismatch::of_client(&client, "redirect_uri", sent, registered);
            // The most frequent difference, and the hardest to see: both are this machine.
            if is_other_loopback_name(&client.redirect_uris, sent.unwrap_or_default()) {
                let both = " (`localhost` and `127.0.0.1` are different hosts)";
                mismatch.expected.push_str(both);
            }
            Err(mismatch.into())
        }
    }
}

fn max_age(params: &Params) -> Result<Option<u64>, String> {
    let Some(sent) = params.find("max_age") else {
        return Ok(None);
    };
    let found = printable(sent);
    let problem = |_| format!("`max_age`: expected a number of seconds, found `{found}`");
    sent.parse().map(Some).map_err(problem)
}

/// Whether a scope asks for a refresh token (OpenID Connect Core, section 11).
pub(crate) fn asks_offline(scope: &str) -> bool {
    scope.split(' ').any(|scope| scope == "offline_access")
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
fn check(client: &RegisteredClient, params: &Params) -> Result<(), OAuthError> {
    expect(params, "response_type", "code", "unsupported_response_type")?;
    if !client.may_use("authorization_code") {
        let mismatch = Mismatch::of_grant(client, "authorization_code");
        return Err(mismatch.into_error("unauthorized_client"));
    }
    if params.find("request").is_some() || params.find("request_uri").is_some() {
        let problem = "request objects are not supported: send the parameters themselves";
        return Err(OAuthError::new("request_not_supported", problem));
    }
    let sent = |name: &str| params.find(name).is_some();
    let pkce = !client.danger_no_pkce || sent("code_challenge") || sent("code_challenge_method");
    if pkce {
        // `plain` would show the verifier to whoever sees the request.
        expect(params, "code_challenge_method", "S256", "invalid_request")?;
    }
    // Both are SHA-256 in base64url without padding, so a wrong length means a wrong method.
    for (name, is_needed) in [("code_challenge", pkce), ("dpop_jkt", false)] {
        let length = params.find(name).map(str::len);
        let is_optional = !is_needed && length.is_none();
        if length != Some(SHA256_LENGTH) && !is_optional {
            let found = length.map_or("none".to_owned(), |length| format!("{length} characters"));
            return Err(OAuthError::invalid_request(&format!(
                "`{name}`: expected a SHA-256 in base64url, {SHA256_LENGTH} characters; \
                 found {found}"
            )));
        }
    }
    Ok(())
}

/// A parameter that has one value only.
fn expect(params: &Params, name: &str, value: &str, error: &'static str) -> Result<(), OAuthError> {
    match params.find(name) {
        Some(sent) if sent == value => Ok(()),
        Some(sent) => {
            let sent = printable(sent);
            let problem = format!("`{name}`: expected `{value}`, found `{sent}`");
            Err(OAuthError::new(error, &problem))
        }
        None => Err(OAuthError::invalid_request(&format!(
            "`{name}`: expected `{value}`, found none"
        ))),
    }
}
