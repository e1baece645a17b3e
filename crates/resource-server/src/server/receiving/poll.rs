//! Fetching the events of streams (RFC 8936), one replica at a time, for as long as the server
//! lives.
//!
//! An event is acknowledged after its effect is written, and not before: what cannot be written is
//! fetched again. A replica whose turn ended in the middle does no harm, as effects join.

use crate::receiver::{Backlog, EventStream, ReceptionFault};
use crate::server::{ResourceServer, WeakServer};
use portcullis_provider::shared_signals::{PollResponse, SetError};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// The pause after an empty answer that came at once: some transmitters do not hold requests.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a replica's turn lasts, in seconds, unless it is kept: longer than one request.
const TURN_SECONDS: u64 = 40;

/// How often a replica that has no turn asks for one.
const TURN_CHECK: Duration = Duration::from_secs(10);

impl ResourceServer {
    /// Begins to fetch the events of every stream that is polled.
    pub(crate) fn start_polling(&self) {
        // Without a runtime, the start of a door begins.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        for stream in self.receivers().find_polled() {
            if stream.begin() {
                // Weak, because a task that held the server would keep it alive for ever.
                runtime.spawn(follow(self.downgrade(), Arc::clone(stream)));
            }
        }
    }
}

/// Fetches for as long as somebody holds the server.
async fn follow(server: WeakServer, stream: Arc<EventStream>) {
    let Some(poller) = &stream.poller else { return };
    let (name, clock) = (stream.name(), Arc::clone(&poller.egress.clock));
    let mut backlog = Backlog::default();
    loop {
        match has_turn(&server, name, &poller.owner).await {
            Some(true) => {}
            Some(false) => {
                clock.sleep(TURN_CHECK).await;
                continue;
            }
            None => return,
        }
        // The server is not held while the transmitter holds the request.
        let began = clock.elapsed();
        let pause = match poller.fetch(&backlog).await {
            Ok(response) => {
                poller.note_success(name);
                let Some(server) = server.upgrade() else {
                    return;
                };
                take(&server, &stream, &response, &mut backlog).await;
                rest(&response, &backlog, clock.elapsed().saturating_sub(began))
            }
            Err(reason) => {
                poller.note_failure(name, &reason);
                backlog.failures = backlog.failures.saturating_add(1);
                backlog.pause()
            }
        };
        if !pause.is_zero() {
            clock.sleep(pause).await;
        }
    }
}

/// Whether this replica fetches at this moment; none once the server is gone.
async fn has_turn(server: &WeakServer, stream: &str, owner: &str) -> Option<bool> {
    let server = server.upgrade()?;
    Some(
        server
            .receivers()
            .take_turn(stream, owner, TURN_SECONDS)
            .await,
    )
}

/// Takes the events of an answer. What was told before is told no more.
async fn take(
    server: &ResourceServer,
    stream: &Arc<EventStream>,
    response: &PollResponse,
    backlog: &mut Backlog,
) {
    *backlog = Backlog::default();
    // At once: each waits for the store, and they do not depend on each other.
    let mut taking = JoinSet::new();
    for (jti, set) in &response.sets {
        let (server, stream) = (server.clone(), Arc::clone(stream));
        let (jti, set) = (jti.clone(), set.clone());
        taking.spawn(async move {
            let reception = server.receive_event(&stream, &set).await;
            let meters = &server.receivers().meters;
            meters.tell_observer(&reception.reports);
            (jti, reception.result)
        });
    }
    while let Some(taken) = taking.join_next().await {
        // A panic was reported already, and its event is fetched again.
        let Ok((jti, result)) = taken else { continue };
        match result {
            Ok(()) => backlog.taken.push(jti),
            Err(ReceptionFault::Refused(fault)) => backlog.refused.push(SetError {
                jti,
                code: fault.code().as_str(),
                description: fault.code().description(),
            }),
            Err(ReceptionFault::Failed(_)) => backlog.failures += 1,
        }
    }
}

/// How long to wait before the next request.
fn rest(response: &PollResponse, backlog: &Backlog, took: Duration) -> Duration {
    if backlog.failures > 0 {
        return backlog.pause();
    }
    // Keycloak does not hold requests: without a pause it would be asked without end.
    let came_at_once = took < PAUSE;
    match response.sets.is_empty() && !response.more && came_at_once {
        true => PAUSE,
        false => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests;
