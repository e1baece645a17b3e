//! Makes a token from a form, for `/dev/token` and for the console.

use crate::endpoint::client::mismatch::list;
use crate::endpoint::dev::switches::object;
use crate::endpoint::http::error::{OAuthError, printable};
use crate::endpoint::http::params::Params;
use crate::fault::flaw::Flaw;
use crate::issue::builder::{TokenBuilder, token_for};
use crate::state::IdpState;
use crate::token::kind::{FlowToken, TokenKind};
use serde_json::Value;
use std::sync::Arc;

/// The members of an order.
const ORDER: [&str; 8] = [
    "user", "audience", "scope", "roles", "lifetime", "claims", "flaw", "format",
];

/// Ten years: more is a mistake of units.
const LONGEST_LIFE: u32 = 315_360_000;

/// Marks a response with the kind of the token in it, for the journal.
#[derive(Clone, Copy)]
pub(crate) struct TokenMark(pub(crate) TokenKind);

/// A token made to order.
pub(crate) struct OrderedToken {
    pub(crate) token: String,
    pub(crate) kind: TokenKind,
}

/// Makes the token that the form describes: for `user` (a user or a client), and optionally with
/// `audience`, `scope`, `roles` (a space between), `lifetime` in seconds, `claims` (a JSON object;
/// null leaves a claim out), `flaw`, and in a `format`: `jwt`, `opaque` or `id-token`.
pub(crate) fn make_token(
    state: &Arc<IdpState>,
    params: &Params,
) -> Result<OrderedToken, OAuthError> {
    params.allow_only(&ORDER)?;
    let name = params.need("user")?;
    // A misspelt name would make a token for a user who does not exist.
    if state.user(name).is_none() && state.clients.get(name).is_none() {
        return Err(unknown_name(state, name));
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
        "" if flaw.is_none() => (builder.issue(), TokenKind::Access),
        "" | "jwt" => (builder.sign(), TokenKind::Access),
        "opaque" => (builder.opaque(), TokenKind::Access),
        "id-token" => (builder.sign(), TokenKind::Id),
        _ => {
            return Err(OAuthError::invalid_request(
                "`format`: expected `jwt`, `opaque` or `id-token`",
            ));
        }
    };
    Ok(OrderedToken { token, kind })
}

/// What was sent, and the names that are known.
fn unknown_name(state: &IdpState, name: &str) -> OAuthError {
    let (users, clients) = (state.usernames(), state.client_ids());
    let (users, clients) = (list(&users), list(&clients));
    OAuthError::invalid_request(&format!(
        "`user`: expected the name of a user or of a client, found `{}`; users: {users}; \
         clients: {clients}; help: in the settings, [[user]] username = '{0}'",
        printable(name)
    ))
}

fn apply_params(mut builder: TokenBuilder, params: &Params) -> Result<TokenBuilder, OAuthError> {
    if let Some(audience) = params.find("audience") {
        builder = builder.audience(audience);
    }
    if let Some(scope) = params.find("scope") {
        builder = builder.scope(scope);
    }
    for role in params
        .find("roles")
        .unwrap_or_default()
        .split_whitespace()
    {
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
    match Flaw::from_name(builder.kind, name) {
        Some(flaw) => Ok(builder.add_flaw(flaw)),
        None => Err(unknown_flaw(builder.kind, name)),
    }
}

pub(crate) fn unknown_flaw(kind: FlowToken, name: &str) -> OAuthError {
    let names = Flaw::names(kind);
    OAuthError::invalid_request(&format!("`flaw`: expected one of {names}, found {name:?}"))
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
