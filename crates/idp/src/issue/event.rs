//! Security events (RFC 8417) about users: made to order, signed, and sent into the streams that
//! want them.

use crate::config::user::User;
use crate::fault::flaw::Flaw;
use crate::issue::delivery::{EventContent, deliver, draft};
use crate::issue::security_event::SecurityEvent;
use crate::issue::stream_event::pause_inactive;
use crate::issue::subject::{EventSubject, iss_sub};
use crate::state::IdpState;
use crate::store::notice::EventNotice;
use crate::store::stream::{EventStream, StreamStatus};
use crate::token::claims::JsonObject;
use crate::token::kind::FlowToken;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// A security event in the making: valid as it is, and any part can be broken on purpose.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_idp::{EventSubject, Flaw, Idp, SecurityEvent};
///
/// let idp = Idp::start(Default::default()).await?;
/// // Into every stream that wants it:
/// idp.event("alice", SecurityEvent::SessionRevoked)
///     .member("initiating_entity", "admin")
///     .send()
///     .await;
/// // Past all streams, to be posted to a receiver by hand:
/// let forged = idp
///     .event("alice", SecurityEvent::AccountDisabled)
///     .subject(EventSubject::Email)
///     .flaw(Flaw::WrongKey)
///     .sign("https://api.example.com");
/// # Ok(())
/// # }
/// ```
#[must_use = "an event that is neither sent nor signed is no event"]
pub struct EventBuilder {
    state: Arc<IdpState>,
    username: String,
    event: SecurityEvent,
    subject: EventSubject,
    members: Vec<(String, Value)>,
    flaws: Vec<Flaw>,
}

impl EventBuilder {
    pub(crate) fn new(state: &Arc<IdpState>, username: &str, event: SecurityEvent) -> Self {
        let subject = if event.is_about_address() {
            EventSubject::Email
        } else {
            EventSubject::IssSub
        };
        Self {
            state: Arc::clone(state),
            username: username.to_owned(),
            event,
            subject,
            members: Vec::new(),
            flaws: Vec::new(),
        }
    }

    /// With another way to name the user.
    pub fn subject(mut self, subject: EventSubject) -> Self {
        self.subject = subject;
        self
    }

    /// With this member of the event, whatever it was before; null leaves it out.
    ///
    /// Every event of CAEP can have `event_timestamp` (seconds since 1970, by default now),
    /// `initiating_entity` (`admin`, `user`, `policy` or `system`), `reason_admin` and
    /// `reason_user` (an object of texts by language) (CAEP 1.0, section 2).
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.push((name.to_owned(), value.into()));
        self
    }

    /// With this flaw, besides those that are ordered for all events.
    pub fn flaw(mut self, flaw: Flaw) -> Self {
        self.flaws.push(flaw);
        self
    }

    /// Signs it for this audience, and sends it nowhere. An unknown name makes a user.
    ///
    /// Of a user without an address, an event about one has no subject.
    pub fn sign(self, audience: &str) -> String {
        let user = match self.state.user(&self.username) {
            Some(user) => user,
            None => Arc::new(User::unknown(&self.username)),
        };
        let sub_id = self.subject.sub_id(&self.state, &user, audience);
        let (event_type, flaws) = (self.event.event_type(), self.all_flaws());
        let content = self.content(&event_type, sub_id.unwrap_or_default(), &flaws);
        let draft = draft(&self.state, audience, &content).spoil(&self.state, &flaws);
        draft.sign(&self.state)
    }

    /// Sends it into every stream that wants it. Returns when the pushed ones have arrived, or
    /// failed after four attempts within some seconds. About unknown users nothing is sent.
    pub async fn send(self) -> Vec<EventNotice> {
        pause_inactive(&self.state);
        let Some(user) = self.state.user(&self.username) else {
            return Vec::new();
        };
        let (event_type, flaws) = (self.event.event_type(), self.all_flaws());
        // A copy: the lock must not be held while events are pushed.
        let streams: Vec<EventStream> = self.state.store().streams().to_vec();
        let mut notices = Vec::new();
        for stream in streams {
            let known_as = iss_sub(&self.state, &user, &stream.client);
            let is_wanted =
                stream.status != StreamStatus::Disabled && stream.wants(&event_type, &known_as);
            let sub_id = self.subject.sub_id(&self.state, &user, &stream.client);
            if let (true, Some(sub_id)) = (is_wanted, sub_id) {
                let content = self.content(&event_type, sub_id, &flaws);
                notices.push(deliver(&self.state, &stream, &content).await);
            }
        }
        notices
    }

    fn all_flaws(&self) -> Vec<Flaw> {
        let ordered = self.state.flaws.take(FlowToken::Event);
        [ordered, self.flaws.clone()].concat()
    }

    fn content<'e>(
        &'e self,
        event_type: &'e str,
        sub_id: Value,
        flaws: &'e [Flaw],
    ) -> EventContent<'e> {
        EventContent {
            event_type,
            members: self.all_members(),
            sub_id,
            user: Some(&self.username),
            flaws,
            is_about_status: false,
        }
    }

    fn all_members(&self) -> JsonObject {
        let mut members = self.event.members(self.state.now());
        for (name, value) in &self.members {
            match value {
                Value::Null => _ = members.remove(name),
                value => _ = members.insert(name.clone(), value.clone()),
            }
        }
        members
    }
}

impl fmt::Debug for EventBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a security event in the making")
    }
}
