//! Reads a part of a document again and again, each time without the last member at fault.

use super::complaint::{Complaint, example, meanings, nearest};
use super::outline::{self, OutlineNode, Path, PathStep};
use super::values;
use crate::config::environment::{self, Variable, VariableSource};
use portcullis_core::ConfigError;
use portcullis_core::config::{is_secret, without_password};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// More rounds than a document with honest mistakes needs; each reads all of it again.
const MOST_ROUNDS: usize = 500;
/// The longest list or table that is shown as it was typed.
const LONGEST_SHOWN: usize = 60;

/// What a document is, as far as its faults have to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct DocumentKind {
    /// Members at the top that are read elsewhere.
    pub(super) others: &'static [&'static str],
    /// The command that prints its schema.
    pub(super) schema: &'static str,
}

impl DocumentKind {
    fn all_members(self) -> String {
        format!("`{}` has all members and their types", self.schema)
    }
}

pub(super) struct DocumentReader<'t> {
    text: &'t str,
    kind: DocumentKind,
    pub(super) table: DeTable<'t>,
    /// The places of what was taken out, or may have been meant by it.
    pub(super) removed: Vec<String>,
    pub(super) faults: Vec<ConfigError>,
    /// Values that stand in for what is missing, and how many kinds were tried.
    stand_ins: Vec<(Path, usize)>,
}

impl<'t> DocumentReader<'t> {
    pub(super) fn new(text: &'t str, table: DeTable<'t>, kind: DocumentKind) -> Self {
        Self {
            text,
            kind,
            table,
            removed: Vec::new(),
            faults: Vec::new(),
            stand_ins: Vec::new(),
        }
    }

    /// Puts variables in the place of their names. A string that names an unset one is taken out.
    pub(super) fn fill(&mut self, variable: &mut VariableSource<'_>) -> Vec<Variable> {
        let mut known = Vec::new();
        for node in outline::texts(&self.table) {
            let Some(value) = node.path.find(&mut self.table) else {
                continue;
            };
            let DeValue::String(text) = value.get_mut() else {
                continue;
            };
            match environment::fill(text, variable, &mut known) {
                Ok(None) => {}
                Ok(Some(filled)) => *text = Cow::Owned(filled),
                Err(unfilled) => {
                    let fault = unfilled.fault(node.path.to_string());
                    self.faults.push(fault.with_span(self.text, node.span));
                    self.take_out(&node.path);
                }
            }
        }
        known
    }

    /// What can be read; none if serde complains of what cannot be taken out.
    pub(super) fn read<T: DeserializeOwned>(&mut self) -> Option<T> {
        for _ in 0..MOST_ROUNDS {
            let misfit = match values::read(&self.table) {
                Ok(value) => return Some(value),
                Err(misfit) => misfit,
            };
            // Without a node it is the document itself.
            let node = misfit.node.unwrap_or_default();
            if !self.settle(&node, &misfit.message) {
                break;
            }
        }
        // Nothing is known to be whole.
        self.removed.push(String::new());
        if self.faults.is_empty() {
            let fault = ConfigError::wrong("TOML", "the document cannot be read");
            self.faults.push(fault.help(self.kind.all_members()));
        }
        None
    }

    /// Notes a fault, and makes the document one that is read further. Says whether it could.
    fn settle(&mut self, node: &OutlineNode, message: &str) -> bool {
        match Complaint::parse(message) {
            Complaint::Unknown { name, known } => self.unknown(node, name, known),
            Complaint::Missing(name) => self.missing(node, name),
            Complaint::Unfit(expected) => self.unfit(node, |reading, place, value| {
                ConfigError::expected(place.to_string(), expected.as_str())
                    .found_as(reading.show(place, node, value))
                    .help(reading.help_for(place, &expected, value))
            }),
            // It may repeat a variable's value, and nothing tells where.
            Complaint::Other(_) => self.unfit(node, |reading, place, value| {
                ConfigError::expected(place.to_string(), "another value")
                    .found_as(reading.show(place, node, value))
                    .help(reading.kind.all_members())
            }),
        }
    }

    fn unknown(&mut self, node: &OutlineNode, name: &str, mut known: Vec<&str>) -> bool {
        // An error may point at the unknown key itself, or at the table around it.
        let path = match node.path.0.last() {
            Some(PathStep::Member(own)) if own == name => node.path.clone(),
            _ => node.path.member(name),
        };
        let Some(parent) = path.parent() else {
            return false;
        };
        // At the top stand the tables of the doors as well, which are read elsewhere.
        if parent.0.is_empty() {
            known.extend(self.kind.others);
        }
        let all_members = self.kind.all_members();
        let help = match nearest(name, &known) {
            Some(meant) => format!("write `{meant}`; {all_members}"),
            None => all_members,
        };
        let fault = ConfigError::wrong(path.to_string(), format!("unknown member `{name}`"));
        self.faults.push(
            fault
                .help(help)
                .with_span(self.text, node.span.clone()),
        );
        self.take_out(&path);
        let Some(table) = parent.find_table(&mut self.table) else {
            return false;
        };
        // What is missing because it was misspelled is not told a second time.
        for meant in meanings(name, &known) {
            if !table.contains_key(meant) {
                self.removed.push(parent.member(meant).to_string());
            }
        }
        true
    }

