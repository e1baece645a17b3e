//! A verification event that is asked for by somebody who is not its receiver, such as an operator.

use super::seen::{PREFIX, answer_id, expectation_id, state_id};
use crate::possession::ExpiringKeys;
use crate::settings::Settings;
use portcullis_core::rejection::quote;
use portcullis_core::token::NumericDate;
use portcullis_core::{ConfigError, Outage};
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
    store: String,
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
            store: store.without_password(),
        })
    }

    /// Why events of this stream would not arrive by these settings, if they would not; `audience`
    /// is what the transmitter says of the stream.
    pub fn find_receiver_fault(
        &self,
        transmitter: &str,
        stream_id: &str,
        audience: &[String],
    ) -> Option<ConfigError> {
        let mut others = Vec::new();
        let mut streams = self.streams.iter();
        let stream = streams.find(|stream| {
            let is_own = stream.terms.transmitter.as_str() == transmitter;
            let id = stream.watch.as_ref().map(|watch| &*watch.stream_id);
            match id {
                Some(id) if is_own && id != stream_id => {
                    others.push(quote(id));
                    false
                }
                _ => is_own,
            }
        });
        let Some(stream) = stream else {
            if others.is_empty() {
                let expected = format!("a table of the transmitter {transmitter}");
                let help = "write the `issuer` of the transmitter's metadata, exactly";
                return Some(
                    ConfigError::expected("events", expected)
                        .found_as("none")
                        .help(help),
                );
            }
            let help = "write the id of the stream, as `portcullis events status` lists it";
            let fault = ConfigError::expected("events.stream_id", quote(stream_id));
            return Some(fault.found_as(others.join(", ")).help(help));
        };
        let known = &stream.terms.audiences;
        if !audience.is_empty() && !audience.iter().any(|it| known.contains(it)) {
            let list = |names: &[String]| {
                let names: Vec<String> = names.iter().map(|it| quote(it)).collect();
                names.join(" or ")
            };
            let help = "write the stream's `aud`: every event is refused otherwise";
            let fault = ConfigError::expected("events.audience", list(audience));
            return Some(fault.found_as(list(known)).help(help));
        }
        if self.revocation.store_url().is_none() {
            let help = "name the store that replicas share; without one, leave `--config` out, and \
                look at the receiver's audit records or its log";
            let fault = ConfigError::expected("revocation.store", "a shared store");
            return Some(fault.found_nothing().help(help));
        }
        None
    }
}

impl ExpectedVerification {
    /// The address of the store, without user and password.
    pub fn store(&self) -> &str {
        &self.store
    }

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
