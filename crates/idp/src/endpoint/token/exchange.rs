//! Token exchange (RFC 8693): a user's token for another audience, or with fewer scopes.
//!
//! The subject token is an access token or an ID token from here, and its user stays the subject.
//! With an actor token, the new token names the actor (`act`); without one, it looks like the
//! user's own. The client need not be in the audience of the subject token: clients and APIs are
//! not connected here.

use crate::endpoint::client::target::is_within;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::token::grant_types::TOKEN_EXCHANGE;
use crate::endpoint::token::request::GrantRequest;
use crate::issue::builder::TokenBuilder;
use crate::store::UserGrant;
use crate::token::encoding::random_text;
use crate::token::kind::TokenFormat;
use serde_json::{Value, json};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The content of a subject token or an actor token.
pub(crate) struct TokenContent {
    /// The user; none where a client acts for itself.
    username: Option<String>,
    /// Its `sub`.
    subject: String,
    /// The audience and the scope of an access token.
    audience: Option<String>,
    scope: Option<String>,
    act: Option<Value>,
    may_act: Option<Value>,
    grant: Option<u64>,
    session: Option<String>,
    auth_time: Option<u64>,
    /// When an access token ends: the new token must not outlive it.
    expires: Option<u64>,
}

pub(crate) fn tokens(ask: &GrantRequest<'_>) -> Result<Value, OAuthError> {
    // A public client proves nothing, so anybody could exchange a stolen token in its name.
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
    let format = match wanted {
        ACCESS_TOKEN => ask.state.format(),
        JWT => TokenFormat::Jwt,
        _ => {
            return Err(OAuthError::invalid_request(
                "`requested_token_type` must be an access token or a JWT",
            ));
        }
    };
    let subject = read_token(ask, "subject_token", "subject_token_type")?;
    let actor = actor(ask)?;
    // Without an actor token, the client that asks is the acting party.
    let acting = actor.as_ref().unwrap_or(&ask.client.id);
    // The subject may name the one party that acts for it (RFC 8693, section 4.4).
    if let Some(may_act) = &subject.may_act
        && may_act.get("sub").and_then(Value::as_str) != Some(acting)
    {
        return Err(OAuthError::invalid_request(
            "`may_act` of the subject token names another actor",
        ));
    }
    let act = actor.map(|actor| json!({ "sub": actor }));
    let mut answer = for_subject(ask, &subject, act, (format, TOKEN_EXCHANGE))?;
    if let Value::Object(members) = &mut answer {
        members.insert("issued_token_type".to_owned(), wanted.into());
    }
    Ok(answer)
}

/// The subject of the actor token, if there is one.
fn actor(ask: &GrantRequest<'_>) -> Result<Option<String>, OAuthError> {
    if ask.params.find("actor_token").is_some() {
        let actor = read_token(ask, "actor_token", "actor_token_type")?;
        return Ok(Some(actor.subject));
    }
    if ask.params.find("actor_token_type").is_some() {
        return Err(OAuthError::invalid_request(
            "`actor_token_type` needs an `actor_token`",
        ));
    }
    Ok(None)
}

