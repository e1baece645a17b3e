//! Which of several variants a value was meant to be.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

type Branch = Vec<ValidationError<'static>>;

/// The variants that a value is none of, each with its errors.
pub(super) struct Variants<'e> {
    branches: Vec<&'e Branch>,
    /// The member that tells the variants apart, if there is one.
    tag: Option<&'e str>,
    /// How deep in the document the value is.
    depth: usize,
}

impl<'e> Variants<'e> {
    /// Of an error, its branches and their schemas.
    pub(super) fn new(
        error: &ValidationError<'_>,
        branches: &'e [Branch],
        schemas: &'e Value,
    ) -> Self {
        let depth = segments(error);
        let mut some = Vec::new();
        for branch in branches {
            if !is_null_only(branch, depth) {
                some.push(branch);
            }
        }
        Self {
            branches: some,
            tag: tag_of(schemas),
            depth,
        }
    }

    /// The name of the tag, if the value is an object without it.
    pub(super) fn missing_tag(&self, value: &Value) -> Option<&'e str> {
        let object = value.as_object()?;
        self.tag.filter(|tag| !object.contains_key(*tag))
    }

    /// The values, if every variant is a constant: an enumeration whose values have descriptions.
    pub(super) fn constants(&self) -> Option<Vec<&'e Value>> {
        let mut values = Vec::new();
        for branch in &self.branches {
            values.extend(constant_at(branch, self.depth)?.1);
        }
        (!values.is_empty()).then_some(values)
    }

    /// The name of the tag and its values, if the value has a tag that no variant has.
    pub(super) fn tags(&self) -> Option<(&'e str, Vec<&'e Value>)> {
        let mut name = None;
        let mut values = Vec::new();
        for branch in &self.branches {
            let (tag, tags) = constant_at(branch, self.depth + 1)?;
            if *name.get_or_insert(tag) != tag {
                return None;
            }
            values.extend(tags);
        }
        Some((name?, values))
    }

    /// The variant that lacks least: not of another type, with the right tag, with its members.
    pub(super) fn nearest(&self) -> Option<&'e Branch> {
        let branches = self.branches.iter();
        let nearest = branches.min_by_key(|branch| distance(branch, self.depth));
        nearest.copied().filter(|branch| !branch.is_empty())
    }
}

/// The property that is a constant in every variant.
fn tag_of(schemas: &Value) -> Option<&str> {
    let mut tag = None;
    for schema in schemas.as_array()? {
        let properties = schema.get("properties")?.as_object()?;
        let (name, _) = properties
            .iter()
            .find(|(_, it)| it.get("const").is_some())?;
        if *tag.get_or_insert(name.as_str()) != name {
            return None;
        }
    }
    tag
}

/// Whether an error is one of form: not of a bound, a pattern or a format, which are rules.
pub(super) fn is_of_form(error: &ValidationError<'_>) -> bool {
    match error.kind() {
        // A variant that fits but for its rules has the right form.
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => context
            .iter()
            .all(|branch| branch.iter().any(is_of_form)),
        Kind::Minimum { .. }
        | Kind::ExclusiveMinimum { .. }
        | Kind::Maximum { .. }
        | Kind::ExclusiveMaximum { .. }
        | Kind::MultipleOf { .. }
        | Kind::MinLength { .. }
        | Kind::MaxLength { .. }
        | Kind::MinItems { .. }
        | Kind::MaxItems { .. }
        | Kind::MinProperties { .. }
        | Kind::MaxProperties { .. }
        | Kind::Pattern { .. }
        | Kind::Format { .. }
        | Kind::UniqueItems
        | Kind::OneOfMultipleValid { .. } => false,
        _ => true,
    }
}

/// The constants that a variant demands so deep in the document, and the name of their member.
fn constant_at(branch: &Branch, depth: usize) -> Option<(&str, Vec<&Value>)> {
    for error in branch {
        let path = error.instance_path().as_str();
        let name = path.rsplit('/').next().unwrap_or_default();
        match error.kind() {
            _ if segments(error) != depth => {}
            Kind::Constant { expected_value } => return Some((name, vec![expected_value])),
            Kind::Enum { options } => return Some((name, options.as_array()?.iter().collect())),
            _ => {}
        }
    }
    None
}

fn distance(branch: &Branch, root: usize) -> (bool, bool, bool, usize) {
    let (mut is_other_type, mut has_other_tag, mut lacks_members) = (false, false, false);
    for error in branch {
        let depth = segments(error).saturating_sub(root);
        match error.kind() {
            Kind::Type { .. } if depth == 0 => is_other_type = true,
            Kind::Constant { .. } | Kind::Enum { .. } if depth <= 1 => has_other_tag = true,
            Kind::Required { .. } if depth == 0 => lacks_members = true,
            _ => {}
        }
    }
    (is_other_type, has_other_tag, lacks_members, branch.len())
}

fn segments(error: &ValidationError<'_>) -> usize {
    error.instance_path().segments().count()
}

/// Whether the variant is `null`: the value may be absent, and is not.
fn is_null_only(branch: &Branch, depth: usize) -> bool {
    let [error] = branch.as_slice() else {
        return false;
    };
    let is_null = |kind: &TypeKind| matches!(kind, TypeKind::Single(JsonType::Null));
    matches!(error.kind(), Kind::Type { kind } if is_null(kind)) && segments(error) == depth
}
