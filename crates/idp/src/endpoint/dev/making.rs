//! Makes a token from a form, for `/dev/token` and for the console.

use crate::endpoint::dev::switches::object;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::fault::flaw::Flaw;
use crate::issue::builder::{TokenBuilder, token_for};
use crate::state::IdpState;
use serde_json::Value;
use std::sync::Arc;

/// Flaws that only a token to order can have, with their labels.
pub(crate) const ALSO_WRONG: [(&str, &str); 3] = [
    ("wrong-audience", "for another audience"),
    ("wrong-issuer", "of another issuer"),
    ("unknown-key", "names a key that is not published"),
];

/// Ten years: more is a mistake of units.
const LONGEST_LIFE: u32 = 315_360_000;

/// A token made to order.
pub(crate) struct OrderedToken {
    pub(crate) token: String,
    pub(crate) kind: &'static str,
}

/// Makes the token that the form describes: for `user` (a user or a client), and optionally with
/// `audience`, `scope`, `roles` (a space between), `lifetime` in seconds, `claims` (a JSON object;
/// null leaves a claim out), `flaw`, and in a `format`: `jwt`, `opaque` or `id-token`.
pub(crate) fn make_token(
    state: &Arc<IdpState>,
    params: &Params,
) -> Result<OrderedToken, OAuthError> {
    let name = params.need("user")?;
    // A misspelt name would make a token for a user who does not exist.
    if state.user(name).is_none() && state.clients.get(name).is_none() {
        return Err(OAuthError::invalid_request(
            "expected the name of a user or of a client",
        ));
    }
    let format = params.find("format").unwrap_or_default();
    let flaw = params.find("flaw").filter(|flaw| *flaw != "none");
    let mut builder = apply_params(token_for(state, name), params)?;
    if format == "id-token" {
        builder = builder.id_token();
    }
    if let Some(flaw) = flaw {
        builder = apply_flaw(builder, flaw)?;
    }
    // After the flaw, so that a claim written by hand wins over it.
    let builder = edit_claims(builder, params)?;
    let (token, kind) = match format {
        // A flawed token must not be active: introspection would call it good.
        "" if flaw.is_none() => (builder.issue(), "access token"),
        "" | "jwt" => (builder.sign(), "access token"),
        "opaque" => (builder.opaque(), "access token"),
        "id-token" => (builder.sign(), "ID token"),
        _ => {
            return Err(OAuthError::invalid_request(
                "`format`: expected `jwt`, `opaque` or `id-token`",
            ));
        }
    };
    Ok(OrderedToken { token, kind })
}

fn apply_params(mut builder: TokenBuilder, params: &Params) -> Result<TokenBuilder, OAuthError> {
    if let Some(audience) = params.find("audience") {
        builder = builder.audience(audience);
    }
    if let Some(scope) = params.find("scope") {
        builder = builder.scope(scope);
    }
    for role in params.find("roles").unwrap_or_default().split_whitespace() {
        builder = builder.role(role);
    }
    if let Some(text) = params.find("lifetime") {
        builder = match text.trim().parse() {
            Ok(seconds) if seconds <= LONGEST_LIFE => builder.lifetime(seconds),
            _ => {
                return Err(OAuthError::invalid_request(&format!(
                    "`lifetime`: expected seconds, ten years at most, found {text:?}"
                )));
            }
        };
    }
    Ok(builder)
}

fn apply_flaw(builder: TokenBuilder, name: &str) -> Result<TokenBuilder, OAuthError> {
    match name {
        "wrong-audience" => return Ok(builder.audience("api://somebody-else")),
        "wrong-issuer" => return Ok(builder.issuer("https://somebody-else.example")),
        "unknown-key" => return Ok(builder.kid("unknown")),
        _ => {}
    }
    let Some(flaw) = Flaw::from_name(name) else {
        let names: Vec<&str> = flaws().map(|(name, _)| name).collect();
        return Err(OAuthError::invalid_request(&format!(
            "`flaw`: expected one of {}, found {name:?}",
            names.join(", ")
        )));
    };
    Ok(builder.add_flaw(flaw))
}

/// Every flaw of a token to order, with its label.
pub(crate) fn flaws() -> impl Iterator<Item = (&'static str, &'static str)> {
    Flaw::NAMES.into_iter().chain(ALSO_WRONG)
}

fn edit_claims(mut builder: TokenBuilder, params: &Params) -> Result<TokenBuilder, OAuthError> {
    let Some(text) = params.find("claims") else {
        return Ok(builder);
    };
    let claims = match object(&Value::from(text)) {
        Ok(claims) => claims,
        Err(problem) => {
            return Err(OAuthError::invalid_request(&format!("`claims`: {problem}")));
        }
    };
    for (name, value) in claims {
        builder = match value {
            Value::Null => builder.without(&name),
            value => builder.claim(&name, value),
        };
    }
    Ok(builder)
}
