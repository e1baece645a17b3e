//! The types of security events that are known by name.

use std::fmt;

/// The type of a security event: of CAEP 1.0, RISC 1.0, the Shared Signals Framework, or OAuth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventType {
    /// CAEP `session-revoked`: a session is over.
    SessionRevoked,
    /// CAEP `token-claims-change`: claims have other values than in the tokens.
    TokenClaimsChange,
    /// CAEP `credential-change`: a credential was created, changed or withdrawn.
    CredentialChange,
    /// CAEP `assurance-level-change`: the caller is known less or more surely than before.
    AssuranceLevelChange,
    /// CAEP `device-compliance-change`: a device keeps the rules, or no longer does.
    DeviceComplianceChange,
    /// CAEP `session-established`: a session began.
    SessionEstablished,
    /// CAEP `session-presented`: a session was used.
    SessionPresented,
    /// CAEP `risk-level-change`: somebody is more or less of a risk than before.
    RiskLevelChange,
    /// RISC `account-credential-change-required`: the person has to change a credential.
    AccountCredentialChangeRequired,
    /// RISC `account-purged`: an account is gone for good.
    AccountPurged,
    /// RISC `account-disabled`: an account cannot be used for now.
    AccountDisabled,
    /// RISC `account-enabled`: it can be used again.
    AccountEnabled,
    /// RISC `identifier-changed`: a person has another address or number.
    IdentifierChanged,
    /// RISC `identifier-recycled`: an address or number belongs to somebody else now.
    IdentifierRecycled,
    /// RISC `credential-compromise`: a credential is in the wrong hands.
    CredentialCompromise,
    /// RISC `opt-in`: the account takes part in event exchange.
    OptIn,
    /// RISC `opt-out-initiated`.
    OptOutInitiated,
    /// RISC `opt-out-cancelled`.
    OptOutCancelled,
    /// RISC `opt-out-effective`: no more events come about this account.
    OptOutEffective,
    /// RISC `recovery-activated`: somebody began to recover an account.
    RecoveryActivated,
    /// RISC `recovery-information-changed`.
    RecoveryInformationChanged,
    /// RISC `sessions-revoked`, deprecated and still sent: all sessions of an account are over.
    SessionsRevoked,
    /// OAuth `token-revoked`: one token was revoked.
    TokenRevoked,
    /// OAuth `tokens-revoked`: all tokens of a person for a client were revoked.
    TokensRevoked,
    /// SSF `verification` (SSF 1.0, section 8.1.4): the stream works.
    Verification,
    /// SSF `stream-updated` (SSF 1.0, section 8.1.5): the transmitter changed the stream's status.
    StreamUpdated,
}

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const OAUTH: &str = "https://schemas.openid.net/secevent/oauth/event-type/";
const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";

/// What Google's transmitter calls its verification.
const RISC_VERIFICATION: &str = "https://schemas.openid.net/secevent/risc/event-type/verification";

impl EventType {
    /// Every type.
    #[rustfmt::skip]
    pub const ALL: &'static [Self] = &[
        Self::SessionRevoked, Self::TokenClaimsChange, Self::CredentialChange,
        Self::AssuranceLevelChange, Self::DeviceComplianceChange, Self::SessionEstablished,
        Self::SessionPresented, Self::RiskLevelChange, Self::AccountCredentialChangeRequired,
        Self::AccountPurged, Self::AccountDisabled, Self::AccountEnabled, Self::IdentifierChanged,
        Self::IdentifierRecycled, Self::CredentialCompromise, Self::OptIn, Self::OptOutInitiated,
        Self::OptOutCancelled, Self::OptOutEffective, Self::RecoveryActivated,
        Self::RecoveryInformationChanged, Self::SessionsRevoked, Self::TokenRevoked,
        Self::TokensRevoked, Self::Verification, Self::StreamUpdated,
    ];

    /// The type with this URI; `None` for one that is not known.
    ///
    /// ```
    /// use portcullis_core::event::EventType;
    ///
    /// let uri = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
    /// assert_eq!(EventType::from_uri(uri), Some(EventType::SessionRevoked));
    /// assert_eq!(EventType::SessionRevoked.uri(), uri);
    /// ```
    pub fn from_uri(uri: &str) -> Option<Self> {
        // Older than the one of SSF, and the same event.
        if uri == RISC_VERIFICATION {
            return Some(Self::Verification);
        }
        let has_uri = |known: &&Self| {
            let (family, name) = known.parts();
            uri.strip_prefix(family) == Some(name)
        };
        Self::ALL.iter().find(has_uri).copied()
    }

    /// The type with this name: the last part of its URI, such as `session-revoked`.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|known| known.name() == name).copied()
    }

    /// The URI that events bear.
    pub fn uri(self) -> String {
        let (family, name) = self.parts();
        format!("{family}{name}")
    }

    /// The last part of the URI.
    pub const fn name(self) -> &'static str {
        self.parts().1
    }

    /// Whether it is about the stream, and not about somebody.
    pub const fn is_about_stream(self) -> bool {
        matches!(self, Self::Verification | Self::StreamUpdated)
    }

    #[rustfmt::skip]
    const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::SessionRevoked => (CAEP, "session-revoked"),
            Self::TokenClaimsChange => (CAEP, "token-claims-change"),
            Self::CredentialChange => (CAEP, "credential-change"),
            Self::AssuranceLevelChange => (CAEP, "assurance-level-change"),
            Self::DeviceComplianceChange => (CAEP, "device-compliance-change"),
            Self::SessionEstablished => (CAEP, "session-established"),
            Self::SessionPresented => (CAEP, "session-presented"),
            Self::RiskLevelChange => (CAEP, "risk-level-change"),
            Self::AccountCredentialChangeRequired => (RISC, "account-credential-change-required"),
            Self::AccountPurged => (RISC, "account-purged"),
            Self::AccountDisabled => (RISC, "account-disabled"),
            Self::AccountEnabled => (RISC, "account-enabled"),
            Self::IdentifierChanged => (RISC, "identifier-changed"),
            Self::IdentifierRecycled => (RISC, "identifier-recycled"),
            Self::CredentialCompromise => (RISC, "credential-compromise"),
            Self::OptIn => (RISC, "opt-in"),
            Self::OptOutInitiated => (RISC, "opt-out-initiated"),
            Self::OptOutCancelled => (RISC, "opt-out-cancelled"),
            Self::OptOutEffective => (RISC, "opt-out-effective"),
            Self::RecoveryActivated => (RISC, "recovery-activated"),
            Self::RecoveryInformationChanged => (RISC, "recovery-information-changed"),
            Self::SessionsRevoked => (RISC, "sessions-revoked"),
            Self::TokenRevoked => (OAUTH, "token-revoked"),
            Self::TokensRevoked => (OAUTH, "tokens-revoked"),
            Self::Verification => (SSF, "verification"),
            Self::StreamUpdated => (SSF, "stream-updated"),
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_known_by_its_uri_and_its_name_alone() {
        for known in EventType::ALL {
            assert_eq!(EventType::from_uri(&known.uri()), Some(*known));
            assert_eq!(EventType::from_name(known.name()), Some(*known));
        }
        let foreign = "https://schemas.openid.net/secevent/risc/event-type/session-revoked";
        assert_eq!(EventType::from_uri(foreign), None);
        assert_eq!(EventType::from_uri("session-revoked"), None);
        assert_eq!(
            EventType::from_uri(RISC_VERIFICATION),
            Some(EventType::Verification)
        );
    }
}
