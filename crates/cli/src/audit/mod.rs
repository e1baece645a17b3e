//! The audit of an identity provider, and of our own settings: one table of rules over what was
//! seen.
//!
//! [`gather`] asks the provider, [`Seen`] holds what came of it, and every [`Rule`] is a pure
//! function from there to evidence. Not examined: what only somebody with an account could find out
//! (redirect addresses, what a user is asked, rotation of refresh tokens), TLS before 1.2, which
//! this program cannot speak, and whether a metadata's promise is kept.

#[cfg(test)]
#[path = "case_tests.rs"]
mod cases;
#[cfg(test)]
mod document;
mod evidence;
mod gather;
mod handshake;
mod key;
pub(crate) mod report;
mod rules;
mod sample;
mod seen;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod tls_front;
mod written;
#[cfg(test)]
mod written_cases;

pub(crate) use evidence::spoken;
pub(crate) use gather::gather;
pub(crate) use key::KeySeen;
pub(crate) use rules::{clock, named, title_of};
pub(crate) use seen::{KeySet, Seen};
pub(crate) use written::{Spot, Written};

use rules::GROUPS;
use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Severity {
    /// Worth knowing; something that could be had, and is not.
    Note,
    /// Who uses what is offered here is at risk, or a standard is not kept.
    Warning,
    /// Tokens are refused, or can be forged or read, whatever anybody does.
    Error,
}

impl Severity {
    pub(crate) const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Note];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that can be wrong.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its stable name.
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// Where it is asked for.
    pub(crate) section: &'static str,
    /// What is wrong, where it fires.
    pub(crate) title: &'static str,
    pub(crate) cure: &'static str,
    pub(crate) check: Check,
}

/// How a rule looks, and at what. No evidence means that nothing is wrong.
#[derive(Debug)]
pub(crate) enum Check {
    /// At what an identity provider shows.
    Issuer(fn(&Seen) -> Vec<String>),
    /// At our own settings.
    Settings(fn(&Written) -> Vec<Spot>),
}

/// A rule that fired.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) rule: &'static Rule,
    /// The issuer, or the file.
    pub(crate) subject: String,
    pub(crate) evidence: String,
    /// Where in our settings it is.
    pub(crate) place: Option<Place>,
}

/// A place in a settings file.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) setting: String,
    pub(crate) line: Option<usize>,
}

/// What an identity provider shows, by all rules. Of one that stands in our settings, `place` says
/// where.
pub(crate) fn of_issuer(seen: &Seen, place: Option<&Place>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in all() {
        if let Check::Issuer(check) = rule.check {
            findings.extend(check(seen).into_iter().map(|evidence| {
                let (subject, place) = (seen.issuer.to_string(), place.cloned());
                Finding {
                    rule,
                    subject,
                    evidence,
                    place,
                }
            }));
        }
    }
    findings
}

/// What our own settings say, by all rules.
pub(crate) fn of_settings(written: &Written) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in all() {
        if let Check::Settings(check) = rule.check {
            findings.extend(check(written).into_iter().map(|spot| Finding {
                rule,
                subject: written.file.clone(),
                evidence: spot.evidence,
                place: Some(written.place(&spot.place)),
            }));
        }
    }
    findings
}

/// As compilers write it, with the setting behind: editors find the line.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.escape_debug())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.setting)
    }
}

/// Every rule there is.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    GROUPS.iter().flat_map(|(_, rules)| *rules)
}
