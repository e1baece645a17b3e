//! Where in the settings something stands.

use std::fmt;

/// A place in a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingPlace {
    /// The file's name, as it was given.
    pub file: String,
    /// The setting, such as `issuer[0].url`.
    pub setting: String,
    /// Its line, from 1, if it stands in the file.
    pub line: Option<usize>,
}

/// Evidence that a rule found in one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingEvidence {
    /// The setting, such as `route[2].path`.
    pub setting: String,
    /// What was found there.
    pub evidence: String,
}

impl SettingEvidence {
    pub(crate) fn new(setting: impl Into<String>, evidence: impl Into<String>) -> Self {
        Self {
            setting: setting.into(),
            evidence: evidence.into(),
        }
    }
}

/// As compilers write it, with the setting behind: editors find the line.
impl fmt::Display for SettingPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.escape_debug())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.setting)
    }
}
