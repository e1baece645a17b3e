//! Policies from their files: parsed, named, and checked against the schema; all faults at once,
//! each with file and line.

use super::files::{PolicyFile, policy_files};
use super::schema::{self, Vocabulary};
use crate::config::CedarConfig;
use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;
use portcullis_core::{ConfigError, ConfigErrors};
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

/// Reads, names and checks the policies.
pub(super) fn read(
    config: &CedarConfig,
    vocabulary: &Vocabulary,
) -> Result<Vec<Policy>, ConfigErrors> {
    let mut reader = PolicyReader::default();
    let files = policy_files(&config.policies);
    for file in &files {
        reader.add(file, &config.policies);
    }
    if reader.policies.is_empty() && reader.faults.is_empty() {
        let help = "name files, or folders with files that end in `.cedar`";
        let fault = ConfigError::expected("cedar.policies", "at least one policy").found_as("none");
        reader.faults.push(fault.help(help));
    }
    ConfigErrors::check(std::mem::take(&mut reader.faults))?;
    reader.check(vocabulary)
}

#[derive(Default)]
struct PolicyReader<'s> {
    policies: Vec<Policy>,
    places: HashMap<PolicyId, (&'s PolicyFile, usize)>,
    faults: Vec<ConfigError>,
}

impl<'s> PolicyReader<'s> {
    /// Adds the policies of a file; `written` are the paths in the settings.
    fn add(&mut self, file: &'s PolicyFile, written: &[PathBuf]) {
        let place = || file.path.display().to_string();
        let text = match &file.text {
            Ok(text) => text,
            Err(why) => {
                let problem = format!("{}: the policies cannot be read: {why}", place());
                let help = "name a file, or a folder with files that end in `.cedar`";
                // A file of a folder is in no line of the settings.
                let index = written.iter().position(|path| *path == file.path);
                let setting = match index {
                    Some(index) => format!("cedar.policies[{index}]"),
                    None => "cedar.policies".to_owned(),
                };
                let fault = ConfigError::wrong(setting, problem).help(help);
                self.faults.push(fault);
                return;
            }
        };
        match text.parse::<PolicySet>() {
            // A template without a link never applies, and settings have no way to link one.
            Ok(set) if set.num_of_templates() > 0 => {
                let help = "write the policy out, without `?principal` and `?resource`";
                let fault = ConfigError::expected(place(), "policies").found_as("a template");
                self.faults.push(fault.help(help));
            }
            Ok(set) => self.name(file, text, &set),
            Err(errors) => {
                for error in errors.iter() {
                    self.faults.push(fault(file, error, 0));
                }
            }
        }
    }

    /// Gives each policy the name of its `@id`, or of its file and line.
    fn name(&mut self, file: &'s PolicyFile, text: &str, set: &PolicySet) {
        let file_name = file
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let mut from = 0;
        // Cedar keeps no position of a parsed policy, so its text is searched for.
        // Cedar numbers the policies of a text in their order.
        for number in 0..set.num_of_policies() {
            let Some(policy) = set.policy(&PolicyId::new(format!("policy{number}"))) else {
                continue;
            };
            let written = policy.to_cedar().unwrap_or_default();
            let rest = text.get(from..).unwrap_or_default();
            let at = from + rest.find(&written).unwrap_or_default();
            from = at + written.len();
            let id = match policy.annotation("id") {
                Some(id) if !id.is_empty() => id.to_owned(),
                _ => format!("{file_name}:{}", position(text, at).0),
            };
            let id = PolicyId::new(id);
            if self.places.insert(id.clone(), (file, at)).is_some() {
                let (line, column) = position(text, at);
                let place = format!("{}:{line}:{column}", file.path.display());
                let problem = format!("another policy is called `{id}` already");
                let fault = ConfigError::wrong(place, problem).help("give it another `@id`");
                self.faults.push(fault);
            }
            self.policies.push(policy.new_id(id));
        }
    }

    /// Checks all policies against the schema. A policy that can never apply is a fault too.
    fn check(self, vocabulary: &Vocabulary) -> Result<Vec<Policy>, ConfigErrors> {
        let (schema, _) =
            Schema::from_cedarschema_str(&schema::text(vocabulary)).map_err(internal)?;
        let set = PolicySet::from_policies(self.policies.iter().cloned()).map_err(internal)?;
        let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
        let mut faults = Vec::new();
        for error in result.validation_errors() {
            faults.extend(self.locate(error.policy_id(), error));
        }
        // A warning of Cedar is a fault here: nobody reads warnings about a policy that never
        // applies.
        for warning in result.validation_warnings() {
            faults.extend(self.locate(warning.policy_id(), warning));
        }
        ConfigErrors::check(faults)?;
        if !result.validation_passed() {
            return Err(internal(result));
        }
        Ok(self.policies)
    }

    /// A fault in the file that the policy is from.
    fn locate(&self, id: &PolicyId, diagnostic: &dyn Diagnostic) -> Option<ConfigError> {
        let (file, at) = self.places.get(id)?;
        Some(fault(file, diagnostic, *at))
    }
}

/// A fault in what the gateway itself hands to Cedar, not in what an operator wrote.
pub(super) fn internal(error: impl fmt::Display) -> ConfigErrors {
    let problem = format!("Cedar refuses the policies or their schema: {error}");
    ConfigError::wrong("cedar", problem)
        .help("report this as a fault of Portcullis")
        .into()
}

/// A fault at the place that Cedar names, or else at `otherwise`.
fn fault(file: &PolicyFile, diagnostic: &dyn Diagnostic, otherwise: usize) -> ConfigError {
    let label = diagnostic
        .labels()
        .and_then(|mut labels| labels.next());
    let at = match label {
        Some(label) => label.offset(),
        None => otherwise,
    };
    let (line, column) = position(file.text.as_deref().unwrap_or_default(), at);
    let place = format!("{}:{line}:{column}", file.path.display());
    let help = match diagnostic.help() {
        Some(help) => help.to_string(),
        None => {
            "see what policies can name and read by `portcullis config schema --cedar`".to_owned()
        }
    };
    ConfigError::wrong(place, diagnostic.to_string()).help(help)
}

/// Line and column of a byte, both from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let last = before.rsplit('\n').next().unwrap_or_default();
    let column = 1 + last.chars().count();
    (line, column)
}
