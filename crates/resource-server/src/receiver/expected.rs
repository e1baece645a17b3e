//! A verification event that is asked for by somebody who is not its receiver, such as an operator.

use super::seen::{PREFIX, answer_id, expectation_id, state_id};
use crate::possession::ExpiringKeys;
use crate::settings::Settings;
use portcullis_core::Outage;
use portcullis_core::token::NumericDate;
use portcullis_provider::clock::{Clock, SystemClock};
use std::fmt;
use std::sync::Arc;

/// A verification event that receivers who share a store are told about (SSF 1.0, section 8.1.4).
///
/// ```no_run
/// # async fn example(settings: portcullis_resource_server::Settings) -> Option<()> {
/// let expected = settings.expected_verification("https://idp.example", "stream-1", "a-state")?;
/// expected.announce().await.ok()?;
/// // Ask the transmitter with that state, and then:
/// println!("{:?}", expected.has_come().await);
/// # Some(())
/// # }
/// ```
pub struct ExpectedVerification {
    shared: ExpiringKeys,
    clock: Arc<dyn Clock>,
    stream: String,
    state: String,
}

impl Settings {
    /// The verification with this state of a stream of this transmitter, for the receivers of these
    /// settings. `None` if they have no such stream, or share no store.
    pub fn expected_verification(
        &self,
        transmitter: &str,
        stream_id: &str,
        state: &str,
    ) -> Option<ExpectedVerification> {
        let mut streams = self.streams.iter();
        let stream = streams.find(|stream| {
            let id = stream.watch.as_ref().map(|watch| &*watch.stream_id);
            // One whose id is not written may be any of its transmitter's.
            stream.terms.transmitter.as_str() == transmitter && id.is_none_or(|id| id == stream_id)
        })?;
        let store = self.revocation.store_url()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Some(ExpectedVerification {
            shared: ExpiringKeys::with_prefix(store, PREFIX, Arc::clone(&clock)),
            clock,
            stream: stream.name.clone(),
            state: state.to_owned(),
        })
    }
}

impl ExpectedVerification {
    /// Tells the receivers. For ten minutes they refuse a verification with another state, and this
    /// one is known for an hour.
    ///
    /// # Errors
    ///
    /// The store cannot be reached.
    pub async fn announce(&self) -> Result<(), Outage> {
        let now = self.now();
        // The state first: a verification that comes in between must not find another.
        for id in [
            state_id(&self.stream, &self.state, now),
            expectation_id(&self.stream, now),
        ] {
            self.shared.is_first_use(&id, now).await?;
        }
        Ok(())
    }

    /// Whether it came to a receiver.
    ///
    /// # Errors
    ///
    /// The store cannot be reached.
    pub async fn has_come(&self) -> Result<bool, Outage> {
        let id = answer_id(&self.stream, &self.state, self.now());
        self.shared.holds(&id).await
    }

    fn now(&self) -> NumericDate {
        self.clock.now()
    }
}

/// Shows the name of the stream, and not its state.
impl fmt::Debug for ExpectedVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a verification of the stream `{}`", self.stream)
    }
}
