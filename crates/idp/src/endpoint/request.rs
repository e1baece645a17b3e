//! What is asked of the authorization endpoint, read and judged before anybody signs in (RFC 6749,
//! section 4.1.1).
//!
//! Code only, and PKCE with S256 (RFC 7636). The parameters may have been pushed before (RFC 9126).

use super::error::OAuthError;
use super::params::Params;
use super::pushed;
use crate::client::Client;
use crate::state::State;
use std::sync::Arc;
use url::Url;

/// A request that may be answered by sending the browser back to the client.
pub(super) struct AuthorizationRequest {
    pub(super) client: Arc<Client>,
    pub(super) scope: String,
    pub(super) audience: String,
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    /// `prompt`: what the client wants the user to see.
    pub(super) prompt: Option<String>,
    /// `max_age`: how long ago the user may have signed in, in seconds.
    pub(super) max_age: Option<u64>,
    /// `id_token_hint`: who the client believes is there.
    pub(super) hint: Option<String>,
    /// The key to which the code is to be bound (RFC 9449, section 10): its thumbprint.
    pub(super) dpop_jkt: Option<String>,
    /// The `request_uri` that it was pushed under.
    pub(super) pushed: Option<String>,
    pub(super) back: Back,
}

/// Where to send an answer, once client and redirect URI are known to be right.
#[derive(Clone)]
pub(super) struct Back {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
}

pub(super) enum Refusal {
    /// Told on a page: there is nobody to send it to.
    Page(&'static str),
    /// Sent back to the client.
    Back(Back, &'static str, String),
}

/// Reads the query of a browser that the client sent.
pub(super) fn read(state: &State, query: &str) -> Result<AuthorizationRequest, Refusal> {
    let params = Params::parse(query)
        .map_err(|_| Refusal::Page("A parameter of the request is repeated."))?;
    if let Some(uri) = params
        .find("request_uri")
        .filter(|uri| pushed::is_ours(uri))
    {
        let unknown =
            Refusal::Page("The pushed request is unknown, expired, used, or another client's.");
        let pushed = pushed::find(state, uri, params.find("client_id").unwrap_or_default())
            .ok_or(unknown)?;
        return Ok(AuthorizationRequest {
            pushed: Some(uri.to_owned()),
            ..judge(state, &pushed)?
        });
    }
    let request = judge(state, &params)?;
    if request.client.require_pushed_authorization_requests {
        let description = "the client must push its requests (RFC 9126)".to_owned();
        return Err(Refusal::Back(request.back, "invalid_request", description));
    }
    Ok(request)
}

/// Judges the parameters, wherever they came from.
pub(super) fn judge(state: &State, params: &Params) -> Result<AuthorizationRequest, Refusal> {
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
        scope: params.scope(state, &client, &OPENID).map_err(told)?,
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

/// The scopes of OpenID Connect, which every client may ask for a user's tokens with.
pub(super) const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Character by character (RFC 9700, section 2.1), but for the port on loopback (RFC 8252, section
/// 7.3).
fn is_registered(client: &Client, uri: &str) -> bool {
    if client.danger_unchecked {
        return Url::parse(uri).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    }
    is_among(&client.redirect_uris, uri)
}

/// Whether an address is one of those that a client registered.
pub(super) fn is_among(registered: &[String], uri: &str) -> bool {
    registered
        .iter()
        .any(|registered| registered == uri || same_but_for_the_port(registered, uri))
}

fn same_but_for_the_port(registered: &str, uri: &str) -> bool {
    ["http://127.0.0.1", "http://[::1]", "http://localhost"]
        .iter()
        .any(|origin| {
            let path = |text: &str| {
                let rest = text.strip_prefix(origin)?;
                let after_port = match rest.strip_prefix(':') {
                    None => rest,
                    Some(port) => {
                        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
                        let (number, after) = port.split_at_checked(digits)?;
                        number.parse::<u16>().ok().map(|_| after)?
                    }
                };
                after_port.starts_with('/').then(|| after_port.to_owned())
            };
            path(registered).is_some_and(|registered| path(uri) == Some(registered))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_is_free_and_only_on_loopback() {
        let same = same_but_for_the_port;
        assert!(same(
            "http://127.0.0.1/callback",
            "http://127.0.0.1:4711/callback"
        ));
        assert!(same(
            "http://localhost:1/callback",
            "http://localhost/callback"
        ));
        for uri in [
            "http://127.0.0.1:4711/callback/x",
            "http://127.0.0.1:4711/callback?x",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1:99999/callback",
            "http://localhost:4711/callback",
            "https://127.0.0.1:4711/callback",
        ] {
            assert!(!same("http://127.0.0.1/callback", uri), "{uri}");
        }
        assert!(!same(
            "http://app.example/callback",
            "http://app.example:81/callback"
        ));
    }
}
