//! Paths that fit two templates.
//!
//! The gateway compares two paths segment by segment, and the first that has a name where the other
//! has any segment wins.

use super::template::Segment;

/// How the paths of two templates stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// No path fits both.
    Apart,
    /// All paths of the first fit the second.
    Within,
    /// All paths of the second fit the first.
    Around,
    /// Some paths fit both, and each has others; the gateway takes the first for them.
    First,
    /// The same, and the gateway takes the second.
    Second,
}

/// How the paths of one template stand to those of another one.
pub(crate) fn relation(one: &[Segment], other: &[Segment]) -> Relation {
    if one.len() != other.len() {
        return Relation::Apart;
    }
    let (mut first, mut one_is_closer, mut other_is_closer) = (None, false, false);
    for pair in one.iter().zip(other) {
        let closer = match pair {
            (Segment::Literal(one), Segment::Literal(other)) => match one == other {
                true => continue,
                false => return Relation::Apart,
            },
            (Segment::Literal(_), _) => Relation::First,
            (_, Segment::Literal(_)) => Relation::Second,
            _ => continue,
        };
        first.get_or_insert(closer);
        one_is_closer |= closer == Relation::First;
        other_is_closer |= closer == Relation::Second;
    }
    match (one_is_closer, other_is_closer) {
        (true, true) => first.unwrap_or(Relation::First),
        (_, false) => Relation::Within,
        (false, true) => Relation::Around,
    }
}

#[cfg(test)]
mod tests {
    use super::super::template::Template;
    use super::*;

    #[test]
    fn relations_are_those_of_the_paths() {
        for (one, other, expected) in [
            ("/a", "/b", Relation::Apart),
            ("/a", "/a/b", Relation::Apart),
            ("/a/{x}", "/b/{x}", Relation::Apart),
            ("/a/b", "/a/{x}", Relation::Within),
            ("/a/{x}", "/a/{y}", Relation::Within),
            ("/a/{x}", "/a/b", Relation::Around),
            ("/{x}/{y}", "/a/{x}", Relation::Around),
            ("/a/{x}", "/{x}/b", Relation::First),
            ("/{x}/b", "/a/{x}", Relation::Second),
            ("/a/{x}/c", "/a/b/{x}", Relation::Second),
        ] {
            let segments = |path: &str| Template::parse(path).unwrap().segments;
            let found = relation(&segments(one), &segments(other));
            assert_eq!(found, expected, "{one} {other}");
        }
    }
}
