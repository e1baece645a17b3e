//! Security events (RFC 8417) of CAEP and RISC: made, signed, and sent into the streams that want
//! them.

use crate::dialect::facts::TokenFacts;
use crate::state::IdpState;
use crate::state::outbound::OutboundMessage;
use crate::store::stream::{Delivery, EventStream, StreamStatus};
use crate::token::claims::{JsonObject, claims};
use crate::token::encoding::random_text;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Something that happened to a user, which those should know who trust their tokens.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SecurityEvent {
    /// CAEP `session-revoked`: a session is over.
    SessionRevoked,
    /// CAEP `token-claims-change`: these claims have other values than in the tokens.
    TokenClaimsChange(serde_json::Map<String, Value>),
    /// CAEP `credential-change`, such as `password` and `update`.
    CredentialChange {
        /// `credential_type`: `password`, `pin`, `x509`, `fido2-platform` and others.
        credential_type: String,
        /// `change_type`: `create`, `revoke`, `update` or `delete`.
        change_type: String,
    },
    /// RISC `account-disabled`.
    AccountDisabled,
    /// RISC `account-enabled`.
    AccountEnabled,
    /// Any other: its address and its members.
    Other(String, serde_json::Map<String, Value>),
}

/// What became of an event in one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventNotice {
    /// The stream.
    pub stream: String,
    /// The client whose stream it is.
    pub client: String,
    /// The event's `jti`.
    pub jti: String,
    /// What the receiver answered at last; none where it fetches by itself, or where nothing came.
    pub status: Option<u16>,
    /// Whether it waits: to be fetched, or for a stream that is paused or does not answer.
    pub waits: bool,
}

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

pub(crate) const VERIFICATION: &str =
    "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// How often an event is pushed, and how long the first pause is; each is twice as long as the one
/// before.
const ATTEMPTS: u32 = 4;

const PAUSE: Duration = Duration::from_millis(200);

/// The types that are sent.
pub(crate) fn supported_types() -> Vec<String> {
    let caep = [
        "session-revoked",
        "token-claims-change",
        "credential-change",
    ]
    .map(|name| format!("{CAEP}{name}"));
    let risc = ["account-disabled", "account-enabled"].map(|name| format!("{RISC}{name}"));
    caep.into_iter().chain(risc).collect()
}

impl SecurityEvent {
    /// The address of its type, and its members.
    fn payload(&self, now: u64) -> (String, JsonObject) {
        let (address, members) = match self {
            Self::SessionRevoked => (format!("{CAEP}session-revoked"), json!({})),
            Self::TokenClaimsChange(changed) => (
                format!("{CAEP}token-claims-change"),
                json!({ "claims": changed }),
            ),
            Self::CredentialChange {
                credential_type,
                change_type,
            } => (
                format!("{CAEP}credential-change"),
                json!({ "credential_type": credential_type, "change_type": change_type }),
            ),
            Self::AccountDisabled => return (format!("{RISC}account-disabled"), JsonObject::new()),
            Self::AccountEnabled => return (format!("{RISC}account-enabled"), JsonObject::new()),
            Self::Other(address, members) => return (address.clone(), members.clone()),
        };
        let mut members = claims(members);
        // CAEP 1.0, section 2: every event of CAEP may have it; RISC has no such member.
        members.insert("event_timestamp".to_owned(), now.into());
        (address, members)
    }
}

/// Sends an event about a user, or one of their sessions, into every stream that wants it. Answers
/// when those that are pushed have arrived, or could not be.
pub(crate) async fn send(
    state: &Arc<IdpState>,
    username: &str,
    session: Option<&str>,
    event: &SecurityEvent,
) -> Vec<EventNotice> {
    let (address, members) = event.payload(state.now());
    // A copy: the lock must not be held while events are pushed.
    let streams: Vec<EventStream> = state.store().streams().to_vec();
    let mut notices = Vec::new();
    for stream in streams {
        let Some(user) = subject(state, username, &stream.client) else {
            continue;
        };
        let about = match session {
            Some(id) => {
                json!({
                    "format": "complex",
                    "user": user,
                    "session": { "format": "opaque", "id": id },
                })
            }
            None => user.clone(),
        };
        if stream.status != StreamStatus::Disabled && stream.wants(&address, &user) {
            notices.push(deliver(state, &stream, &about, (&address, &members)).await);
        }
    }
    notices
}

