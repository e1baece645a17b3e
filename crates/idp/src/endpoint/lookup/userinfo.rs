//! UserInfo (OpenID Connect Core, section 5.3), also for tokens that are bound to a key (RFC 9449,
//! section 7).

use crate::dialect::facts::Facts;
use crate::endpoint::client::dpop;
use crate::endpoint::http::bearer::shown_as;
use crate::endpoint::http::caller::Caller;
use crate::state::State;
use crate::token::claims::Claims;
use crate::token::issued::IssuedAccess;
use crate::token::jws::ALGORITHMS;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, extract};
use std::sync::Arc;

/// A refusal: how, and the parameters of the challenge.
struct Refused(StatusCode, &'static str, &'static str);

pub(crate) async fn userinfo(
    extract::State(state): extract::State<Arc<State>>,
    caller: Caller,
) -> Response {
    let response = match told(&state, &caller) {
        Ok(claims) => ([(CACHE_CONTROL, "no-store")], Json(claims)).into_response(),
        Err(Refused(status, scheme, error)) => {
            let algorithms = format!(", algs=\"{}\"", ALGORITHMS.join(" "));
            let more = if scheme == "DPoP" { &algorithms } else { "" };
            let challenge = format!("{scheme} realm=\"idp\"{error}{more}");
            (
                status,
                [
                    (WWW_AUTHENTICATE, challenge.as_str()),
                    (CACHE_CONTROL, "no-store"),
                ],
            )
                .into_response()
        }
    };
    dpop::with_nonce(&state, response)
}

fn told(state: &State, caller: &Caller) -> Result<Claims, Refused> {
    let refused = |scheme, error| Refused(StatusCode::UNAUTHORIZED, scheme, error);
    let (token, scheme) = match (
        shown_as(&caller.headers, "Bearer"),
        shown_as(&caller.headers, "DPoP"),
    ) {
        (Some(token), _) => (token, "Bearer"),
        (None, Some(token)) => (token, "DPoP"),
        (None, None) => return Err(refused("Bearer", "")),
    };
    let issued = state.store().access_token(token, state.now());
    let user = issued
        .as_ref()
        .and_then(|issued| state.user(issued.username.as_deref()?));
    let (Some(issued), Some(user)) = (issued, user) else {
        return Err(refused(scheme, ", error=\"invalid_token\""));
    };
    confirm(state, caller, &issued, scheme, token)?;
    if !issued
        .scope
        .iter()
        .flat_map(|scope| scope.split(' '))
        .any(|scope| scope == "openid")
    {
        let error = ", error=\"insufficient_scope\", scope=\"openid\"";
        return Err(Refused(StatusCode::FORBIDDEN, scheme, error));
    }
    // The subject must be the ID token's, in whatever form the provider writes it there.
    let told = [
        "sub",
        "name",
        "preferred_username",
        "email",
        "email_verified",
    ];
    let identity = state
        .shape
        .id_token(&Facts::of_user(state, user, &issued.client));
    Ok(identity
        .into_iter()
        .filter(|(name, _)| told.contains(&name.as_str()))
        .collect())
}

/// What a token is bound to must be proven, and an unbound one must not look bound.
fn confirm(
    state: &State,
    caller: &Caller,
    issued: &IssuedAccess,
    scheme: &'static str,
    token: &str,
) -> Result<(), Refused> {
    let refused = |error| Err(Refused(StatusCode::UNAUTHORIZED, scheme, error));
    let cnf = |name: &str| {
        issued
            .claims
            .get("cnf")
            .and_then(|cnf| cnf.get(name)?.as_str())
    };
    if cnf("x5t#S256").is_some_and(|bound| caller.x5t().as_deref() != Some(bound)) {
        return refused(", error=\"invalid_token\"");
    }
    if issued.token_type() != scheme {
        return refused(", error=\"invalid_token\"");
    }
    if scheme == "Bearer" {
        return Ok(());
    }
    match dpop::proven_key(state, caller, Some(token)) {
        Ok(Some(jkt)) if Some(jkt.as_str()) == cnf("jkt") => Ok(()),
        Ok(Some(_)) => refused(", error=\"invalid_token\""),
        Err(error) if error.error == "use_dpop_nonce" => refused(", error=\"use_dpop_nonce\""),
        Ok(None) | Err(_) => refused(", error=\"invalid_dpop_proof\""),
    }
}
