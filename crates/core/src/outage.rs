//! Our own faults, and the identity provider's: the request is neither allowed nor refused.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A decision could not be made. The answer is 503, never 401 and never an allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    code: OutageCode,
    facts: Cow<'static, str>,
    retry_after: Duration,
    is_logged: bool,
    cure: Option<&'static str>,
}

/// What was not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutageCode {
    /// `outage.keys`: there are no usable keys, or they cannot be fetched.
    Keys,
    /// `outage.metadata`: the issuer's metadata cannot be fetched, or names another issuer.
    Metadata,
    /// `outage.revocation`: it is unknown what was revoked, or no more revocations can be stored.
    Revocation,
    /// `outage.introspection`: the issuer cannot be asked about a token, or its answer is unusable.
    Introspection,
    /// `outage.groups`: the groups that do not fit into the token cannot be looked up.
    Groups,
    /// `outage.policy`: a policy that the decision depends on cannot be evaluated.
    Policy,
    /// `outage.replay`: it is unknown whether a proof was used before, or no more can be
    /// remembered.
    Replay,
    /// `outage.provider`: the issuer cannot be asked for a token, or its answer is unusable.
    Provider,
}

impl OutageCode {
    /// Every code there is.
    pub const ALL: &'static [Self] = &[
        Self::Keys,
        Self::Metadata,
        Self::Revocation,
        Self::Introspection,
        Self::Groups,
        Self::Policy,
        Self::Replay,
        Self::Provider,
    ];

    /// The code as it is written: in bodies, logs and metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "outage.keys",
            Self::Metadata => "outage.metadata",
            Self::Revocation => "outage.revocation",
            Self::Introspection => "outage.introspection",
            Self::Groups => "outage.groups",
            Self::Policy => "outage.policy",
            Self::Replay => "outage.replay",
            Self::Provider => "outage.provider",
        }
    }

    /// The phrase for the client.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Keys | Self::Metadata | Self::Revocation | Self::Introspection => {
                "access tokens cannot be verified at the moment"
            }
            Self::Groups => "the groups of the caller cannot be found out at the moment",
            Self::Policy => "the policies of this server cannot be evaluated at the moment",
            Self::Replay => "proofs of possession cannot be checked at the moment",
            Self::Provider => "no token can be had from the identity provider at the moment",
        }
    }

    /// The cure for the operator.
    pub const fn cure(self) -> &'static str {
        match self {
            Self::Keys => {
                "see that this server reaches the issuer's `jwks_uri`, and what it answers"
            }
            Self::Metadata => {
                "see that this server reaches the issuer's metadata, and that its `issuer` is the \
                    configured one"
            }
            Self::Revocation => {
                "see that this server reaches the revocation store, and that `revocation.entries` \
                    is large enough"
            }
            Self::Introspection => {
                "see that this server reaches the issuer's introspection endpoint, and that the \
                    client's id and secret are right"
            }
            Self::Groups => {
                "see that this server reaches the directory, and that its client may read the \
                    groups of users there"
            }
            Self::Policy => {
                "see that the policy which the log names can be evaluated for every caller"
            }
            Self::Replay => {
                "see that this server reaches the store that replicas share, and that \
                    `dpop.remembered` is large enough"
            }
            Self::Provider => {
                "see that this machine reaches the issuer's endpoints, and what they answer"
            }
        }
    }
}

impl fmt::Display for OutageCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Outage {
    /// An outage, with the facts for the operator and the time after which a client may try again.
    pub fn new(
        code: OutageCode,
        facts: impl Into<Cow<'static, str>>,
        retry_after: Duration,
    ) -> Self {
        Self {
            code,
            facts: facts.into(),
            retry_after,
            is_logged: false,
            cure: None,
        }
    }

    /// The same outage, marked as one that its source logs: once as it begins, again at intervals,
    /// and with a count as it ends. Nobody has to log it for each request.
    #[must_use]
    pub fn mark_logged(mut self) -> Self {
        self.is_logged = true;
        self
    }

    /// Whether its source logs it.
    pub const fn is_logged(&self) -> bool {
        self.is_logged
    }

    /// The same outage with a cure of its own, where more is known than its code says.
    #[must_use]
    pub fn with_cure(self, cure: Option<&'static str>) -> Self {
        Self { cure, ..self }
    }

    /// The stable code.
    pub const fn code(&self) -> OutageCode {
        self.code
    }

    /// What happened: for the operator's log, never for the client.
    pub fn facts(&self) -> &str {
        &self.facts
    }

    /// The cure for the operator: its own, else that of its code.
    pub fn cure(&self) -> &'static str {
        self.cure.unwrap_or(self.code.cure())
    }

    /// Whether it has a cure of its own.
    pub fn has_own_cure(&self) -> bool {
        self.cure.is_some()
    }

    /// The time after which a client may try again, in whole seconds: one at least, sixty at most.
    pub fn retry_after(&self) -> Duration {
        // Rounded up: a client that came a moment too early would wait once more.
        let seconds = self
            .retry_after
            .as_millis()
            .div_ceil(1_000)
            .clamp(1, 60);
        // `Retry-After: 0` would ask all clients to come back at once, and a long one would keep
        // them away long after the end of the outage.
        Duration::from_secs(u64::try_from(seconds).unwrap_or(60))
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.facts)
    }
}

impl std::error::Error for Outage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_words() {
        for code in OutageCode::ALL {
            assert!(code.as_str().starts_with("outage."));
            assert!(
                code.phrase().len() > 20 && code.cure().starts_with("see that "),
                "{code}"
            );
        }
        // A new code needs its name to compile, but not its place in `ALL`.
        let named = include_str!("outage.rs")
            .matches("=> \"outage.")
            .count();
        assert_eq!(OutageCode::ALL.len(), named);
    }

    #[test]
    fn its_own_cure_comes_first() {
        let outage = Outage::new(OutageCode::Keys, "no answer", Duration::ZERO);
        assert_eq!(outage.cure(), OutageCode::Keys.cure());
        assert_eq!(outage.with_cure(Some("start it")).cure(), "start it");
    }

    #[test]
    fn clients_are_asked_to_wait_between_a_second_and_a_minute() {
        let outage =
            |seconds| Outage::new(OutageCode::Keys, "no answer", Duration::from_secs(seconds));
        assert_eq!(outage(0).retry_after(), Duration::from_secs(1));
        assert_eq!(outage(7).retry_after(), Duration::from_secs(7));
        assert_eq!(outage(300).retry_after(), Duration::from_secs(60));
        let short = Outage::new(OutageCode::Keys, "", Duration::from_millis(2_100));
        assert_eq!(short.retry_after(), Duration::from_secs(3));
        assert_eq!(outage(7).to_string(), "outage.keys: no answer");
        assert_eq!(outage(7).facts(), "no answer");
        assert_eq!(
            crate::Denial::from(outage(7)).to_string(),
            "outage.keys: no answer"
        );
    }
}
