//! Who can cure a refusal or an outage.

use super::Code;
use crate::outage::OutageCode;
use std::fmt;

/// The party that can cure a refusal or an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Party {
    /// Who holds the token: by a new token, or a new sign-in.
    Caller,
    /// Who writes the client that asks for tokens and sends them.
    ClientDeveloper,
    /// Who administers the identity provider.
    ProviderAdmin,
    /// Who operates the server that decides, and writes its settings.
    Operator,
    /// Nobody: it ends by itself.
    Time,
}

impl Party {
    /// The word for programs, such as `client_developer`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::ClientDeveloper => "client_developer",
            Self::ProviderAdmin => "provider_admin",
            Self::Operator => "operator",
            Self::Time => "time",
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Caller => "the caller",
            Self::ClientDeveloper => "the developer of the client",
            Self::ProviderAdmin => "the administrator of the identity provider",
            Self::Operator => "the operator of this API",
            Self::Time => "nobody, only time",
        })
    }
}

impl Code {
    /// Who can cure it first. Of a missing permission, the requirement says more:
    /// [`explain`](crate::Requirement::explain).
    ///
    /// ```
    /// use portcullis_core::Code;
    /// use portcullis_core::rejection::Party;
    ///
    /// assert_eq!(Code::TokenExpired.party(), Party::Caller);
    /// assert_eq!(Code::PolicyRole.party(), Party::ProviderAdmin);
    /// ```
    pub const fn party(self) -> Party {
        match self {
            Self::TokenKeyUnknown
            | Self::TokenExpired
            | Self::TokenInactive
            | Self::TokenRevoked
            | Self::PolicyStepUp => Party::Caller,
            Self::CredentialMissing
            | Self::CredentialMalformed
            | Self::CredentialRepeated
            | Self::TokenMalformed
            | Self::TokenType
            | Self::TokenIdToken
            | Self::TokenSignature
            | Self::TokenIssuer
            | Self::TokenAudience
            | Self::TokenTenant
            | Self::TokenKeyIssuer
            | Self::ProofMissing
            | Self::ProofUnbound
            | Self::ProofBinding
            | Self::ProofHeader
            | Self::ProofMalformed
            | Self::ProofAlgorithm
            | Self::ProofKey
            | Self::ProofSignature
            | Self::ProofMethod
            | Self::ProofUrl
            | Self::ProofTime
            | Self::ProofToken
            | Self::ProofReplayed
            | Self::ProofNonce
            | Self::PolicyScope => Party::ClientDeveloper,
            Self::TokenTooLarge
            | Self::TokenHeader
            | Self::TokenAlgorithm
            | Self::TokenLifetime
            | Self::TokenClaimMissing
            | Self::TokenClaimType
            | Self::TokenClaimValue
            | Self::ProofUnsupported
            | Self::PolicyRole => Party::ProviderAdmin,
            Self::PolicyGroupsUnknown | Self::PolicyDenied => Party::Operator,
            // A token becomes valid by itself, as long as no clock is wrong.
            Self::TokenNotYetValid => Party::Time,
        }
    }
}

impl OutageCode {
    /// Who can cure it first: never the caller.
    pub const fn party(self) -> Party {
        match self {
            Self::Keys
            | Self::Metadata
            | Self::Revocation
            | Self::Introspection
            | Self::Groups
            | Self::Policy
            | Self::Replay
            | Self::Provider => Party::Operator,
        }
    }
}
