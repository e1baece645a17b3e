//! A token as a form describes it: for `/dev/token`, and for the console's page.

use crate::endpoint::dev::switches::object;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::fault::flaw::Flaw;
use crate::issue::builder::{TokenBuilder, token_for};
use crate::state::State;
use serde_json::Value;
use std::sync::Arc;

/// What can be wrong with a token besides the flaws that any token can have, with what it is for
/// people.
pub(crate) const ALSO_WRONG: [(&str, &str); 3] = [
    ("wrong-audience", "for another audience"),
    ("wrong-issuer", "of another issuer"),
    ("unknown-key", "names a key that is not published"),
];

/// Ten years: more is a mistake of units.
const LONGEST_LIFE: u32 = 315_360_000;

/// A token that was made to order.
pub(crate) struct Made {
    pub(crate) token: String,
    pub(crate) kind: &'static str,
}

/// The token that the form describes: for `user` (a user or a client), and as wanted with
/// `audience`, `scope`, `roles` (a space between), `lifetime` in seconds, `claims` (a JSON object;
/// null leaves a claim out), `flaw`, and in a `format`: `jwt`, `opaque` or `id-token`.
pub(crate) fn made(state: &Arc<State>, params: &Params) -> Result<Made, OAuthError> {
    let name = params.need("user")?;
    if state.user(name).is_none() && state.clients.configured(name).is_none() {
        return Err(OAuthError::invalid_request(
            "there is no user and no client of this name",
        ));
    }
    let format = params.find("format").unwrap_or_default();
    let flaw = params.find("flaw").filter(|flaw| *flaw != "none");
    let mut builder = asked(token_for(state, name), params)?;
    if format == "id-token" {
        builder = builder.id_token();
    }
    if let Some(flaw) = flaw {
        builder = flawed(builder, flaw)?;
    }
    let builder = edited(builder, params)?;
    let (token, kind) = match format {
        // What is wrong must not be active: it is told to nobody who asks.
        "" if flaw.is_none() => (builder.issue(), "access token"),
        "" | "jwt" => (builder.sign(), "access token"),
        "opaque" => (builder.opaque(), "access token"),
        "id-token" => (builder.sign(), "ID token"),
        _ => {
            return Err(OAuthError::invalid_request(
                "`format` must be `jwt`, `opaque` or `id-token`",
            ));
        }
    };
    Ok(Made { token, kind })
}

fn asked(mut builder: TokenBuilder, params: &Params) -> Result<TokenBuilder, OAuthError> {
    if let Some(audience) = params.find("audience") {
        builder = builder.audience(audience);
    }
    if let Some(scope) = params.find("scope") {
        builder = builder.scope(scope);
    }
    for role in params.find("roles").unwrap_or_default().split_whitespace() {
        builder = builder.role(role);
    }
    if let Some(lifetime) = params.find("lifetime") {
        let seconds = lifetime
            .trim()
            .parse()
            .ok()
            .filter(|seconds| *seconds <= LONGEST_LIFE);
        let wrong = || OAuthError::invalid_request("`lifetime` must be seconds, ten years at most");
        builder = builder.lifetime(seconds.ok_or_else(wrong)?);
    }
    Ok(builder)
}

fn flawed(builder: TokenBuilder, flaw: &str) -> Result<TokenBuilder, OAuthError> {
    Ok(match flaw {
        "wrong-audience" => builder.audience("api://somebody-else"),
        "wrong-issuer" => builder.issuer("https://somebody-else.example"),
        "unknown-key" => builder.kid("unknown"),
        other => builder.flawed(Flaw::named(other).ok_or_else(|| {
            let names: Vec<&str> = flaws().map(|(name, _)| name).collect();
            OAuthError::invalid_request(&format!("`flaw` must be one of {}", names.join(", ")))
        })?),
    })
}

/// Every flaw that can be ordered, with what it is for people.
pub(crate) fn flaws() -> impl Iterator<Item = (&'static str, &'static str)> {
    Flaw::NAMES.into_iter().chain(ALSO_WRONG)
}

fn edited(builder: TokenBuilder, params: &Params) -> Result<TokenBuilder, OAuthError> {
    let Some(text) = params.find("claims") else {
        return Ok(builder);
    };
    let claims = object(Value::from(text));
    let claims =
        claims.map_err(|expected| OAuthError::invalid_request(&format!("`claims`: {expected}")))?;
    Ok(claims
        .into_iter()
        .fold(builder, |builder, (name, value)| match value {
            Value::Null => builder.without(&name),
            value => builder.claim(&name, value),
        }))
}
