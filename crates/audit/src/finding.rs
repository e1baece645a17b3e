//! Every rule over what was observed.

use crate::observation::Observation;
use crate::place::SettingPlace;
use crate::resource::ResourceObservation;
use crate::rule::{Rule, RuleCheck};
use crate::rules::all;
use crate::settings_file::SettingsFile;
use crate::transmitter::TransmitterObservation;

/// A rule that fired.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The issuer, the resource, the transmitter, or the settings file.
    pub subject: String,
    /// What was found: foreign text is quoted, escaped and cut.
    pub evidence: String,
    /// The setting behind it, if one is.
    pub place: Option<SettingPlace>,
}

/// Examines an identity provider by all rules. `place` is where the issuer stands in our settings,
/// if it was read from there.
#[must_use]
pub fn examine_issuer(observation: &Observation, place: Option<&SettingPlace>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in all() {
        let RuleCheck::Issuer(check) = rule.check else {
            continue;
        };
        for evidence in check(observation) {
            findings.push(Finding {
                rule,
                subject: observation.issuer.to_string(),
                evidence,
                place: place.cloned(),
            });
        }
    }
    findings
}

/// Examines an API by all rules.
#[must_use]
pub fn examine_resource(resource: &ResourceObservation) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in all() {
        let RuleCheck::Resource(check) = rule.check else {
            continue;
        };
        for evidence in check(resource) {
            findings.push(Finding {
                rule,
                subject: resource.asked.clone(),
                evidence,
                place: None,
            });
        }
    }
    findings
}

/// Examines a transmitter of security events by all rules.
#[must_use]
pub fn examine_transmitter(transmitter: &TransmitterObservation) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in all() {
        let RuleCheck::Transmitter(check) = rule.check else {
            continue;
        };
        for evidence in check(transmitter) {
            findings.push(Finding {
                rule,
                subject: transmitter.issuer.to_string(),
                evidence,
                place: None,
            });
        }
    }
    findings
}

/// Examines our own settings by all rules.
#[must_use]
pub fn examine_settings(settings: &SettingsFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in all() {
        let RuleCheck::Settings(check) = rule.check else {
            continue;
        };
        for found in check(settings) {
            findings.push(Finding {
                rule,
                subject: settings.file.clone(),
                evidence: found.evidence,
                place: Some(settings.place(&found.setting)),
            });
        }
    }
    findings
}
