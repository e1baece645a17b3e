//! Where a user or a client comes from.

/// Where a user or a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The settings.
    Settings,
    /// The console: added or changed by hand.
    Console,
    /// It registered itself.
    Registration,
}
