//! Faults of endpoints, flaws of tokens, and counters of requests, for tests.

use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use crate::fault::flaw::Flaw;
use crate::fault::order::FaultOrder;
use crate::server::idp::Idp;
use crate::token::kind::FlowToken;
use std::sync::atomic::Ordering;

impl Idp {
    /// Makes an endpoint fail, or work again ([`Fault::None`]).
    pub fn fail(&self, endpoint: Endpoint, fault: Fault) {
        self.state.switches.set(endpoint, fault.into());
    }

    /// Makes the next requests of an endpoint fail. After them it works again, so a client that
    /// tries again succeeds.
    pub fn fail_next(&self, endpoint: Endpoint, fault: Fault, requests: u32) {
        let order = FaultOrder::with_requests(fault, requests);
        self.state.switches.set(endpoint, order);
    }

    /// How many requests an endpoint got, failed ones included.
    pub fn requests(&self, endpoint: Endpoint) -> u64 {
        self.state.switches.requests(endpoint)
    }

    /// Spoils every token of this kind that flows issue from now on; without flaws, they are good
    /// again. Tokens of [`token`](Self::token) stay as they are.
    pub fn spoil(&self, kind: FlowToken, flaws: impl IntoIterator<Item = Flaw>) {
        self.state.flaws.set(kind, flaws.into_iter().collect());
    }

    /// Spoils the next token of this kind that a flow issues, and no other.
    pub fn spoil_next(&self, kind: FlowToken, flaws: impl IntoIterator<Item = Flaw>) {
        self.state
            .flaws
            .set_next(kind, flaws.into_iter().collect());
    }

    /// Sets the clock wrong by this many seconds, ahead or (negative) behind: of tokens and of the
    /// header `Date`. 0 puts it right.
    pub fn set_clock_off(&self, seconds: i64) {
        self.state.clock_off.store(seconds, Ordering::SeqCst);
    }

    /// Clears all faults: of endpoints, of tokens and of the clock.
    pub fn clear_faults(&self) {
        self.state.clear_faults();
    }
}