/// A token for the user of a subject token.
pub(crate) fn for_subject(
    ask: &GrantRequest<'_>,
    subject: &TokenContent,
    act: Option<Value>,
    (format, way): (TokenFormat, &'static str),
) -> Result<Value, OAuthError> {
    let (state, client) = (ask.state, &*ask.client);
    let username = subject.username.as_deref().unwrap_or_default();
    let Some(user) = state.user(username) else {
        return Err(OAuthError::invalid_request("the token is not about a user"));
    };
    let audience = ask.params.audience(state, client)?;
    let scope = scope(ask, subject, &audience)?;
    let grant = UserGrant {
        // Under the subject's own grant, so that a logout ends the new token too.
        id: match subject.grant {
            Some(grant) => grant,
            None => state.store().next_grant(),
        },
        client: client.id.clone(),
        username: user.username.clone(),
        scope,
        audience,
        nonce: None,
        auth_time: subject.auth_time.unwrap_or(state.now()),
        acr: None,
        session: subject.session.clone().unwrap_or(random_text(16)),
        // No refresh token comes of an exchange, so there is nothing to bind.
        jkt: None,
        x5t: None,
        act: act_in(act, subject.act.clone()),
        offline: false,
        way,
    };
    let mut builder = TokenBuilder::for_user(state, &user, &client.id);
    if let Some(expires) = subject.expires {
        builder = builder.ends_by(expires);
    }
    let life = builder.life();
    let builder = builder
        .of_grant(&grant)
        .audience(&grant.audience)
        .scope(&grant.scope)
        .bind(ask.binding.cnf());
    let token = builder.with_ordered_flaws().issue_as(format);
    let mut answer = ask.answer(&token, &grant.scope);
    if let Value::Object(members) = &mut answer {
        members.insert("expires_in".to_owned(), life.into());
    }
    Ok(answer)
}

/// For the same audience at most the scopes of the subject token; for another one, the scopes that
/// the client may ask for.
fn scope(
    ask: &GrantRequest<'_>,
    subject: &TokenContent,
    audience: &str,
) -> Result<String, OAuthError> {
    let Some(granted) = &subject.scope else {
        return ask.params.scope(ask.state, &ask.client, &[]);
    };
    // A scope may mean something else at another API, so the granted ones are no limit there.
    if subject.audience.as_deref() != Some(audience) {
        return ask.params.scope(ask.state, &ask.client, &[]);
    }
    let asked = ask.params.find("scope").unwrap_or(granted);
    if is_within(asked, granted) {
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

fn read_token(
    ask: &GrantRequest<'_>,
    token: &'static str,
    kind: &'static str,
) -> Result<TokenContent, OAuthError> {
    let (token, kind) = (ask.params.need(token)?, ask.params.need(kind)?);
    let found = match kind {
        ACCESS_TOKEN => access_token(ask, token),
        ID_TOKEN => id_token(ask, token),
        // Either kind may be a JWT, and this type does not say which (RFC 8693, section 3).
        JWT => access_token(ask, token).or(id_token(ask, token)),
        _ => {
            return Err(OAuthError::invalid_request(
                "this token type is not supported",
            ));
        }
    };
    found.ok_or(OAuthError::invalid_request(
        "a token is unknown, expired, revoked, or of another type",
    ))
}

/// An active access token that was issued here.
pub(crate) fn access_token(ask: &GrantRequest<'_>, token: &str) -> Option<TokenContent> {
    let issued = ask
        .state
        .store()
        .access_token(token, ask.state.now())?;
    let claims = &issued.claims;
    // A client's token may have no subject (PingOne): the client itself is the subject then.
    let subject = claims
        .get("sub")
        .and_then(Value::as_str)
        .unwrap_or(&issued.client);
    Some(TokenContent {
        subject: subject.to_owned(),
        act: claims.get("act").cloned(),
        may_act: claims.get("may_act").cloned(),
        auth_time: issued.auth_time,
        username: issued.username,
        audience: Some(issued.audience),
        scope: issued.scope,
        grant: issued.grant,
        session: issued.session,
        expires: Some(issued.expires),
    })
}

fn id_token(ask: &GrantRequest<'_>, token: &str) -> Option<TokenContent> {
    let issued = ask
        .state
        .store()
        .good_id_token(token, ask.state.now())?;
    Some(TokenContent {
        username: Some(issued.username),
        subject: issued.subject,
        audience: None,
        scope: None,
        act: None,
        may_act: None,
        grant: Some(issued.grant),
        session: Some(issued.session),
        auth_time: Some(issued.auth_time),
        // The end of an ID token says nothing about access, so the new token has its full life.
        expires: None,
    })
}
