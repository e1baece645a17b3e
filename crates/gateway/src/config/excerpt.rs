//! Faults shown where they are: the line of the settings, and a mark under what is at fault.

use portcullis_core::{ConfigError, ConfigErrors};
use std::fmt::Write as _;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The faults of a settings file, each with its line if it has one.
pub fn excerpts(file: &str, text: &str, errors: &ConfigErrors) -> String {
    let mut told = String::new();
    for fault in errors.iter() {
        // Writing to a string cannot fail.
        _ = match place(text, fault.place()) {
            Some(range) => excerpt(&mut told, file, text, fault, &range),
            None => writeln!(told, "{file}: {}: {}", fault.place(), fault.message()),
        };
        _ = writeln!(told, "    help: {}\n", fault.help());
    }
    told
}

/// The line, from 1, of a place such as `route[2].path`; of a member that is missing, the line of
/// its table.
pub fn line_of(text: &str, place: &str) -> Option<usize> {
    let before = text.get(..self::place(text, place)?.start)?;
    Some(1 + before.matches('\n').count())
}

fn excerpt(
    told: &mut String,
    file: &str,
    text: &str,
    fault: &ConfigError,
    range: &Range<usize>,
) -> std::fmt::Result {
    let before = text.get(..range.start).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let number = 1 + before.matches('\n').count();
    let line = text
        .get(start..)
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default();
    let indent = before.get(start..).unwrap_or_default().chars().count();
    let marked = text
        .get(range.clone())
        .unwrap_or_default()
        .lines()
        .next()
        .unwrap_or_default();
    let gutter = " ".repeat(number.to_string().len());
    writeln!(
        told,
        "{file}:{number}: {}: {}",
        fault.place(),
        fault.message()
    )?;
    writeln!(told, "  {gutter} |")?;
    writeln!(told, "  {number} | {line}")?;
    writeln!(
        told,
        "  {gutter} | {}{}",
        " ".repeat(indent),
        "^".repeat(marked.chars().count().max(1))
    )
}

/// Where in the text a place such as `route[2].path`, or `line 7`, is. Of a member that is missing:
/// its table.
fn place(text: &str, place: &str) -> Option<Range<usize>> {
    if let Some(number) = place.strip_prefix("line ") {
        return line(text, number.parse().ok()?);
    }
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut found = None;
    let mut rest = place;
    while !rest.is_empty() {
        // A name may hold dots itself, as headers do: the longest that there is.
        let Some((name, value)) = table
            .iter()
            .filter(|(name, _)| names(rest, name.get_ref()))
            .max_by_key(|(name, _)| name.get_ref().len())
        else {
            break;
        };
        let mut value = value;
        rest = rest.get(name.get_ref().len()..)?;
        while let Some((index, after)) = rest.strip_prefix('[').and_then(|it| it.split_once(']')) {
            let DeValue::Array(list) = value.get_ref() else {
                break;
            };
            value = list.get(index.parse::<usize>().ok()?)?;
            rest = after;
        }
        found = Some(value.span());
        rest = rest.strip_prefix('.').unwrap_or(rest);
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    found
}

/// Whether a place begins with this name, whole.
fn names(place: &str, name: &str) -> bool {
    place
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn line(text: &str, number: usize) -> Option<Range<usize>> {
    let start = match number.checked_sub(1)? {
        0 => 0,
        before => text.match_indices('\n').nth(before - 1)?.0 + 1,
    };
    let length = text.get(start..)?.lines().next().unwrap_or_default().len();
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "realm = \"x\"\n[gateway]\nlisten = \
        \"0.0.0.0:1\"\n[gateway.identity.headers]\n\"x.y\" = \"z\"\n\
                        [[route]]\npath = \"/a\"\n[[route]]\npath = \"/a/../b\"\nmethods = \
                        [\"GET\", \"get\"]\n";

    fn shown(at: &str) -> String {
        let fault = ConfigError::new(at, "something else", "write it");
        excerpts("p.toml", TEXT, &fault.into())
    }

    #[test]
    fn faults_are_shown_in_their_line() {
        let told = shown("route[1].path");
        assert_eq!(
            told,
            "p.toml:9: route[1].path: something else\n    |\n  9 | path = \"/a/../b\"\n    |        ^^^^^^^^^\n    help: write it\n\n"
        );
        for (place, line) in [
            ("realm", 1),
            ("gateway.listen", 3),
            ("gateway.identity.headers.x.y", 5),
            ("route[1].methods[1]", 10),
            ("line 7", 7),
            ("line 1", 1),
        ] {
            assert!(
                shown(place).starts_with(&format!("p.toml:{line}: ")),
                "{place}: {}",
                shown(place)
            );
        }
    }

    #[test]
    fn places_have_lines() {
        assert_eq!(line_of(TEXT, "route[1].path"), Some(9));
        assert_eq!(line_of(TEXT, "route[1].access"), Some(8));
        assert_eq!(line_of(TEXT, "issuer[0].url"), None);
    }

    #[test]
    fn what_is_not_there_is_shown_at_its_table_or_without_a_line() {
        assert!(
            shown("gateway.upstream").starts_with("p.toml:2: gateway.upstream"),
            "{}",
            shown("gateway.upstream")
        );
        assert!(
            shown("route[1].access").starts_with("p.toml:8: "),
            "{}",
            shown("route[1].access")
        );
        for place in ["issuer", "OAUTH2_ISSUER", "line 99", "route[7].path"] {
            assert!(
                shown(place).starts_with(&format!("p.toml: {place}: ")),
                "{}",
                shown(place)
            );
        }
    }
}
