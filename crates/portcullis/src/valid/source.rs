//! The part of a request that a value was read from.

use super::fault::PlaceSegment;

/// Where a value comes from, and how places in it are named.
#[derive(Debug)]
pub(super) enum Source {
    /// A body of JSON.
    Json,
    /// A body of form fields.
    Form,
    /// The query of the URL.
    Query,
    /// The parameters of a path with this form.
    Path(PathForm),
}

/// How a type takes the parameters of the path.
#[derive(Debug)]
pub(super) enum PathForm {
    /// By name.
    Members,
    /// In their order, which has these names.
    Tuple(Vec<String>),
    /// The only one, of this name.
    Single(String),
}

impl Source {
    /// The name of the part, as places begin with it.
    pub(super) fn part(&self) -> &'static str {
        match self {
            Self::Json | Self::Form => "body",
            Self::Query => "query",
            Self::Path(_) => "path",
        }
    }

    /// The place of the whole value.
    pub(super) fn root(&self) -> Vec<PlaceSegment> {
        let mut root = vec![PlaceSegment::name(self.part())];
        if let Self::Path(PathForm::Single(name)) = self {
            root.push(PlaceSegment::name(name));
        }
        root
    }

    /// The step to an element.
    pub(super) fn element(&self, index: usize) -> PlaceSegment {
        let name = match self {
            Self::Path(PathForm::Tuple(names)) => names.get(index),
            _ => None,
        };
        name.map_or(PlaceSegment::Index(index), |name| PlaceSegment::name(name))
    }

    /// Whether values are text that stands for numbers and truth values.
    pub(super) fn is_text(&self) -> bool {
        !matches!(self, Self::Json)
    }
}