/// The user as ID tokens for that client name them.
fn subject(state: &IdpState, username: &str, client: &str) -> Option<Value> {
    let identity = state
        .shape
        .id_token(&TokenFacts::of_user(state, state.user(username)?, client));
    Some(json!({ "format": "iss_sub", "iss": identity.get("iss"), "sub": identity.get("sub") }))
}

/// Puts an event into a stream, and pushes it if it is pushed.
pub(crate) async fn deliver(
    state: &Arc<IdpState>,
    stream: &EventStream,
    about: &Value,
    (address, members): (&str, &JsonObject),
) -> EventNotice {
    let jti = random_text(16);
    let set = set(
        state,
        stream,
        &jti,
        json!({ "sub_id": about, "events": { address: members } }),
    );
    // Queued before it is pushed: a paused or failing stream keeps it.
    if let Some(stream) = state.store().stream(&stream.id, &stream.client) {
        stream.wait(jti.clone(), set.clone());
    }
    let (stream, client) = (stream.clone(), stream.client.clone());
    let status = match (&stream.delivery, stream.status) {
        (Delivery::Push { .. }, StreamStatus::Enabled) => push(state, &stream, &jti, &set).await,
        _ => None,
    };
    let waits = !status.is_some_and(is_settled);
    EventNotice {
        stream: stream.id,
        client,
        jti,
        status,
        waits,
    }
}

/// Pushes what waits, in order, until something does not arrive.
pub(crate) async fn push_waiting(state: &Arc<IdpState>, stream: &EventStream) {
    for (jti, set) in stream.oldest(usize::MAX) {
        if !push(state, stream, &jti, &set)
            .await
            .is_some_and(is_settled)
        {
            // The receiver fails: each further event would cost four attempts more.
            return;
        }
    }
}

/// RFC 8935, section 2. What was taken, or refused for good, waits no longer.
async fn push(state: &Arc<IdpState>, stream: &EventStream, jti: &str, set: &str) -> Option<u16> {
    let Delivery::Push { url, authorization } = &stream.delivery else {
        return None;
    };
    let mut status = None;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            // Twice as long each time, so that a receiver that restarts is met again.
            tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
        }
        let authorization = authorization.as_deref();
        let content_type = "application/secevent+jwt";
        status = state
            .outbound
            .post(OutboundMessage {
                url,
                content_type,
                authorization,
                body: set.to_owned(),
            })
            .await;
        if status.is_some_and(is_settled) {
            if let Some(stream) = state.store().stream(&stream.id, &stream.client) {
                stream.acknowledge(&[jti.to_owned()]);
            }
            break;
        }
    }
    status
}

/// Whether asking again makes no sense: it arrived, or the receiver does not want it (400).
fn is_settled(status: u16) -> bool {
    (200..300).contains(&status) || status == 400
}

/// A signed event (RFC 8417, section 2): no `sub` and no `exp`, and a type of its own, so that it
/// is no other token.
fn set(state: &IdpState, stream: &EventStream, jti: &str, more: Value) -> String {
    let key = state.keys.signing();
    // The type keeps an event from being taken for an access token (RFC 8417, section 2.3).
    let header = json!({ "typ": "secevent+jwt", "alg": key.algorithm.name(), "kid": key.kid });
    let told = json!({
        "iss": state.issuer.as_str(),
        "aud": stream.client,
        "iat": state.now(),
        "jti": jti,
        "txn": random_text(16),
    });
    let mut told = claims(told);
    told.extend(claims(more));
    key.jws(&claims(header), &told)
}
