//! One thing that can be wrong, and how much it matters.

use crate::observation::Observation;
use crate::place::SettingEvidence;
use crate::resource::ResourceObservation;
use crate::settings_file::SettingsFile;
use crate::transmitter::TransmitterObservation;

/// How much a finding matters, from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; an improvement that is on offer.
    Note,
    /// Users of what is offered here are at risk, or a standard is not kept.
    Warning,
    /// Tokens are refused, or can be forged or read, whatever anybody does.
    Error,
}

impl Severity {
    /// All severities, the worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Note];

    /// Its word in reports, which is SARIF's too.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that can be wrong.
#[derive(Debug)]
pub struct Rule {
    /// Its stable name, such as `audit.pkce_missing`.
    pub id: &'static str,
    /// How much a finding of it matters.
    pub severity: Severity,
    /// The section of the standard, or the page of ours, that asks for it.
    pub section: &'static str,
    /// The problem, in a phrase.
    pub title: &'static str,
    /// What to do about it, in a phrase.
    pub cure: &'static str,
    /// How to find it.
    pub check: RuleCheck,
}

impl Rule {
    /// What it looks at, in a word: `provider`, `resource`, `transmitter` or `settings`.
    #[must_use]
    pub const fn looks_at(&self) -> &'static str {
        match self.check {
            RuleCheck::Issuer(_) => "provider",
            RuleCheck::Resource(_) => "resource",
            RuleCheck::Transmitter(_) => "transmitter",
            RuleCheck::Settings(_) => "settings",
        }
    }
}

/// How a rule looks for evidence, and in what. No evidence means that nothing is wrong.
#[derive(Debug)]
pub enum RuleCheck {
    /// In what an identity provider shows.
    Issuer(fn(&Observation) -> Vec<String>),
    /// In what an API says about itself.
    Resource(fn(&ResourceObservation) -> Vec<String>),
    /// In what a transmitter of security events says about itself.
    Transmitter(fn(&TransmitterObservation) -> Vec<String>),
    /// In our own settings.
    Settings(fn(&SettingsFile) -> Vec<SettingEvidence>),
}
