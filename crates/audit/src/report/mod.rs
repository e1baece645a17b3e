//! The result of an audit, for programs: as JSON and as SARIF. The command prints it for people.

pub mod json;
pub mod sarif;
mod subject;

pub use subject::{AuditSubject, SubjectKind};

use crate::finding::Finding;
use crate::rule::Severity;
use crate::rules::find;
use std::fmt;

/// Everything that was audited, and the judgement of it.
#[derive(Debug)]
pub struct Report {
    subjects: Vec<AuditSubject>,
    fail_from: Option<Severity>,
    waivers: Vec<Waiver>,
}

/// One rule for everything that loosens security.
const DANGER: &str = "audit.ours_danger";

/// A rule that does not count, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The rule's stable name.
    pub rule: &'static str,
    /// The only setting for which it does not count; none is everywhere.
    pub setting: Option<String>,
    /// The reason, which every report repeats.
    pub reason: String,
}

impl Waiver {
    /// Reads `RULE=REASON` or `RULE:SETTING=REASON`. `audit.ours_danger` needs the setting: a
    /// reason for one says nothing of the next.
    ///
    /// # Errors
    ///
    /// There is no such rule, no reason, or no setting where one is needed.
    ///
    /// ```
    /// use portcullis_audit::report::Waiver;
    ///
    /// let waiver = Waiver::parse("audit.pkce_missing=our clients use it")?;
    /// assert_eq!(waiver.reason, "our clients use it");
    /// assert!(Waiver::parse("audit.pkce_missing").is_err());
    ///
    /// let waiver = Waiver::parse("audit.ours_danger:issuer[0].danger_plain_http=a laboratory")?;
    /// assert_eq!(waiver.setting.as_deref(), Some("issuer[0].danger_plain_http"));
    /// assert!(Waiver::parse("audit.ours_danger=a laboratory").is_err());
    /// # Ok::<(), String>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, reason) = text.split_once('=').unwrap_or((text, ""));
        let (id, setting) = match name.split_once(':') {
            Some((id, setting)) => (id, Some(setting.to_owned())),
            None => (name, None),
        };
        let Some(rule) = find(id) else {
            return Err(
                "expected the name of a rule; every finding shows its own, and docs/audit.md \
                 lists all"
                    .to_owned(),
            );
        };
        // A waiver without a reason is forgotten: nobody knows later whether it still holds.
        if reason.trim().is_empty() {
            return Err(format!("expected a reason: `{name}=...`"));
        }
        if id == DANGER && setting.is_none() {
            return Err(format!(
                "expected the setting that this is about: `{id}:SETTING=...`"
            ));
        }
        Ok(Self {
            rule: rule.id,
            setting,
            reason: reason.trim().to_owned(),
        })
    }

    fn covers(&self, finding: &Finding) -> bool {
        // A finding without a place is of a provider, which no setting names.
        let place = finding.place.as_ref().map(|place| &place.setting);
        self.rule == finding.rule.id && (self.setting.is_none() || self.setting.as_ref() == place)
    }
}

/// What it covers: the rule, and the setting if there is one.
impl fmt::Display for Waiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule)?;
        match &self.setting {
            Some(setting) => write!(f, ":{}", setting.escape_debug()),
            None => Ok(()),
        }
    }
}

impl Report {
    /// A report that fails from this severity on, or never.
    #[must_use]
    pub fn new(
        subjects: Vec<AuditSubject>,
        fail_from: Option<Severity>,
        waivers: Vec<Waiver>,
    ) -> Self {
        Self {
            subjects,
            fail_from,
            waivers,
        }
    }

    /// The issuers and settings files that were audited.
    #[must_use]
    pub fn subjects(&self) -> &[AuditSubject] {
        &self.subjects
    }

    /// The reason why a finding does not count, if it does not.
    #[must_use]
    pub fn waiver(&self, finding: &Finding) -> Option<&str> {
        let waiver = self.waivers.iter().find(|it| it.covers(finding))?;
        Some(&waiver.reason)
    }

    /// The waivers that no finding needed: what they were for is mended, or is spelt otherwise.
    pub fn unused_waivers(&self) -> impl Iterator<Item = &Waiver> {
        let unused = |waiver: &&Waiver| !self.findings().any(|it| waiver.covers(it));
        self.waivers.iter().filter(unused)
    }

    /// All findings, those with a waiver too.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.subjects.iter().flat_map(AuditSubject::findings)
    }

    /// The number of findings of this severity that count.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let mut count = 0;
        for finding in self.findings() {
            if finding.rule.severity == severity && self.waiver(finding).is_none() {
                count += 1;
            }
        }
        count
    }

    /// Whether any finding that counts is as severe as the report fails from.
    #[must_use]
    pub fn fails(&self) -> bool {
        let Some(least) = self.fail_from else {
            return false;
        };
        Severity::ALL
            .into_iter()
            .any(|severity| severity >= least && self.count(severity) > 0)
    }
}
