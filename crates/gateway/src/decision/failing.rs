//! Callers who keep failing: after many refusals they get 429 before anything is verified.
//!
//! A refusal counts if it is for what a request carries or lacks. It does not count if the token
//! was good but may not do what it asks, or if the failure was ours. The count is a bucket per
//! address, an IPv6 network of 64 bits being one, and one bucket for all callers whose address is
//! unknown. A caller on loopback that is no proxy is a neighbour on this machine, and not counted.
//! The number of remembered callers is bounded; the least active are forgotten.
//!
//! Callers who share an address are not told apart. So tokens that were verified before pass all
//! the same: behind a NAT, a neighbour's failures cost known callers nothing, and newcomers a
//! little patience.

use crate::request::caller::{Caller, network};
use portcullis_core::Denial;
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many callers are remembered.
const MOST_CALLERS: usize = 65_536;
const MINUTE: Duration = Duration::from_secs(60);

/// The failures of callers. Each has a virtual time at which all of its failures are forgiven, so a
/// bucket is one number and no timer has to drain it.
pub(crate) struct FailingCallers {
    /// The time that one failure adds.
    each: Duration,
    /// `None` stands for all callers whose address is unknown.
    forgiven: Cache<Option<IpAddr>, Arc<AtomicU64>>,
}

impl FailingCallers {
    /// A bound of so many failures a minute, at once or spread; `None` for no bound.
    pub(crate) fn new(per_minute: Option<u32>) -> Option<Self> {
        let each = MINUTE.checked_div(per_minute?)?;
        Some(Self {
            each,
            forgiven: Cache::new(MOST_CALLERS),
        })
    }

    /// How long a caller has to wait; nothing for one that has not failed too often.
    pub(crate) fn wait(&self, caller: Caller, now: Duration) -> Option<Duration> {
        let key = caller.address().map(network);
        let forgiven = self.forgiven.get(&key)?.load(Ordering::Relaxed);
        let ahead = Duration::from_nanos(forgiven).checked_sub(now)?;
        // A minute's worth of failures is free, so only the time beyond it is waited for.
        let wait = ahead.checked_sub(MINUTE)?;
        (!wait.is_zero()).then_some(wait)
    }

    /// Notes a refusal, if it is one that counts.
    pub(crate) fn note(&self, caller: Caller, denial: &Denial, now: Duration) {
        if counts(denial) {
            self.note_failure(caller, now);
        }
    }

    /// Notes a failure.
    pub(crate) fn note_failure(&self, caller: Caller, now: Duration) {
        // Counting a neighbour would let one bad local service lock out all the others.
        if is_neighbour(caller) {
            return;
        }
        let key = caller.address().map(network);
        let Ok::<_, Infallible>(forgiven) = self
            .forgiven
            .get_or_insert_with(&key, || Ok(Arc::default()));
        let (now, each) = (nanoseconds(now), nanoseconds(self.each));
        // A crowd that fails at the same moment is not punished for longer than another minute.
        let most = now.saturating_add(2 * nanoseconds(MINUTE));
        let later = |before: u64| Some(before.max(now).saturating_add(each).min(most));
        // It cannot fail: every value has a later one.
        _ = forgiven.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }

    /// How many callers are remembered.
    pub(crate) fn len(&self) -> usize {
        self.forgiven.len()
    }
}

/// Whether a refusal speaks against a caller. It does not if the token was good.
fn counts(denial: &Denial) -> bool {
    match denial {
        Denial::Rejection(rejection) => !rejection.code().entry().code.starts_with("policy."),
        // Our own failure must not lock callers out once it is over.
        Denial::Outage(_) => false,
    }
}

/// Whether a caller is on this machine, by its own connection. A loopback address that a proxy
/// names is another machine's, or the client's own invention.
fn is_neighbour(caller: Caller) -> bool {
    matches!(caller, Caller::Direct(address) if address.to_canonical().is_loopback())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl fmt::Debug for FailingCallers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failing callers", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::rejection::Rejection;
    use portcullis_core::{Outage, OutageCode};

    fn refused() -> Denial {
        Rejection::of_issuer(None).into()
    }

    #[test]
    fn a_burst_passes_then_one_at_a_time() {
        let callers = FailingCallers::new(Some(60)).unwrap();
        let caller = Caller::Direct([192, 0, 2, 1].into());
        let at = Duration::from_secs;
        for _ in 0..60 {
            assert_eq!(callers.wait(caller, at(100)), None);
            callers.note(caller, &refused(), at(100));
        }
        callers.note(caller, &refused(), at(100));
        assert_eq!(callers.wait(caller, at(100)), Some(at(1)));
        assert_eq!(callers.wait(caller, at(101)), None);
        assert_eq!(
            callers.wait(Caller::Direct([192, 0, 2, 2].into()), at(100)),
            None
        );
        for _ in 0..1_000 {
            callers.note(caller, &refused(), at(101));
        }
        assert_eq!(
            callers.wait(caller, at(101)),
            Some(at(60)),
            "never longer than a minute"
        );
        assert_eq!(callers.wait(caller, at(161)), None);
    }

    #[test]
    fn networks_are_callers_and_neighbours_are_not() {
        let callers = FailingCallers::new(Some(1)).unwrap();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let fails = |caller| {
            callers.note(caller, &refused(), Duration::ZERO);
            callers.note(caller, &refused(), Duration::ZERO);
            callers.wait(caller, Duration::ZERO).is_some()
        };
        let waits = |text| {
            callers
                .wait(Caller::Direct(address(text)), Duration::ZERO)
                .is_some()
        };
        assert!(fails(Caller::Direct(address("2001:db8::1"))));
        assert!(waits("2001:db8::ffff:1") && !waits("2001:db8:0:1::1"));
        for neighbour in ["::1", "127.0.0.1", "::ffff:127.0.0.1"] {
            assert!(!fails(Caller::Direct(address(neighbour))), "{neighbour}");
        }
        assert_eq!(callers.len(), 1);
        // A client can make proxies say this.
        assert!(fails(Caller::Named(address("127.0.0.1"))));
        assert!(fails(Caller::Unknown), "all of them are one");
        assert_eq!(callers.len(), 3);
    }

    #[test]
    fn our_outages_speak_against_nobody() {
        let outage = Outage::new(OutageCode::Keys, "no answer", MINUTE);
        assert!(!counts(&outage.into()) && counts(&refused()));
        assert!(FailingCallers::new(Some(0)).is_none() && FailingCallers::new(None).is_none());
    }
}
