//! Where each key and value of a document stands, and the way there.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathStep {
    Member(String),
    Element(usize),
}

/// The way to a value, as `issuer[0].url`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<PathStep>);

/// A key or a value.
#[derive(Clone, Debug, Default)]
pub(super) struct OutlineNode {
    pub(super) path: Path,
    /// Its bytes in the document.
    pub(super) span: Range<usize>,
}

/// All texts of a document, in its order.
pub(super) fn texts(table: &DeTable<'_>) -> Vec<OutlineNode> {
    let mut nodes = Vec::new();
    add_members(table, &Path::default(), &mut nodes);
    nodes
}

fn add_members(table: &DeTable<'_>, path: &Path, nodes: &mut Vec<OutlineNode>) {
    for (name, value) in table {
        add_value(value, path.member(name.get_ref()), nodes);
    }
}

fn add_value(value: &Spanned<DeValue<'_>>, path: Path, nodes: &mut Vec<OutlineNode>) {
    match value.get_ref() {
        DeValue::Table(table) => add_members(table, &path, nodes),
        DeValue::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                add_value(element, path.element(index), nodes);
            }
        }
        DeValue::String(_) => nodes.push(OutlineNode {
            path,
            span: value.span(),
        }),
        _ => {}
    }
}

impl Path {
    /// The way to a member of the table that this one leads to.
    pub(super) fn member(&self, name: &str) -> Self {
        let mut path = self.clone();
        path.0.push(PathStep::Member(name.to_owned()));
        path
    }

    fn element(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(PathStep::Element(index));
        path
    }

    /// The way to the table or list around it; none around the document.
    pub(super) fn parent(&self) -> Option<Self> {
        let (_, before) = self.0.split_last()?;
        Some(Self(before.to_vec()))
    }

    /// The name of the member, or of the list that it is an element of.
    pub(super) fn name(&self) -> &str {
        let names = self.0.iter().rev().find_map(|step| match step {
            PathStep::Member(name) => Some(name.as_str()),
            PathStep::Element(_) => None,
        });
        names.unwrap_or_default()
    }

    /// The value that it leads to.
    pub(super) fn find<'v, 't>(
        &self,
        table: &'v mut DeTable<'t>,
    ) -> Option<&'v mut Spanned<DeValue<'t>>> {
        let (first, rest) = self.0.split_first()?;
        let PathStep::Member(name) = first else {
            return None;
        };
        let mut value = table.get_mut(name.as_str())?;
        for step in rest {
            value = match (step, value.get_mut()) {
                (PathStep::Member(name), DeValue::Table(table)) => table.get_mut(name.as_str())?,
                (PathStep::Element(index), DeValue::Array(list)) => list.get_mut(*index)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// The table that it leads to: the document itself, or one within.
    pub(super) fn find_table<'v, 't>(
        &self,
        document: &'v mut DeTable<'t>,
    ) -> Option<&'v mut DeTable<'t>> {
        if self.0.is_empty() {
            return Some(document);
        }
        match self.find(document)?.get_mut() {
            DeValue::Table(table) => Some(table),
            _ => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Member(name) if index == 0 => f.write_str(&shown(name))?,
                PathStep::Member(name) => write!(f, ".{}", shown(name))?,
                PathStep::Element(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A name as it is told: in quotes if it could not be seen otherwise.
fn shown(name: &str) -> Cow<'_, str> {
    // The empty place is the whole document: every other fault would be told to follow from it.
    match name.is_empty() || name.chars().any(char::is_control) {
        true => Cow::Owned(format!("{name:?}")),
        false => Cow::Borrowed(name),
    }
}
