//! For how long a code or a token is good, and what a refusal says of one that is not.

/// How long an expired code or token is remembered, in seconds: longer than people look for it.
const REMEMBERED: u64 = 3_600;

/// For how long a code or a token is good, and whether it was used.
#[derive(Clone, Copy)]
pub(super) struct Validity {
    expires: u64,
    lifetime: u32,
    used_at: Option<u64>,
}

/// Why a code or a refresh token is worth nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RedemptionError {
    /// Never issued here, or longer ago than is remembered.
    Unknown,
    /// So many seconds ago, after that lifetime.
    Expired(u64, u32),
    /// So many seconds ago.
    Used(u64),
    /// The grant was revoked, in these words.
    Revoked(&'static str),
    /// It was issued to this client.
    OtherClient(String),
}

/// The reasons for which a grant ends.
pub(crate) const BY_SECOND_USE: &str = "a code or a refresh token of it was used twice";
pub(crate) const BY_LOGOUT: &str = "the user signed out";
pub(crate) const BY_REVOCATION: &str = "a token of it was revoked";

impl Validity {
    pub(super) fn new(lifetime: u32, now: u64) -> Self {
        Self {
            expires: now + u64::from(lifetime),
            lifetime,
            used_at: None,
        }
    }

    pub(super) fn forgotten(self) -> u64 {
        self.expires + REMEMBERED
    }

    pub(super) fn is_used(self) -> bool {
        self.used_at.is_some()
    }

    pub(super) fn is_over(self, now: u64) -> bool {
        now >= self.expires
    }

    /// Marks the use, or says why there can be none.
    pub(super) fn redeem(&mut self, now: u64) -> Result<(), RedemptionError> {
        // A wrong clock may have gone back since.
        if let Some(used_at) = self.used_at {
            return Err(RedemptionError::Used(now.saturating_sub(used_at)));
        }
        self.check_time(now)?;
        // Marked and kept, because what is removed could not betray its second use.
        self.used_at = Some(now);
        Ok(())
    }

    pub(super) fn check_time(self, now: u64) -> Result<(), RedemptionError> {
        if !self.is_over(now) || self.is_used() {
            return Ok(());
        }
        let ago = now.saturating_sub(self.expires);
        Err(RedemptionError::Expired(ago, self.lifetime))
    }
}

impl RedemptionError {
    /// In a sentence about `name`, a code or a token.
    pub(crate) fn sentence(&self, name: &str) -> String {
        match self {
            Self::Unknown => format!("the {name} is unknown: never issued here, or long ago"),
            Self::Expired(ago, lifetime) => {
                format!("the {name} expired {ago} s ago: it is good for {lifetime} s")
            }
            Self::Used(ago) => format!(
                "the {name} was used {ago} s ago, and is good once; all tokens of its sign-in \
                 are revoked now"
            ),
            Self::Revoked(why) => format!("the grant of the {name} was revoked: {why}"),
            Self::OtherClient(client) => {
                format!("the {name} was issued to the client `{client}`")
            }
        }
    }
}
