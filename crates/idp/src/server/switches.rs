//! What a test switches on and counts: faults of endpoints, flaws of tokens, requests.

use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use crate::fault::flaw::Flaw;
use crate::server::idp::Idp;
use crate::token::kind::Kind;
use std::sync::atomic::Ordering;

impl Idp {
    /// Makes an endpoint fail, or work again.
    pub fn fail(&self, endpoint: Endpoint, fault: Fault) {
        self.state.switches.set(endpoint, fault);
    }

    /// Makes every endpoint fail, or work again.
    pub fn fail_everything(&self, fault: Fault) {
        for endpoint in Endpoint::ALL {
            self.fail(endpoint, fault);
        }
    }

    /// Makes the token endpoint fail, or work again.
    pub fn fail_token(&self, fault: Fault) {
        self.fail(Endpoint::Token, fault);
    }

    /// Makes the authorization endpoint fail, or work again.
    pub fn fail_authorize(&self, fault: Fault) {
        self.fail(Endpoint::Authorize, fault);
    }

    /// Makes UserInfo fail, or work again.
    pub fn fail_userinfo(&self, fault: Fault) {
        self.fail(Endpoint::UserInfo, fault);
    }

    /// Spoils the access tokens that flows give from now on; without flaws, they are good again.
    /// Those of [`token`](Self::token) stay as they are made.
    pub fn spoil_access_tokens(&self, flaws: impl IntoIterator<Item = Flaw>) {
        self.state
            .flaws
            .set(Kind::Access, flaws.into_iter().collect());
    }

    /// Spoils the next access token that a flow gives, and no other.
    pub fn spoil_next_access_token(&self, flaws: impl IntoIterator<Item = Flaw>) {
        self.state
            .flaws
            .set_next(Kind::Access, flaws.into_iter().collect());
    }

    /// Spoils the ID tokens that flows give from now on; without flaws, they are good again.
    pub fn spoil_id_tokens(&self, flaws: impl IntoIterator<Item = Flaw>) {
        self.state.flaws.set(Kind::Id, flaws.into_iter().collect());
    }

    /// Spoils the next ID token that a flow gives, and no other.
    pub fn spoil_next_id_token(&self, flaws: impl IntoIterator<Item = Flaw>) {
        self.state
            .flaws
            .set_next(Kind::Id, flaws.into_iter().collect());
    }

    /// Sets the clock wrong by so many seconds, later or (negative) earlier, for tokens and for the
    /// header `Date`; 0 puts it right.
    pub fn set_clock_off(&self, seconds: i64) {
        self.state.clock_off.store(seconds, Ordering::SeqCst);
    }

    /// Everything works again: endpoints, tokens, the clock.
    pub fn clear_faults(&self) {
        self.state.clear_faults();
    }

    /// Makes the key set fail, or work again.
    pub fn fail_jwks(&self, fault: Fault) {
        self.fail(Endpoint::Jwks, fault);
    }

    /// Makes the metadata fail, or work again.
    pub fn fail_metadata(&self, fault: Fault) {
        self.fail(Endpoint::Metadata, fault);
    }

    /// Makes the introspection endpoint fail, or work again.
    pub fn fail_introspection(&self, fault: Fault) {
        self.fail(Endpoint::Introspection, fault);
    }

    /// Makes the imitation of Microsoft Graph fail, or work again.
    pub fn fail_graph(&self, fault: Fault) {
        self.fail(Endpoint::Graph, fault);
    }

    /// How often an endpoint was asked, faults counted.
    pub fn requests(&self, endpoint: Endpoint) -> u64 {
        self.state.switches.requests(endpoint)
    }

    /// How often the key set was asked for.
    pub fn jwks_fetches(&self) -> u64 {
        self.requests(Endpoint::Jwks)
    }

    /// How often the metadata was asked for.
    pub fn metadata_fetches(&self) -> u64 {
        self.requests(Endpoint::Metadata)
    }

    /// How often a token was asked about.
    pub fn introspection_requests(&self) -> u64 {
        self.requests(Endpoint::Introspection)
    }

    /// How often the imitation of Microsoft Graph was asked, each page counted.
    pub fn graph_requests(&self) -> u64 {
        self.requests(Endpoint::Graph)
    }
}
