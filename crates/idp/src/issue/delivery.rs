//! Puts events into streams, and pushes those that are pushed (RFC 8935).

use crate::fault::flaw::Flaw;
use crate::issue::draft::SentDraft;
use crate::state::IdpState;
use crate::state::outbound::{OutboundAnswer, OutboundMessage};
use crate::store::notice::{EventError, EventNotice};
use crate::store::stream::{Delivery, EventStream, WaitingEvent};
use crate::token::claims::{JsonObject, claims};
use crate::token::encoding::random_text;
use crate::token::kind::FlowToken;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How often an event is pushed, and how long the first pause is; each is twice as long as the one
/// before.
const ATTEMPTS: u32 = 4;

const PAUSE: Duration = Duration::from_millis(200);

/// How much of a receiver's words is kept.
const LONGEST: usize = 300;

/// What an event in a stream says.
pub(crate) struct EventContent<'e> {
    pub(crate) event_type: &'e str,
    pub(crate) members: JsonObject,
    pub(crate) sub_id: Value,
    /// The user that it is about; none where it is about the stream.
    pub(crate) user: Option<&'e str>,
    pub(crate) flaws: &'e [Flaw],
    /// Whether it tells of the stream's own status.
    pub(crate) is_about_status: bool,
}

/// Puts an event into a stream, and pushes what waits there if it is pushed.
pub(crate) async fn deliver(
    state: &Arc<IdpState>,
    stream: &EventStream,
    content: &EventContent<'_>,
) -> EventNotice {
    let notice = enqueue(state, stream, content);
    push_waiting(state, &stream.id).await;
    let store = state.store();
    // As it stands now: another task may have pushed it.
    store
        .notices
        .find(&notice.stream, &notice.jti)
        .cloned()
        .unwrap_or(notice)
}

/// Puts an event into a stream.
pub(crate) fn enqueue(
    state: &Arc<IdpState>,
    stream: &EventStream,
    content: &EventContent<'_>,
) -> EventNotice {
    let draft = draft(state, &stream.client, content).spoil(state, content.flaws);
    // One without a `jti` needs a name as well, to be fetched under.
    let jti = draft
        .jti()
        .map_or_else(|| random_text(16), str::to_owned);
    let set = draft.sign(state);
    let notice = EventNotice {
        stream: stream.id.clone(),
        client: stream.client.clone(),
        event: content.event_type.to_owned(),
        user: content.user.map(str::to_owned),
        at: state.now(),
        jti: jti.clone(),
        status: None,
        waits: true,
        error: None,
    };
    let mut store = state.store();
    store.notices.add(notice.clone());
    if let Some(stream) = store.any_stream(&stream.id) {
        stream.wait(WaitingEvent {
            jti,
            set,
            is_about_status: content.is_about_status,
        });
    }
    notice
}

/// An event (RFC 8417, section 2): no `sub` and no `exp`, and a type of its own, so that it is no
/// other token.
pub(crate) fn draft(state: &IdpState, audience: &str, content: &EventContent<'_>) -> SentDraft {
    let told = json!({
        "iss": state.issuer.as_str(),
        "aud": audience,
        "iat": state.now(),
        "jti": random_text(16),
        "txn": random_text(16),
        "sub_id": content.sub_id,
        "events": { content.event_type: content.members },
    });
    let key = state.keys.signing();
    SentDraft::new(FlowToken::Event, "secevent+jwt", key, claims(told))
}

/// Pushes what waits, in order, until something does not arrive.
pub(crate) async fn push_waiting(state: &Arc<IdpState>, id: &str) {
    let Some(pushing) = state
        .store()
        .any_stream(id)
        .map(|stream| Arc::clone(&stream.pushing))
    else {
        return;
    };
    let _turn = pushing.lock().await;
    while let Some((url, authorization, event)) = next_to_push(state, id) {
        let answer = push(state, &url, authorization.as_deref(), &event.set).await;
        // The receiver fails: each further event would cost four attempts more.
        if !settle(state, id, &event.jti, answer.as_ref()) {
            return;
        }
    }
}

fn next_to_push(state: &IdpState, id: &str) -> Option<(String, Option<String>, WaitingEvent)> {
    let mut store = state.store();
    let stream = store.any_stream(id)?;
    let Delivery::Push { url, authorization } = stream.delivery.clone() else {
        return None;
    };
    Some((url, authorization, stream.oldest(1).pop()?))
}

/// RFC 8935, section 2.
async fn push(
    state: &Arc<IdpState>,
    url: &str,
    authorization: Option<&str>,
    set: &str,
) -> Option<OutboundAnswer> {
    let mut answer = None;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            // Twice as long each time, so that a receiver that restarts is met again.
            tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
        }
        let content_type = "application/secevent+jwt";
        answer = state
            .outbound
            .post(OutboundMessage {
                url,
                content_type,
                authorization,
                body: set.to_owned(),
            })
            .await;
        if answer.as_ref().is_some_and(is_settled) {
            break;
        }
    }
    answer
}

/// Whether asking again makes no sense: it arrived, or the receiver does not want it (400).
fn is_settled(answer: &OutboundAnswer) -> bool {
    (200..300).contains(&answer.status) || answer.status == 400
}

/// Notes an answer. What was taken, or refused for good, waits no longer.
fn settle(state: &IdpState, id: &str, jti: &str, answer: Option<&OutboundAnswer>) -> bool {
    let is_settled = answer.is_some_and(is_settled);
    let mut store = state.store();
    store.notices.settle(id, jti, |notice| {
        notice.waits = !is_settled;
        if let Some(answer) = answer {
            notice.status = Some(answer.status);
            notice.error = (answer.status == 400).then(|| error_in(&answer.body));
        }
    });
    if is_settled && let Some(stream) = store.any_stream(id) {
        stream.acknowledge(&[jti.to_owned()]);
    }
    is_settled
}

fn error_in(body: &str) -> EventError {
    event_error(&serde_json::from_str(body).unwrap_or_default())
}

/// What a receiver says of an event that it refuses.
pub(crate) fn event_error(told: &Value) -> EventError {
    let text = |name: &str| {
        let text = told.get(name).and_then(Value::as_str);
        text.unwrap_or_default()
            .chars()
            .take(LONGEST)
            .collect()
    };
    EventError {
        err: text("err"),
        description: text("description"),
    }
}
