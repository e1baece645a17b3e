//! A user's session.

/// A user's session: it ends at logout, or after 14 days.
#[derive(Clone)]
pub(crate) struct Session {
    /// `sid` in tokens.
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) auth_time: u64,
    /// The clients that have tokens of it.
    pub(crate) clients: Vec<String>,
    pub(super) grants: Vec<u64>,
}
