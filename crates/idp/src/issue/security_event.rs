//! The events of CAEP 1.0 and RISC 1.0: their types and their members.

use crate::token::claims::{JsonObject, claims};
use serde_json::{Map, Value, json};

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

/// Something that happened to a user, a session or a device, which those should know who trust
/// the user's tokens.
///
/// Its members are the required ones. [`EventBuilder::member`](crate::EventBuilder::member) adds
/// others, such as `reason_admin`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SecurityEvent {
    /// CAEP `session-revoked`: a session is over.
    SessionRevoked,
    /// CAEP `token-claims-change`: these claims have other values than in the tokens.
    TokenClaimsChange(Map<String, Value>),
    /// CAEP `credential-change`, such as `password` and `update`.
    CredentialChange {
        /// `credential_type`: `password`, `pin`, `x509`, `fido2-platform` and others.
        credential_type: String,
        /// `change_type`: `create`, `revoke`, `update` or `delete`.
        change_type: String,
    },
    /// CAEP `assurance-level-change`: the user signed in by a stronger or a weaker way.
    AssuranceLevelChange {
        /// `namespace` of the levels, such as `NIST-AAL`.
        namespace: String,
        /// `current_level`, such as `nist-aal1`.
        current_level: String,
        /// `previous_level`, if it is known.
        previous_level: Option<String>,
        /// `change_direction`: `increase` or `decrease`, if it is known.
        change_direction: Option<String>,
    },
    /// CAEP `device-compliance-change`: a device keeps the rules again, or no longer.
    DeviceComplianceChange {
        /// Whether `current_status` is `compliant`; `previous_status` is the other one.
        is_compliant: bool,
    },
    /// CAEP `session-established`: a session began.
    SessionEstablished,
    /// CAEP `session-presented`: a session was seen.
    SessionPresented,
    /// CAEP `risk-level-change`.
    RiskLevelChange {
        /// `principal`: `USER`, `DEVICE`, `SESSION`, `TENANT`, `ORG_UNIT` or `GROUP`.
        principal: String,
        /// `current_level`: `LOW`, `MEDIUM` or `HIGH`.
        current_level: String,
        /// `previous_level`, if it is known.
        previous_level: Option<String>,
    },
    /// RISC `account-credential-change-required`: the user had to change a credential.
    AccountCredentialChangeRequired,
    /// RISC `account-purged`: the account was deleted for good.
    AccountPurged,
    /// RISC `account-disabled`.
    AccountDisabled,
    /// RISC `account-enabled`.
    AccountEnabled,
    /// RISC `identifier-changed`. Its subject is the old email address.
    IdentifierChanged {
        /// `new-value`, if it is told.
        new_value: Option<String>,
    },
    /// RISC `identifier-recycled`: the email address belongs to somebody else now.
    IdentifierRecycled,
    /// RISC `credential-compromise`.
    CredentialCompromise {
        /// `credential_type`, as in [`CredentialChange`](Self::CredentialChange).
        credential_type: String,
    },
    /// RISC `opt-in`.
    OptIn,
    /// RISC `opt-out-initiated`.
    OptOutInitiated,
    /// RISC `opt-out-cancelled`.
    OptOutCancelled,
    /// RISC `opt-out-effective`.
    OptOutEffective,
    /// RISC `recovery-activated`.
    RecoveryActivated,
    /// RISC `recovery-information-changed`.
    RecoveryInformationChanged,
    /// Any other: its address and its members.
    Other(String, Map<String, Value>),
}

