//! Where each key and value of a document stands, and the way there.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

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
#[derive(Clone, Debug)]
pub(super) struct OutlineNode {
    pub(super) path: Path,
    /// Its bytes in the document.
    pub(super) span: Range<usize>,
}

/// All keys and values, numbered.
#[derive(Debug)]
pub(super) struct Outline {
    nodes: Vec<OutlineNode>,
    path: Path,
}

impl Outline {
    /// The document with a number for each key and value in the place of its span.
    ///
    /// Spans alone do not tell nodes apart: `[a.b]` gives the tables `a` and `b` the same one.
    pub(super) fn number<'t>(table: &DeTable<'t>) -> (Spanned<DeTable<'t>>, Self) {
        // Number 0 is the document itself: an error that points nowhere is told of all of it.
        let root = OutlineNode {
            path: Path::default(),
            span: 0..0,
        };
        let mut outline = Self {
            nodes: vec![root],
            path: Path::default(),
        };
        let table = outline.table(table);
        (Spanned::new(0..0, table), outline)
    }

    /// The node that an error points to.
    pub(super) fn node(&self, number: usize) -> Option<&OutlineNode> {
        self.nodes.get(number)
    }

    fn table<'t>(&mut self, table: &DeTable<'t>) -> DeTable<'t> {
        let mut numbered = DeTable::new();
        for (name, value) in table {
            self.path
                .0
                .push(PathStep::Member(name.get_ref().to_string()));
            let key = self.add(name.span());
            let value = self.value(value);
            numbered.insert(Spanned::new(key, name.get_ref().clone()), value);
            self.path.0.pop();
        }
        numbered
    }

    fn value<'t>(&mut self, value: &Spanned<DeValue<'t>>) -> Spanned<DeValue<'t>> {
        let number = self.add(value.span());
        let value = match value.get_ref() {
            DeValue::Table(table) => DeValue::Table(self.table(table)),
            DeValue::Array(elements) => {
                let mut numbered = DeArray::new();
                for (index, element) in elements.iter().enumerate() {
                    self.path.0.push(PathStep::Element(index));
                    numbered.push(self.value(element));
                    self.path.0.pop();
                }
                DeValue::Array(numbered)
            }
            plain => plain.clone(),
        };
        Spanned::new(number, value)
    }

    fn add(&mut self, span: Range<usize>) -> Range<usize> {
        let number = self.nodes.len();
        self.nodes.push(OutlineNode {
            path: self.path.clone(),
            span,
        });
        // Only the start of a span is read back, so an empty one is enough to carry the number.
        number..number
    }
}

impl Path {
    /// The way to a member of the table that this one leads to.
    pub(super) fn member(&self, name: &str) -> Self {
        let mut path = self.clone();
        path.0.push(PathStep::Member(name.to_owned()));
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
