//! `/dev/event`: a security event on command, and what became of the latest ones.

use crate::endpoint::dev::making::unknown_flaw;
use crate::endpoint::dev::only;
use crate::endpoint::dev::switches::object;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::fault::flaw::Flaw;
use crate::issue::event::EventBuilder;
use crate::issue::security_event::SecurityEvent;
use crate::issue::stream_event::verify_all;
use crate::issue::subject::EventSubject;
use crate::state::IdpState;
use crate::store::notice::EventNotice;
use crate::token::claims::JsonObject;
use crate::token::kind::FlowToken;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// The members of an order.
const ORDER: [&str; 16] = [
    "user",
    "event",
    "subject",
    "session",
    "device",
    "id",
    "jti",
    "members",
    "claims",
    "credential_type",
    "change_type",
    "event_timestamp",
    "initiating_entity",
    "reason_admin",
    "reason_user",
    "flaw",
];

/// The verification event is about a stream, not about a user.
const VERIFICATION: &str = "verification";

/// `POST /dev/event` with `user` and `event` (`session-revoked` and others, or the address of a
/// type), and optionally with `subject` and what it needs, members, and a `flaw`. With
/// `event=verification` every stream is verified, without a user.
pub(crate) async fn send(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    match send_event(&state, form).await {
        Ok(notices) => Json(describe(&notices)).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn send_event(
    state: &Arc<IdpState>,
    form: Result<PostedForm, OAuthError>,
) -> Result<Vec<EventNotice>, OAuthError> {
    let params = only(form, &ORDER)?.params;
    send_ordered(state, &params).await
}

/// Sends the event that the parameters describe.
pub(crate) async fn send_ordered(
    state: &Arc<IdpState>,
    params: &Params,
) -> Result<Vec<EventNotice>, OAuthError> {
    if params.find("event") == Some(VERIFICATION) {
        return Ok(verify_all(state).await);
    }
    Ok(builder(state, params)?.send().await)
}

/// `GET /dev/event`: the latest events and what became of them, the newest first.
pub(crate) async fn list(State(state): State<Arc<IdpState>>) -> Response {
    let notices = state.store().notices.all();
    Json(describe(&notices)).into_response()
}

fn describe(notices: &[EventNotice]) -> Vec<Value> {
    let describe = |it: &EventNotice| {
        let error = it.error.as_ref();
        json!({
            "stream": it.stream,
            "client": it.client,
            "event": it.event,
            "user": it.user,
            "at": it.at,
            "jti": it.jti,
            "status": it.status,
            "waits": it.waits,
            "err": error.map(|error| &error.err),
            "description": error.map(|error| &error.description),
        })
    };
    notices.iter().map(describe).collect()
}

fn builder(state: &Arc<IdpState>, params: &Params) -> Result<EventBuilder, OAuthError> {
    let (username, event) = (params.need("user")?, event_of(params)?);
    let mut builder = EventBuilder::new(state, username, event);
    if let Some(subject) = subject(state, username, params)? {
        builder = builder.subject(subject);
    }
    for (name, value) in members(params)? {
        builder = builder.member(&name, value);
    }
    if let Some(name) = params.find("flaw").filter(|flaw| *flaw != "none") {
        let flaw = Flaw::from_name(FlowToken::Event, name);
        builder = builder.flaw(flaw.ok_or_else(|| unknown_flaw(FlowToken::Event, name))?);
    }
    Ok(builder)
}

fn event_of(params: &Params) -> Result<SecurityEvent, OAuthError> {
    let name = params.need("event")?;
    // Any other type, by its address.
    if name.contains(':') {
        return Ok(SecurityEvent::Other(name.to_owned(), JsonObject::new()));
    }
    SecurityEvent::from_name(name).ok_or_else(|| {
        let names = SecurityEvent::names().map(|(name, _)| name).join(", ");
        OAuthError::invalid_request(&format!(
            "`event`: expected {VERIFICATION}, the address of a type, or one of {names}; found \
             {name:?}"
        ))
    })
}

fn subject(
    state: &IdpState,
    username: &str,
    params: &Params,
) -> Result<Option<EventSubject>, OAuthError> {
    let text = |name: &str| params.find(name).map(str::to_owned);
    let subject = match params.find("subject") {
        // A session that is named is meant.
        None if params.find("session").is_none() && params.find("device").is_none() => {
            return Ok(None);
        }
        Some("iss_sub") => EventSubject::IssSub,
        None | Some("complex") => EventSubject::Complex {
            session: text("session").or_else(|| newest_session(state, username)),
            device: text("device"),
        },
        Some("email") => EventSubject::Email,
        Some("opaque") => EventSubject::Opaque(params.need("id")?.to_owned()),
        Some("jwt_id") => EventSubject::JwtId(params.need("jti")?.to_owned()),
        Some(other) => match object(&Value::from(other)) {
            Ok(sub_id) => EventSubject::Other(sub_id.into()),
            Err(_) => {
                return Err(OAuthError::invalid_request(&format!(
                    "`subject`: expected iss_sub, complex, email, opaque, jwt_id, or a JSON \
                     object; found {other:?}"
                )));
            }
        },
    };
    Ok(Some(subject))
}

fn newest_session(state: &IdpState, username: &str) -> Option<String> {
    state.store().sessions_of(username).into_iter().next()
}

/// The members that are written over.
fn members(params: &Params) -> Result<JsonObject, OAuthError> {
    let mut members = match params.find("members") {
        Some(text) => json_of("members", text)?,
        None => JsonObject::new(),
    };
    if let Some(text) = params.find("claims") {
        members.insert("claims".to_owned(), json_of("claims", text)?.into());
    }
    for name in ["credential_type", "change_type", "initiating_entity"] {
        if let Some(text) = params.find(name) {
            members.insert(name.to_owned(), text.into());
        }
    }
    for name in ["reason_admin", "reason_user"] {
        if let Some(text) = params.find(name) {
            // A plain text is one in English; an object has several languages.
            let texts = object(&Value::from(text)).map(Value::from);
            members.insert(name.to_owned(), texts.unwrap_or(json!({ "en": text })));
        }
    }
    if let Some(text) = params.find("event_timestamp") {
        let seconds: u64 = text.trim().parse().map_err(|_| {
            OAuthError::invalid_request(&format!(
                "`event_timestamp`: expected seconds since 1970, found {text:?}"
            ))
        })?;
        members.insert("event_timestamp".to_owned(), seconds.into());
    }
    Ok(members)
}

fn json_of(name: &str, text: &str) -> Result<JsonObject, OAuthError> {
    object(&Value::from(text))
        .map_err(|problem| OAuthError::invalid_request(&format!("`{name}`: {problem}")))
}