/// The name, one event of it for a command, and what it says for people.
const NAMES: [(&str, &str); 21] = [
    ("session-revoked", "a session is over"),
    (
        "token-claims-change",
        "claims have other values than in the tokens",
    ),
    ("credential-change", "a password or key was changed"),
    (
        "assurance-level-change",
        "signed in by a weaker or stronger way",
    ),
    (
        "device-compliance-change",
        "a device breaks the rules, or keeps them again",
    ),
    ("session-established", "a session began"),
    ("session-presented", "a session was seen"),
    ("risk-level-change", "the risk is higher or lower"),
    (
        "account-credential-change-required",
        "a password had to be changed",
    ),
    ("account-purged", "the account was deleted"),
    ("account-disabled", "the account is disabled"),
    ("account-enabled", "the account is enabled again"),
    ("identifier-changed", "another email address"),
    (
        "identifier-recycled",
        "the email address is somebody else's now",
    ),
    (
        "credential-compromise",
        "a password or key was found elsewhere",
    ),
    ("opt-in", "takes part in these events"),
    ("opt-out-initiated", "wants to take part no longer"),
    ("opt-out-cancelled", "takes part after all"),
    ("opt-out-effective", "takes part no longer"),
    ("recovery-activated", "the account is being recovered"),
    (
        "recovery-information-changed",
        "another way to recover the account",
    ),
];

/// The addresses of all types.
pub(crate) fn supported_types() -> Vec<String> {
    NAMES
        .iter()
        .filter_map(|(name, _)| SecurityEvent::from_name(name))
        .map(|event| event.event_type())
        .collect()
}

impl SecurityEvent {
    /// The names that [`from_name`](Self::from_name) knows, each with what it says.
    pub(crate) fn names() -> [(&'static str, &'static str); 21] {
        NAMES
    }

    /// The event of that name, with an example's members: `session-revoked`, `account-disabled`.
    pub fn from_name(name: &str) -> Option<Self> {
        let text = str::to_owned;
        Some(match name {
            "session-revoked" => Self::SessionRevoked,
            "token-claims-change" => Self::TokenClaimsChange(Map::new()),
            "credential-change" => Self::CredentialChange {
                credential_type: text("password"),
                change_type: text("update"),
            },
            "assurance-level-change" => Self::AssuranceLevelChange {
                namespace: text("NIST-AAL"),
                current_level: text("nist-aal1"),
                previous_level: Some(text("nist-aal2")),
                change_direction: Some(text("decrease")),
            },
            "device-compliance-change" => Self::DeviceComplianceChange {
                is_compliant: false,
            },
            "session-established" => Self::SessionEstablished,
            "session-presented" => Self::SessionPresented,
            "risk-level-change" => Self::RiskLevelChange {
                principal: text("USER"),
                current_level: text("HIGH"),
                previous_level: Some(text("LOW")),
            },
            other => return Self::of_risc(other),
        })
    }

    fn of_risc(name: &str) -> Option<Self> {
        Some(match name {
            "account-credential-change-required" => Self::AccountCredentialChangeRequired,
            "account-purged" => Self::AccountPurged,
            "account-disabled" => Self::AccountDisabled,
            "account-enabled" => Self::AccountEnabled,
            "identifier-changed" => Self::IdentifierChanged { new_value: None },
            "identifier-recycled" => Self::IdentifierRecycled,
            "credential-compromise" => Self::CredentialCompromise {
                credential_type: "password".to_owned(),
            },
            "opt-in" => Self::OptIn,
            "opt-out-initiated" => Self::OptOutInitiated,
            "opt-out-cancelled" => Self::OptOutCancelled,
            "opt-out-effective" => Self::OptOutEffective,
            "recovery-activated" => Self::RecoveryActivated,
            "recovery-information-changed" => Self::RecoveryInformationChanged,
            _ => return None,
        })
    }

