//! A settings document read as far as it can be: every fault of its form is found at once.
//!
//! serde ends at its first fault. So a member at fault is noted and taken out, and the rest is read
//! again, until it can be read. What remains is then judged by its meaning; [`ConfigOrigin`] drops
//! faults that only follow from what was taken out.

mod complaint;
mod outline;
mod reading;
mod values;

pub(super) use complaint::nearest;

use super::doors::DOORS;
use super::environment::{self, Variable, VariableSource};
use super::origin::ConfigOrigin;
use portcullis_core::{ConfigError, ConfigErrors};
use reading::{DocumentKind, DocumentReader};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::DeTable;

const SETTINGS: DocumentKind = DocumentKind {
    others: &DOORS,
    schema: "portcullis config schema",
};

/// A TOML document that is about to be read in parts.
#[derive(Debug)]
pub struct Document<'t> {
    text: &'t str,
    table: DeTable<'t>,
}

/// A part of a document as written, and what is known of how it was written.
#[derive(Debug)]
pub struct Part<T> {
    /// What was read. Where the form is at fault, it is not whole.
    pub value: T,
    /// Where it came from, with the faults of its form.
    pub origin: ConfigOrigin,
    /// The same as plain TOML, the values of variables put in.
    pub table: toml::Table,
}

impl<'t> Document<'t> {
    /// Reads the TOML.
    ///
    /// # Errors
    ///
    /// The first fault of its syntax: what follows it could mean anything.
    pub fn parse(text: &'t str) -> Result<Self, ConfigErrors> {
        match DeTable::parse(text) {
            Ok(table) => Ok(Self {
                text,
                table: table.into_inner(),
            }),
            Err(error) => {
                let span = error.span().unwrap_or_default();
                let fault = ConfigError::wrong("TOML", error.message())
                    .help("write the document as TOML: https://toml.io")
                    .with_span(text, span);
                Err(fault.into())
            }
        }
    }

    /// Reads the members at the top for which `belongs` holds. `${NAME}` in a string is the
    /// variable of that name, of the environment or of `.env`.
    pub fn read<T>(&self, belongs: impl Fn(&str) -> bool) -> Part<T>
    where
        T: DeserializeOwned + Default,
    {
        self.read_with(belongs, &mut environment::of_process())
    }

    /// Reads all members of a document that is no `portcullis.toml`. `schema` is the command that
    /// prints its schema, for the help of faults.
    pub fn read_other<T>(&self, schema: &'static str) -> Part<T>
    where
        T: DeserializeOwned + Default,
    {
        let kind = DocumentKind {
            others: &[],
            schema,
        };
        self.read_as(kind, |_| true, &mut environment::of_process())
    }

    /// The same, with variables from anywhere.
    pub(crate) fn read_with<T>(
        &self,
        belongs: impl Fn(&str) -> bool,
        variable: &mut VariableSource<'_>,
    ) -> Part<T>
    where
        T: DeserializeOwned + Default,
    {
        self.read_as(SETTINGS, belongs, variable)
    }

    fn read_as<T>(
        &self,
        kind: DocumentKind,
        belongs: impl Fn(&str) -> bool,
        variable: &mut VariableSource<'_>,
    ) -> Part<T>
    where
        T: DeserializeOwned + Default,
    {
        let (mut reading, variables) = self.prepare(kind, &belongs, variable);
        let value = reading.read().unwrap_or_default();
        let (origin, table) = reading.rest(variables);
        Part {
            value,
            origin,
            table,
        }
    }

    /// The members in question, the values of variables put in.
    fn prepare(
        &self,
        kind: DocumentKind,
        belongs: &dyn Fn(&str) -> bool,
        variable: &mut VariableSource<'_>,
    ) -> (DocumentReader<'t>, Vec<Variable>) {
        let mut table = DeTable::new();
        for (name, value) in &self.table {
            if belongs(name.get_ref()) {
                table.insert(name.clone(), value.clone());
            }
        }
        let mut reading = DocumentReader::new(self.text, table, kind);
        let variables = reading.fill(variable);
        (reading, variables)
    }
}

impl DocumentReader<'_> {
    /// How it was written, and the members that were read as plain TOML.
    fn rest(self, variables: Vec<Variable>) -> (ConfigOrigin, toml::Table) {
        let root = Spanned::new(0..0, self.table);
        let table = toml::Table::deserialize(toml::Deserializer::from(root));
        let origin = ConfigOrigin::of_document(variables, self.removed, self.faults);
        (origin, table.unwrap_or_default())
    }
}
