//! Policies from their files: parsed, named, and checked against the schema; all faults at once,
//! each with file and line.

use super::files::{Source, sources};
use super::schema::{self, Vocabulary};
use crate::config::CedarConfig;
use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;
use portcullis_core::{ConfigError, ConfigErrors};
use std::collections::HashMap;
use std::fmt;

/// Reads, names and checks the policies.
pub(super) fn read(
    config: &CedarConfig,
    vocabulary: &Vocabulary,
) -> Result<Vec<Policy>, ConfigErrors> {
    let mut reading = Reading::default();
    let sources = sources(&config.policies);
    for source in &sources {
        reading.source(source);
    }
    if reading.policies.is_empty() && reading.faults.is_empty() {
        let help = "name files, or folders with files that end in `.cedar`";
        let fault = ConfigError::expected("cedar.policies", "at least one policy").found_as("none");
        reading.faults.push(fault.help(help));
    }
    ConfigErrors::check(std::mem::take(&mut reading.faults))?;
    reading.check(vocabulary)
}

#[derive(Default)]
struct Reading<'s> {
    policies: Vec<Policy>,
    places: HashMap<PolicyId, (&'s Source, usize)>,
    faults: Vec<ConfigError>,
}

impl<'s> Reading<'s> {
    /// Adds the policies of a file.
    fn source(&mut self, source: &'s Source) {
        let text = match &source.text {
            Ok(text) => text,
            Err(why) => {
                let problem = format!("the file of policies cannot be read: {why}");
                let help = "name a file, or a folder with files that end in `.cedar`";
                let place = source.path.display().to_string();
                self.faults
                    .push(ConfigError::wrong(place, problem).help(help));
                return;
            }
        };
        match text.parse::<PolicySet>() {
            Ok(set) if set.num_of_templates() > 0 => {
                let help = "write the policy out, without `?principal` and `?resource`";
                let place = source.path.display().to_string();
                let fault = ConfigError::expected(place, "policies").found_as("a template");
                self.faults.push(fault.help(help));
            }
            Ok(set) => self.name(source, text, &set),
            Err(errors) => {
                self.faults
                    .extend(errors.iter().map(|error| fault(source, error, 0)));
            }
        }
    }

    /// Gives each policy the name of its `@id`, or of its file and line.
    fn name(&mut self, source: &'s Source, text: &str, set: &PolicySet) {
        let file = source
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let mut from = 0;
        // Cedar numbers the policies of a text in their order.
        let numbered = (0..set.num_of_policies())
            .filter_map(|number| set.policy(&PolicyId::new(format!("policy{number}"))));
        for policy in numbered {
            let written = policy.to_cedar().unwrap_or_default();
            let rest = text.get(from..).unwrap_or_default();
            let at = from + rest.find(&written).unwrap_or_default();
            from = at + written.len();
            let id = match policy.annotation("id") {
                Some(id) if !id.is_empty() => id.to_owned(),
                _ => format!("{file}:{}", position(text, at).0),
            };
            let id = PolicyId::new(id);
            if self.places.insert(id.clone(), (source, at)).is_some() {
                let (line, column) = position(text, at);
                let place = format!("{}:{line}:{column}", source.path.display());
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
        let errors = result
            .validation_errors()
            .map(|error| (error.policy_id(), error as &dyn Diagnostic));
        let warnings = result
            .validation_warnings()
            .map(|warning| (warning.policy_id(), warning as &dyn Diagnostic));
        let faults = errors.chain(warnings).filter_map(|(id, diagnostic)| {
            let (source, at) = self.places.get(id)?;
            Some(fault(source, diagnostic, *at))
        });
        ConfigErrors::check(faults.collect())?;
        if !result.validation_passed() {
            return Err(internal(result));
        }
        Ok(self.policies)
    }
}

/// What Cedar does not take of us: nothing that an operator wrote.
pub(super) fn internal(error: impl fmt::Display) -> ConfigErrors {
    let problem = format!("Cedar refuses the policies or their schema: {error}");
    ConfigError::wrong("cedar", problem)
        .help("report this as a fault of Portcullis")
        .into()
}

/// A fault at the place that Cedar names, or else at `otherwise`.
fn fault(source: &Source, diagnostic: &dyn Diagnostic, otherwise: usize) -> ConfigError {
    let at = diagnostic
        .labels()
        .and_then(|mut labels| labels.next())
        .map_or(otherwise, |it| it.offset());
    let (line, column) = position(source.text.as_deref().unwrap_or_default(), at);
    let place = format!("{}:{line}:{column}", source.path.display());
    let cure = diagnostic.help().map_or_else(
        || "see what policies can name and read by `portcullis config schema --cedar`".to_owned(),
        |help| help.to_string(),
    );
    ConfigError::wrong(place, diagnostic.to_string()).help(cure)
}

/// Line and column of a byte, both from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let column = 1 + before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count();
    (line, column)
}