    /// The address of its type, the name of its member in `events`.
    pub fn event_type(&self) -> String {
        let (family, name) = match self {
            Self::SessionRevoked => (CAEP, "session-revoked"),
            Self::TokenClaimsChange(_) => (CAEP, "token-claims-change"),
            Self::CredentialChange { .. } => (CAEP, "credential-change"),
            Self::AssuranceLevelChange { .. } => (CAEP, "assurance-level-change"),
            Self::DeviceComplianceChange { .. } => (CAEP, "device-compliance-change"),
            Self::SessionEstablished => (CAEP, "session-established"),
            Self::SessionPresented => (CAEP, "session-presented"),
            Self::RiskLevelChange { .. } => (CAEP, "risk-level-change"),
            Self::AccountCredentialChangeRequired => (RISC, "account-credential-change-required"),
            Self::AccountPurged => (RISC, "account-purged"),
            Self::AccountDisabled => (RISC, "account-disabled"),
            Self::AccountEnabled => (RISC, "account-enabled"),
            Self::IdentifierChanged { .. } => (RISC, "identifier-changed"),
            Self::IdentifierRecycled => (RISC, "identifier-recycled"),
            Self::CredentialCompromise { .. } => (RISC, "credential-compromise"),
            Self::OptIn => (RISC, "opt-in"),
            Self::OptOutInitiated => (RISC, "opt-out-initiated"),
            Self::OptOutCancelled => (RISC, "opt-out-cancelled"),
            Self::OptOutEffective => (RISC, "opt-out-effective"),
            Self::RecoveryActivated => (RISC, "recovery-activated"),
            Self::RecoveryInformationChanged => (RISC, "recovery-information-changed"),
            Self::Other(address, _) => return address.clone(),
        };
        format!("{family}{name}")
    }

    /// Its members.
    pub(crate) fn members(&self, now: u64) -> JsonObject {
        if let Self::Other(_, members) = self {
            return members.clone();
        }
        let mut members = claims(self.own_members());
        // CAEP 1.0, section 2: every event of CAEP may have it; those of RISC have no such member.
        if self.event_type().starts_with(CAEP) {
            members.insert("event_timestamp".to_owned(), now.into());
        }
        members
    }

    fn own_members(&self) -> Value {
        match self {
            Self::TokenClaimsChange(changed) => json!({ "claims": changed }),
            Self::CredentialChange {
                credential_type,
                change_type,
            } => json!({ "credential_type": credential_type, "change_type": change_type }),
            Self::AssuranceLevelChange {
                namespace,
                current_level,
                previous_level,
                change_direction,
            } => json!({
                "namespace": namespace,
                "current_level": current_level,
                "previous_level": previous_level,
                "change_direction": change_direction,
            }),
            Self::DeviceComplianceChange { is_compliant } => {
                let (previous, current) = if *is_compliant {
                    ("not-compliant", "compliant")
                } else {
                    ("compliant", "not-compliant")
                };
                json!({ "previous_status": previous, "current_status": current })
            }
            Self::RiskLevelChange {
                principal,
                current_level,
                previous_level,
            } => json!({
                "principal": principal,
                "current_level": current_level,
                "previous_level": previous_level,
            }),
            Self::IdentifierChanged { new_value } => json!({ "new-value": new_value }),
            Self::CredentialCompromise { credential_type } => {
                json!({ "credential_type": credential_type })
            }
            _ => json!({}),
        }
    }

    /// Whether its subject must be an address (RISC 1.0, sections 2.5 and 2.6).
    pub(crate) fn is_about_address(&self) -> bool {
        matches!(
            self,
            Self::IdentifierChanged { .. } | Self::IdentifierRecycled
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_type() {
        for (name, _) in NAMES {
            let event = SecurityEvent::from_name(name).unwrap();
            assert_eq!(event.event_type().rsplit('/').next(), Some(name));
        }
        assert_eq!(SecurityEvent::from_name("tea"), None);
    }

    #[test]
    fn members_are_those_of_the_specifications() {
        let members = |name: &str| {
            let event = SecurityEvent::from_name(name).unwrap();
            Value::from(event.members(7))
        };
        assert_eq!(members("session-revoked"), json!({ "event_timestamp": 7 }));
        assert_eq!(members("account-disabled"), json!({}));
        assert_eq!(members("identifier-changed"), json!({}));
        assert_eq!(
            members("credential-compromise"),
            json!({ "credential_type": "password" })
        );
        assert_eq!(
            members("device-compliance-change"),
            json!({
                "previous_status": "compliant",
                "current_status": "not-compliant",
                "event_timestamp": 7,
            })
        );
        assert_eq!(
            members("risk-level-change"),
            json!({
                "principal": "USER",
                "current_level": "HIGH",
                "previous_level": "LOW",
                "event_timestamp": 7,
            })
        );
        assert_eq!(
            members("assurance-level-change")["change_direction"],
            "decrease"
        );
    }
}
