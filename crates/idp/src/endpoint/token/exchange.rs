//! Token exchange (RFC 8693): a token of a user, for another audience or for less.
//!
//! The subject is an access token or an ID token from here, and its user stays the subject. With an
//! actor token the new token says who acts (`act`); without one, the client gets what looks like
//! the user's own. Whether the client is among the audience of what it shows is not checked: here,
//! clients and APIs are not connected.

use crate::endpoint::http::error::OAuthError;
use crate::endpoint::token::grant_types::TOKEN_EXCHANGE;
use crate::endpoint::token::request::Ask;
use crate::issue::builder::TokenBuilder;
use crate::store::Grant;
use crate::token::encoding::random_text;
use crate::token::kind::TokenFormat;
use serde_json::{Value, json};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// What a token that is shown says.
pub(crate) struct Shown {
    /// The user; none where a client acts for itself.
    username: Option<String>,
    /// `sub` as it stands there.
    subject: String,
    /// The audience and the scope of an access token.
    audience: Option<String>,
    scope: Option<String>,
    act: Option<Value>,
    may_act: Option<Value>,
    grant: Option<u64>,
    session: Option<String>,
    auth_time: Option<u64>,
    /// What is made of an access token ends with it at the latest.
    expires: Option<u64>,
}

pub(crate) fn tokens(ask: &Ask<'_>) -> Result<Value, OAuthError> {
    if ask.client.is_public() {
        return Err(OAuthError::new(
            "unauthorized_client",
            "token exchange needs a secret or a key",
        ));
    }
    let wanted = ask
        .params
        .find("requested_token_type")
        .unwrap_or(ACCESS_TOKEN);
    if ![ACCESS_TOKEN, JWT].contains(&wanted) {
        return Err(OAuthError::invalid_request(
            "`requested_token_type` must be an access token or a JWT",
        ));
    }
    let subject = shown(ask, "subject_token", "subject_token_type")?;
    let actor = match ask.params.find("actor_token") {
        Some(_) => Some(shown(ask, "actor_token", "actor_token_type")?),
        None if ask.params.find("actor_token_type").is_some() => {
            return Err(OAuthError::invalid_request(
                "`actor_token_type` needs an `actor_token`",
            ));
        }
        None => None,
    };
    let acting = actor
        .as_ref()
        .map_or(&ask.client.id, |actor| &actor.subject);
    if subject
        .may_act
        .as_ref()
        .is_some_and(|may| may.get("sub").and_then(Value::as_str) != Some(acting))
    {
        return Err(OAuthError::invalid_request(
            "`may_act` of the subject token names somebody else",
        ));
    }
    let act = actor.map(|actor| json!({ "sub": actor.subject }));
    let format = if wanted == JWT {
        TokenFormat::Jwt
    } else {
        ask.state.format()
    };
    let mut answer = for_subject(ask, &subject, act, (format, TOKEN_EXCHANGE))?;
    if let Value::Object(members) = &mut answer {
        members.insert("issued_token_type".to_owned(), wanted.into());
    }
    Ok(answer)
}

/// A token for the user of another one.
pub(crate) fn for_subject(
    ask: &Ask<'_>,
    subject: &Shown,
    act: Option<Value>,
    (format, way): (TokenFormat, &'static str),
) -> Result<Value, OAuthError> {
    let (state, client) = (ask.state, &*ask.client);
    let user = subject
        .username
        .as_deref()
        .and_then(|name| state.user(name));
    let user = user.ok_or(OAuthError::invalid_request("the token is not about a user"))?;
    let audience = ask.params.audience(state, client)?;
    let scope = scope(ask, subject, &audience)?;
    let now = state.now();
    let mut store = state.store();
    let grant = Grant {
        id: subject.grant.unwrap_or_else(|| store.next_grant()),
        client: client.id.clone(),
        username: user.username.clone(),
        scope,
        audience,
        nonce: None,
        auth_time: subject.auth_time.unwrap_or(now),
        session: subject.session.clone().unwrap_or_else(|| random_text(16)),
        jkt: None,
        x5t: None,
        act: act_in(act, subject.act.clone()),
        way,
    };
    drop(store);
    let mut builder = TokenBuilder::for_user(state, user, &client.id);
    if let Some(expires) = subject.expires {
        builder = builder.ends_by(expires);
    }
    let life = builder.life();
    let builder = builder
        .of_grant(&grant)
        .audience(&grant.audience)
        .scope(&grant.scope);
    let token = builder
        .bound(ask.binding.cnf())
        .with_ordered_flaws()
        .issue_as(format);
    let mut answer = ask.answer(&token, &grant.scope);
    if let Value::Object(members) = &mut answer {
        members.insert("expires_in".to_owned(), life.into());
    }
    Ok(answer)
}

/// For the same audience no more than the subject token has; for another one, what the client may
/// ask for.
fn scope(ask: &Ask<'_>, subject: &Shown, audience: &str) -> Result<String, OAuthError> {
    let held = subject
        .scope
        .as_deref()
        .filter(|_| subject.audience.as_deref() == Some(audience));
    let Some(held) = held else {
        return ask.params.scope(ask.state, &ask.client, &[]);
    };
    let asked = ask.params.find("scope").unwrap_or(held);
    if asked
        .split(' ')
        .all(|scope| held.split(' ').any(|held| held == scope))
    {
        return Ok(asked.to_owned());
    }
    Err(OAuthError::new(
        "invalid_scope",
        "an exchange for the same audience cannot ask for more",
    ))
}

/// The newest actor is outermost (RFC 8693, section 4.1).
fn act_in(act: Option<Value>, before: Option<Value>) -> Option<Value> {
    match (act, before) {
        (Some(Value::Object(mut act)), Some(before)) => {
            act.insert("act".to_owned(), before);
            Some(Value::Object(act))
        }
        (act, before) => act.or(before),
    }
}

fn shown(ask: &Ask<'_>, token: &'static str, kind: &'static str) -> Result<Shown, OAuthError> {
    let (token, kind) = (ask.params.need(token)?, ask.params.need(kind)?);
    let found = match kind {
        ACCESS_TOKEN => access_token(ask, token),
        ID_TOKEN => id_token(ask, token),
        JWT => access_token(ask, token).or_else(|| id_token(ask, token)),
        _ => {
            return Err(OAuthError::invalid_request(
                "this type of token is not supported",
            ));
        }
    };
    found.ok_or(OAuthError::invalid_request(
        "a token is unknown, expired, revoked, or of another type",
    ))
}

/// An access token from here that is still good.
pub(crate) fn access_token(ask: &Ask<'_>, token: &str) -> Option<Shown> {
    let issued = ask.state.store().access_token(token, ask.state.now())?;
    let claim = |name: &str| issued.claims.get(name).cloned();
    let text = |name: &str| claim(name)?.as_str().map(str::to_owned);
    Some(Shown {
        subject: text("sub").unwrap_or_else(|| issued.client.clone()),
        act: claim("act"),
        may_act: claim("may_act"),
        auth_time: issued.auth_time,
        username: issued.username,
        audience: Some(issued.audience),
        scope: issued.scope,
        grant: issued.grant,
        session: issued.session,
        expires: Some(issued.expires),
    })
}

fn id_token(ask: &Ask<'_>, token: &str) -> Option<Shown> {
    let issued = ask.state.store().good_id_token(token, ask.state.now())?;
    Some(Shown {
        username: Some(issued.username),
        subject: issued.subject,
        audience: None,
        scope: None,
        act: None,
        may_act: None,
        grant: Some(issued.grant),
        session: Some(issued.session),
        auth_time: Some(issued.auth_time),
        expires: None,
    })
}
