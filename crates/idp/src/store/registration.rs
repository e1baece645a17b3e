//! Clients that registered themselves: how each shows that it may change what is registered.

#[derive(Clone)]
pub(crate) struct Registration {
    /// The registration access token (RFC 7592, section 3).
    pub(crate) token: String,
    /// The client's secret, for one that authenticates by a secret.
    pub(crate) secret: String,
    /// When it registered.
    pub(crate) at: u64,
}
