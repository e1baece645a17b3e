//! Revocation: tokens that are refused although they have not ended, in memory or from a store that
//! replicas share.
//!
//! Every replica holds all revocations in memory, so a decision never waits for the store. With a
//! store, a replica follows its log; it answers with an outage before the first full load, and when
//! it has not heard from the store for longer than the grace. It never takes "unknown" for "not
//! revoked", unless the settings say so in a setting that has `danger` in its name.
//!
//! Not checked: whether a writer of the store may write it. The store's own access control does
//! that.

mod contact;
mod denylist;
mod mark;
#[expect(clippy::module_inception, reason = "the noun of this module")]
mod revocation;
mod settings;
mod source;
#[cfg(feature = "redis")]
mod store;

pub use contact::StoreStatus;
pub use mark::RevokedKind;
pub use revocation::{LONGEST_UNVERIFIED_SECONDS, REMEMBERED_SECONDS, Revocation};
pub use settings::{RevocationConfig, StoreUrl};
pub use source::RevocationSource;
#[cfg(feature = "redis")]
pub use store::RevocationStore;
#[cfg(all(feature = "redis", feature = "fuzzing"))]
pub(crate) use store::rewrite;

pub(crate) use contact::Contact;
pub(crate) use denylist::{Denylist, DenylistFull};
pub(crate) use mark::{Revocable, Standing};
pub(crate) use settings::RevocationSettings;

use crate::events;
use portcullis_core::rejection::Rejection;
use portcullis_core::{Denial, Outage, OutageCode};
use portcullis_provider::clock::Clock;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// The live check of one server.
#[derive(Debug)]
pub(crate) struct Revocations {
    pub(crate) list: Denylist,
    pub(crate) contact: Option<Contact>,
    pub(crate) clock: Arc<dyn Clock>,
    settings: RevocationSettings,
    #[cfg(feature = "redis")]
    follower: Option<store::Follower>,
}

/// The state of revocation: for readiness, logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationStatus {
    /// How many entries the denylist holds.
    pub entries: usize,
    /// The state of the store, if one is configured.
    pub store: Option<StoreStatus>,
}

impl RevocationStatus {
    /// Records it in metrics. `now` is in Unix time.
    pub(crate) fn record(&self, recorder: &dyn metrics::Recorder, now: f64) {
        events::DENYLIST.set(recorder, &[], self.entries as f64);
        if let Some(store) = &self.store {
            let contact = match store.last_contact {
                Some(ago) => now - ago.as_secs_f64(),
                None => 0.0,
            };
            events::DENYLIST_IN_STEP.set(recorder, &[], f64::from(u8::from(store.in_step)));
            events::DENYLIST_CONTACT.set(recorder, &[], contact);
        }
    }
}

impl Revocations {
    pub(crate) fn new(settings: &RevocationSettings, clock: &Arc<dyn Clock>) -> Arc<Self> {
        let mut contact = None;
        if let Some(store) = &settings.store {
            if store.serves_without {
                tracing::warn!(
                    "danger_serve_without_store: while the store is away, revoked tokens may be \
                        accepted"
                );
            }
            let (clock, grace) = (Arc::clone(clock), store.grace);
            contact = Some(Contact::new(clock, grace, store.serves_without));
        }
        Arc::new(Self {
            list: Denylist::new(settings.entries),
            contact,
            clock: Arc::clone(clock),
            settings: settings.clone(),
            #[cfg(feature = "redis")]
            follower: settings.store.as_ref().map(store::Follower::new),
        })
    }

    /// These, if the settings are the same; else new ones, which know nothing yet.
    pub(crate) fn succeeded_by(self: &Arc<Self>, settings: &RevocationSettings) -> Arc<Self> {
        // Shared, not copied: a reload must not open a moment in which a revoked token is accepted.
        if self.settings == *settings {
            return Arc::clone(self);
        }
        tracing::warn!(
            "the settings of revocation changed: revocations in memory only are forgotten"
        );
        Self::new(settings, &self.clock)
    }