    fn missing(&mut self, node: &OutlineNode, name: &str) -> bool {
        let path = node.path.member(name);
        let place = path.to_string();
        if !self.removed.contains(&place) {
            let help = match example(name) {
                Some(example) => format!("write `{example}`"),
                None => format!("write `{name}`; {}", self.kind.all_members()),
            };
            let fault = ConfigError::expected(place.as_str(), "a value").found_nothing();
            self.faults.push(
                fault
                    .help(help)
                    .with_span(self.text, node.span.clone()),
            );
            self.removed.push(place);
        }
        let Some(table) = node.path.find_table(&mut self.table) else {
            return false;
        };
        let key = Spanned::new(0..0, Cow::Owned(name.to_owned()));
        table.insert(key, Spanned::new(node.span.clone(), stand_in(0)));
        self.stand_ins.push((path, 0));
        true
    }

    /// A value of the wrong kind: the next stand-in, or a fault.
    fn unfit(
        &mut self,
        node: &OutlineNode,
        fault: impl FnOnce(&Self, &Path, &DeValue<'t>) -> ConfigError,
    ) -> bool {
        let path = &node.path;
        if let Some((_, tried)) = self
            .stand_ins
            .iter_mut()
            .find(|(known, _)| known == path)
        {
            *tried += 1;
            let tried = *tried;
            return match path.find(&mut self.table) {
                Some(value) if tried < STAND_INS => {
                    *value.get_mut() = stand_in(tried);
                    true
                }
                // Nothing fits: the table around it cannot be made whole.
                _ => path
                    .parent()
                    .is_some_and(|parent| self.take_out(&parent)),
            };
        }
        let Some(value) = path
            .find(&mut self.table)
            .map(|value| value.get_ref().clone())
        else {
            return false;
        };
        let fault = fault(self, path, &value);
        self.faults
            .push(fault.with_span(self.text, node.span.clone()));
        self.take_out(path)
    }

    /// Takes a value out. An element of a list is replaced, so that the others keep their places.
    fn take_out(&mut self, path: &Path) -> bool {
        self.removed.push(path.to_string());
        match path.0.last() {
            None => false,
            Some(PathStep::Element(_)) => {
                if let Some(value) = path.find(&mut self.table) {
                    *value.get_mut() = stand_in(0);
                }
                self.stand_ins.push((path.clone(), 0));
                true
            }
            Some(PathStep::Member(name)) => {
                let table = path.parent();
                let table = table.and_then(|parent| parent.find_table(&mut self.table));
                table.is_some_and(|table| table.remove(name.as_str()).is_some())
            }
        }
    }

    /// A value as it was typed, unless it is a secret or too long for a line.
    fn show(&self, path: &Path, node: &OutlineNode, value: &DeValue<'_>) -> String {
        let typed = self.text.get(node.span.clone()).unwrap_or_default();
        let is_short = typed.len() <= LONGEST_SHOWN && !typed.contains('\n');
        let kind = match value {
            DeValue::Table(_) => "a table",
            DeValue::Array(_) => "a list",
            DeValue::String(_) => "a string",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a time",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
        };
        let is_nested = matches!(value, DeValue::Table(_) | DeValue::Array(_));
        if holds_secret(path, value) || (is_nested && (!is_short || !typed.starts_with(['[', '{'])))
        {
            return kind.to_owned();
        }
        // `[[issuer]]` is the head of a table, and no value.
        match typed.lines().next() {
            Some(line) if !line.starts_with("[[") || !is_nested => without_password(line),
            _ => kind.to_owned(),
        }
    }

    fn help_for(&self, path: &Path, expected: &str, value: &DeValue<'_>) -> String {
        let name = path.name();
        match value {
            DeValue::Table(_) if expected == "a list" && path.0.len() == 1 => {
                format!("write `[[{name}]]`, with two brackets: there may be several")
            }
            _ => format!("write `{name}` as {expected}; {}", self.kind.all_members()),
        }
    }
}

fn holds_secret(path: &Path, value: &DeValue<'_>) -> bool {
    // A table in one line may hold a secret member, and would be shown whole.
    let within = match value {
        DeValue::Table(table) => table
            .iter()
            .any(|(name, value)| is_secret(name.get_ref()) || holds_secret(path, value.get_ref())),
        DeValue::Array(list) => list
            .iter()
            .any(|value| holds_secret(path, value.get_ref())),
        _ => false,
    };
    within || is_secret(path.name())
}

const STAND_INS: usize = 6;

/// A value that may stand in for a missing one, of the kinds that are needed somewhere.
fn stand_in<'t>(kind: usize) -> DeValue<'t> {
    match kind {
        0 => DeValue::String(Cow::Borrowed("")),
        // Addresses are parsed while serde reads, so an empty string does not do for them.
        1 => DeValue::String(Cow::Borrowed("127.0.0.1:0")),
        2 => DeValue::Array(DeArray::new()),
        3 => DeValue::Table(DeTable::new()),
        4 => DeValue::Boolean(false),
        _ => DeValue::String(Cow::Borrowed("x")),
    }
}
