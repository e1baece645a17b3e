//! Looking after streams at their transmitters, for as long as the server lives.
//!
//! Every replica reads the status, because each has to know it. One of them asks for verification
//! events: transmitters allow only some.

use crate::receiver::{Answer, EventStream, LOOK, StreamFindings, WatchFault, Watcher};
use crate::server::{ResourceServer, WeakServer};
use portcullis_provider::shared_signals::{TransmitterFaultKind, verification_state};
use std::sync::Arc;
use std::time::Duration;

/// The pause after the first failure. It doubles with each.
const RETRY: Duration = Duration::from_secs(5);

impl ResourceServer {
    /// Begins to look after every stream whose id is in the settings.
    pub(crate) fn start_watching(&self) {
        // Without a runtime, the start of a door begins.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        for stream in self.receivers().find_watched() {
            if stream.watcher.as_ref().is_some_and(Watcher::begin) {
                // Weak, because a task that held the server would keep it alive for ever.
                runtime.spawn(watch(self.downgrade(), Arc::clone(stream)));
            }
        }
    }

    /// Asks for a verification event where it is time, and hears whether the last one came.
    async fn verify_stream(
        &self,
        stream: &EventStream,
        watcher: &Watcher,
        found: &StreamFindings,
    ) -> Result<(), WatchFault> {
        let name = stream.name();
        let interval = watcher.interval(&found.configuration);
        self.note_answer(stream, watcher, interval).await;
        // What is paused answers later or never, and the status says so already.
        if !watcher.is_due(interval) || stream.is_paused() {
            return Ok(());
        }
        // Another replica asks, for as long as it lives.
        let turn = format!("verify:{name}");
        let (receivers, seconds) = (self.receivers(), interval.as_secs().max(1));
        if !receivers
            .take_turn(&turn, &watcher.owner, seconds)
            .await
        {
            return Ok(());
        }
        let Some(state) = verification_state() else {
            return Ok(());
        };
        self.expect_verification(name, &state).await;
        match watcher.ask(found, &state).await {
            Ok(()) => watcher.note_asked(Some(state)),
            // Somebody else asked just before, and the event that comes serves as well.
            Err(fault) if fault.kind == TransmitterFaultKind::TooMany => watcher.note_asked(None),
            Err(fault) if fault.kind == TransmitterFaultKind::Unsupported => {
                watcher.note_asked(None);
            }
            Err(fault) => {
                watcher.note_asked(None);
                return Err(WatchFault {
                    reason: fault.to_string(),
                    is_gone: false,
                });
            }
        }
        Ok(())
    }

    async fn note_answer(&self, stream: &EventStream, watcher: &Watcher, interval: Duration) {
        let Some(state) = watcher.find_awaited() else {
            return;
        };
        let (name, now) = (stream.name(), self.clock().now());
        let has_come = self
            .receivers()
            .seen
            .has_answer(name, &state, now)
            .await;
        match watcher.note_answer(has_come, interval) {
            Answer::Came => tracing::debug!(stream = name, "the verification event came"),
            Answer::Awaited => {}
            Answer::Lost => tracing::warn!(
                stream = name,
                "a verification event that was asked for did not come: others may not come either"
            ),
        }
    }
}

/// Looks for as long as somebody holds the server.
async fn watch(server: WeakServer, stream: Arc<EventStream>) {
    let Some(watcher) = &stream.watcher else {
        return;
    };
    // A start during the transmitter's own restart must not leave the stream unwatched for long.
    let mut failures = 0;
    loop {
        // The server is not held while the transmitter is asked.
        let looked = watcher.look(&stream.settings).await;
        let Some(server) = server.upgrade() else {
            return;
        };
        let result = match looked {
            Ok(found) => {
                note_findings(&stream, watcher, &found);
                let verified = server.verify_stream(&stream, watcher, &found);
                let interval = watcher.interval(&found.configuration);
                verified.await.map(|()| watcher.pause(interval))
            }
            Err(fault) => Err(fault),
        };
        drop(server);
        let pause = match result {
            Ok(pause) => {
                watcher.note_success(stream.name());
                failures = 0;
                pause
            }
            Err(fault) => {
                if fault.is_gone {
                    stream.set_unknown();
                }
                watcher.note_failure(stream.name(), &fault.reason);
                failures += 1;
                RETRY.saturating_mul(1 << failures.min(10)).min(LOOK)
            }
        };
        watcher.egress.clock.sleep(pause).await;
    }
}

fn note_findings(stream: &EventStream, watcher: &Watcher, found: &StreamFindings) {
    if let Some((is_enabled, state)) = found.status() {
        let reason = found.status.as_ref();
        let reason = reason.and_then(|status| status.reason.as_deref());
        stream.set_enabled(is_enabled, state.name(), reason);
    }
    let deviations = stream.settings.deviations(&found.configuration);
    watcher.tell(stream.name(), deviations);
}
