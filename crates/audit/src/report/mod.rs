//! The result of an audit, for programs: as JSON and as SARIF. The command prints it for people.

pub mod json;
pub mod sarif;
mod subject;

pub use subject::AuditSubject;

use crate::finding::Finding;
use crate::rule::Severity;
use crate::rules::find;

/// Everything that was audited, and the judgement of it.
#[derive(Debug)]
pub struct Report {
    subjects: Vec<AuditSubject>,
    fail_from: Option<Severity>,
    waivers: Vec<Waiver>,
}

/// A rule that does not count, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The rule's stable name.
    pub rule: &'static str,
    /// The reason, which every report repeats.
    pub reason: String,
}

impl Waiver {
    /// Reads `RULE=REASON`.
    ///
    /// # Errors
    ///
    /// There is no such rule, or no reason.
    ///
    /// ```
    /// use portcullis_audit::report::Waiver;
    ///
    /// let waiver = Waiver::parse("audit.pkce_missing=our clients use it")?;
    /// assert_eq!(waiver.reason, "our clients use it");
    /// assert!(Waiver::parse("audit.pkce_missing").is_err());
    /// # Ok::<(), String>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, String> {
        let (id, reason) = text.split_once('=').unwrap_or((text, ""));
        let Some(rule) = find(id) else {
            return Err(
                "expected the name of a rule; every finding shows its own, and docs/audit.md \
                 lists all"
                    .to_owned(),
            );
        };
        // A waiver without a reason is forgotten: nobody knows later whether it still holds.
        if reason.trim().is_empty() {
            return Err(format!("expected a reason: `{id}=...`"));
        }
        Ok(Self {
            rule: rule.id,
            reason: reason.trim().to_owned(),
        })
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
        for waiver in &self.waivers {
            if waiver.rule == finding.rule.id {
                return Some(&waiver.reason);
            }
        }
        None
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
