//! A demand that tokens are bound, and how.

use super::Confirmation;
use std::fmt;

/// How a token must be bound.
///
/// ```
/// use portcullis_core::proof::Binding;
///
/// assert_eq!(Binding::from_name("dpop"), Some(Binding::Dpop));
/// assert_eq!(Binding::from_name("DPoP"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "settings say one of these words")]
pub enum Binding {
    /// To a key, which proofs are signed with (RFC 9449).
    Dpop,
    /// To a client certificate (RFC 8705).
    Mtls,
    /// To one of the two.
    Any,
}

impl Binding {
    /// Every word of the settings.
    pub const ALL: [Self; 3] = [Self::Dpop, Self::Mtls, Self::Any];

    /// The binding of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|binding| binding.name() == name)
    }

    /// The word of the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dpop => "dpop",
            Self::Mtls => "mtls",
            Self::Any => "any",
        }
    }

    /// Whether a token that is bound like this will do.
    pub fn is_met_by(self, confirmation: Option<&Confirmation>) -> bool {
        let Some(confirmation) = confirmation else {
            return false;
        };
        let (key, certificate) = (confirmation.key, confirmation.certificate);
        match self {
            Self::Dpop => key.is_some(),
            Self::Mtls => certificate.is_some(),
            Self::Any => key.is_some() || certificate.is_some(),
        }
    }

    /// Whether a token can meet it that comes as `Bearer`.
    pub const fn allows_bearer(self) -> bool {
        !matches!(self, Self::Dpop)
    }

    /// Whether a token can meet it that comes as `DPoP`.
    pub const fn allows_dpop(self) -> bool {
        !matches!(self, Self::Mtls)
    }
}

/// The demand in people's words.
impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dpop => "a token that is bound to a key (DPoP)",
            Self::Mtls => "a token that is bound to a client certificate",
            Self::Any => "a token that is bound to a key or a client certificate",
        })
    }
}
