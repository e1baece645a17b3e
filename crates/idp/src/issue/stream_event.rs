//! Events about a stream itself: its verification, and its status (SSF 1.0, section 8.1).

use crate::issue::delivery::{EventContent, deliver, enqueue, push_waiting};
use crate::state::IdpState;
use crate::store::notice::EventNotice;
use crate::store::stream::{EventStream, StreamStatus};
use crate::token::claims::claims;
use crate::token::kind::FlowToken;
use serde_json::{Value, json};
use std::sync::Arc;

const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

const STREAM_UPDATED: &str = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";

/// Sends a verification event. `echo` is the `state` of the client's request; the provider's own
/// have none.
pub(crate) async fn verify(
    state: &Arc<IdpState>,
    stream: &EventStream,
    echo: Option<String>,
) -> EventNotice {
    let flaws = state.flaws.take(FlowToken::Event);
    let content = EventContent {
        flaws: &flaws,
        ..about(stream, VERIFICATION, json!({ "state": echo }))
    };
    deliver(state, stream, &content).await
}

/// Sends a verification event that nobody asked for into every stream.
pub(crate) async fn verify_all(state: &Arc<IdpState>) -> Vec<EventNotice> {
    let streams = state.store().streams().to_vec();
    let mut notices = Vec::new();
    for stream in &streams {
        notices.push(verify(state, stream, None).await);
    }
    notices
}

/// Changes a stream's status as the provider's own decision: its receiver is told. Returns whether
/// there is such a stream.
pub(crate) async fn change_status(
    state: &Arc<IdpState>,
    id: &str,
    status: StreamStatus,
    reason: Option<String>,
) -> bool {
    let is_known = stop_or_start(state, id, status, reason);
    push_waiting(state, id).await;
    is_known
}

/// Pauses the streams whose clients were not heard of for too long.
pub(crate) fn pause_inactive(state: &Arc<IdpState>) {
    let timeout = u64::from(state.config.events.inactivity_timeout);
    if timeout == 0 {
        return;
    }
    let now = state.now();
    let is_inactive = |stream: &&EventStream| {
        stream.status == StreamStatus::Enabled && now.saturating_sub(stream.used_at) >= timeout
    };
    let store = state.store();
    let inactive: Vec<String> = store
        .streams()
        .iter()
        .filter(is_inactive)
        .map(|stream| stream.id.clone())
        .collect();
    drop(store);
    for id in inactive {
        let reason = Some("inactivity_timeout".to_owned());
        stop_or_start(state, &id, StreamStatus::Paused, reason);
        let state = Arc::clone(state);
        // In the background: whoever found it out need not wait for the receiver.
        tokio::spawn(async move { push_waiting(&state, &id).await });
    }
}

fn stop_or_start(
    state: &Arc<IdpState>,
    id: &str,
    status: StreamStatus,
    reason: Option<String>,
) -> bool {
    let Some(stream) = state.store().any_stream(id).cloned() else {
        return false;
    };
    let content = EventContent {
        is_about_status: true,
        ..about(
            &stream,
            STREAM_UPDATED,
            json!({ "status": status.name(), "reason": reason }),
        )
    };
    // Queued before the stream stops: such an event goes out even then.
    enqueue(state, &stream, &content);
    if let Some(stream) = state.store().any_stream(id) {
        stream.set_status(status, reason);
    }
    true
}

fn about<'e>(stream: &EventStream, event_type: &'e str, members: Value) -> EventContent<'e> {
    EventContent {
        event_type,
        members: claims(members),
        sub_id: json!({ "format": "opaque", "id": stream.id }),
        user: None,
        flaws: &[],
        is_about_status: false,
    }
}
