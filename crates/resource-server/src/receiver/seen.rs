//! The events that were taken, so that one that comes twice has one effect, and the states by which
//! verifications are known.
//!
//! Remembered after its effect was written, and never before: an event whose effect failed must be
//! taken again. Two replicas may thus take the same event at once; marks join, so that does no
//! harm.

use crate::possession::UsedProofs;
use portcullis_core::proof::ProofId;
use portcullis_core::token::NumericDate;

#[cfg(feature = "redis")]
use {
    crate::possession::ExpiringKeys, crate::revocation::StoreUrl,
    portcullis_provider::clock::Clock, std::sync::Arc,
};

/// How many are remembered by a replica: one that is forgotten is taken again, without effect.
const REMEMBERED: usize = 200_000;

/// The seconds of one set.
const SLOT: i64 = 3_600;

/// How long a transmitter may repeat an event: a day.
const REPEATED_SECONDS: i64 = 86_400;

/// How long the answer to a request for verification may take: an hour.
const VERIFIED_SECONDS: i64 = 3_600;

/// How long a verification with another state is refused: ten minutes. After that, whoever asked
/// may have asked elsewhere too.
const EXPECTED_SECONDS: i64 = 600;

/// What the key of an event begins with in the store.
#[cfg(feature = "redis")]
pub(super) const PREFIX: &str = "portcullis:event:";

/// What is remembered of events.
pub(crate) struct SeenEvents {
    here: UsedProofs,
    #[cfg(feature = "redis")]
    shared: Option<ExpiringKeys>,
}

impl SeenEvents {
    pub(crate) fn new() -> Self {
        Self {
            here: UsedProofs::with_slots(REMEMBERED, SLOT),
            #[cfg(feature = "redis")]
            shared: None,
        }
    }

    /// Shared with other replicas by this store.
    #[cfg(feature = "redis")]
    pub(crate) fn shared_by(mut self, store: Option<&StoreUrl>, clock: &Arc<dyn Clock>) -> Self {
        let shared = |url| ExpiringKeys::with_prefix(url, PREFIX, Arc::clone(clock));
        self.shared = store.map(shared);
        self
    }

    /// Whether an event was taken, here or at another replica.
    pub(crate) async fn knows(&self, id: &ProofId, now: NumericDate) -> bool {
        if self.here.holds(id, now) {
            return true;
        }
        #[cfg(feature = "redis")]
        if let Some(shared) = &self.shared {
            // A store that is away cannot tell, and the event is taken again at worst.
            return shared.holds(id).await.unwrap_or(false);
        }
        false
    }

    /// Takes or keeps the turn of a replica to fetch the events of a stream.
    #[cfg_attr(
        not(feature = "redis"),
        expect(clippy::unused_async, unused_variables, reason = "for a store")
    )]
    pub(crate) async fn take_turn(&self, stream: &str, owner: &str, seconds: u64) -> bool {
        #[cfg(feature = "redis")]
        if let Some(shared) = &self.shared {
            let name = format!("turn:{stream}");
            // A store that is away takes no marks either, so nothing could be taken.
            return shared
                .take_turn(&name, owner, seconds)
                .await
                .unwrap_or(false);
        }
        true
    }

    /// Whether a verification with this state came, here or at another replica.
    pub(crate) async fn has_answer(&self, stream: &str, state: &str, now: NumericDate) -> bool {
        self.knows(&answer_id(stream, state, now), now).await
    }

    pub(crate) async fn remember(&self, id: &ProofId, now: NumericDate) {
        _ = self.here.is_first_use(id, now);
        #[cfg(feature = "redis")]
        if let Some(shared) = &self.shared {
            _ = shared.is_first_use(id, now).await;
        }
    }
}

/// What an event is remembered by.
pub(crate) fn event_id(issuer: &str, token_id: &str, now: NumericDate) -> ProofId {
    id("event", issuer, token_id, now.plus(REPEATED_SECONDS))
}

/// What the state of a verification is remembered by.
pub(crate) fn state_id(stream: &str, state: &str, now: NumericDate) -> ProofId {
    id("state", stream, state, now.plus(VERIFIED_SECONDS))
}

/// What it is remembered by that a verification is expected.
pub(crate) fn expectation_id(stream: &str, now: NumericDate) -> ProofId {
    id("expectation", stream, "", now.plus(EXPECTED_SECONDS))
}

/// What it is remembered by that a verification with this state came.
pub(crate) fn answer_id(stream: &str, state: &str, now: NumericDate) -> ProofId {
    id("answer", stream, state, now.plus(VERIFIED_SECONDS))
}

fn id(kind: &str, one: &str, other: &str, until: NumericDate) -> ProofId {
    // The length keeps the end of the one apart from the beginning of the other.
    let text = format!("{kind} {} {one}{other}", one.len());
    ProofId {
        digest: crate::token_digest::token_digest(&text),
        until,
    }
}