    /// Begins to follow the store, once. Needs a Tokio runtime; without one, the first request
    /// begins.
    pub(crate) fn start(self: &Arc<Self>) {
        #[cfg(feature = "redis")]
        if let Some(follower) = &self.follower {
            follower.start(self);
        }
    }

    /// Whether a verified token may be used: it is not revoked, and this server is in a position to
    /// tell.
    pub(crate) async fn check(
        self: &Arc<Self>,
        standing: &Standing,
        token: Revocable<'_>,
    ) -> Result<(), Denial> {
        if let Some(contact) = &self.contact {
            self.start();
            contact.first_attempt().await;
        }
        // Asked before the lookup: a load that ends in between says nothing about what the lookup
        // found. Used after it: a known revocation refuses the token, whatever state the store is
        // in.
        let vouched = match &self.contact {
            Some(contact) => contact.vouch(),
            None => Ok(()),
        };
        match self.find(standing, token) {
            Some(revocation) => Err(refusal(&revocation, token).into()),
            None => vouched.map_err(Denial::from),
        }
    }

    /// Which revocation refuses a token, if one does.
    pub(crate) fn find(&self, standing: &Standing, token: Revocable<'_>) -> Option<Revocation> {
        // Before the lookup: an entry that comes meanwhile has a later number.
        let change = self.list.change();
        if standing.is_clear_at(change) {
            return None;
        }
        for mark in standing.marks(token) {
            let found = self.list.refuses(mark, token.moment(mark.kind()));
            if found.is_some() {
                return found;
            }
        }
        standing.clear(change);
        None
    }

    /// Puts a revocation in force here, and publishes it to the other replicas.
    pub(crate) async fn revoke(&self, mut revocation: Revocation) -> Result<(), Outage> {
        if revocation.source().is_none() {
            let now = self.clock.now();
            revocation = revocation.caused_by(RevocationSource::Operator, now);
        }
        // Here first: a store that is away must not delay it.
        self.list.add(revocation, self.clock.now())?;
        #[cfg(feature = "redis")]
        if let Some(follower) = &self.follower {
            follower.publish(revocation, self.clock.now()).await?;
        }
        Ok(())
    }

    pub(crate) fn status(&self) -> RevocationStatus {
        RevocationStatus {
            entries: self.list.len(),
            store: self.contact.as_ref().map(Contact::status),
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.contact.as_ref().is_none_or(Contact::is_ready)
    }

    /// Whether a check has anything to go by.
    pub(crate) fn is_in_use(&self) -> bool {
        self.contact.is_some() || self.list.change() > 0
    }
}

/// The refusal of a revoked token, which names the caller if the token was verified.
fn refusal(revocation: &Revocation, token: Revocable<'_>) -> Rejection {
    let kind = revocation.kind();
    let cause = revocation.term.cause;
    let found = match cause.source() {
        Some(_) => Cow::Owned(format!("{}, {cause}", kind.found())),
        None => Cow::Borrowed(kind.found()),
    };
    let rejection = match kind {
        // A new sign-in cures it, so the client is told to have one (RFC 9470, section 3).
        RevokedKind::SignIn => Rejection::of_sign_in(found),
        _ => Rejection::of_revocation(found),
    };
    match token {
        Revocable::Verified(token) => rejection.with_caller(token.into()),
        Revocable::Proven(token) => rejection.with_caller(token.into()),
        Revocable::Unverified(..) => rejection,
    }
}

impl From<DenylistFull> for Outage {
    fn from(DenylistFull { most }: DenylistFull) -> Self {
        let facts = format!(
            "the denylist is full with {most} entries; `revocation.entries` sets how many it may \
                hold"
        );
        Self::new(OutageCode::Revocation, facts, Duration::from_secs(30))
    }
}
