//! Faults shown where they are: the line of the settings, and a mark under what is at fault.

use portcullis_core::config::{is_secret, without_password};
use portcullis_core::{ConfigError, ConfigErrors};
use std::fmt::Write as _;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The faults of a settings file in the order of its lines, each with its line if it has one.
pub fn excerpts(file: &str, text: &str, errors: &ConfigErrors) -> String {
    let secrets = secrets(text);
    let mut faults: Vec<(Option<Range<usize>>, &ConfigError)> = Vec::new();
    for fault in errors.iter() {
        let range = fault.span().or_else(|| place(text, fault.place()));
        faults.push((range, fault));
    }
    // What has no line comes last, as the sum of what the lines lack.
    faults.sort_by_key(|(range, _)| range.as_ref().map_or(usize::MAX, |range| range.start));
    let mut shown = String::new();
    for (range, fault) in faults {
        // Writing to a string cannot fail.
        _ = match range {
            Some(range) => excerpt(&mut shown, file, text, fault, range, &secrets),
            None => writeln!(shown, "{file}: {}: {}", fault.place(), fault.message()),
        };
        _ = writeln!(shown, "    help: {}\n", fault.help());
    }
    shown
}

/// The line, from 1, of a place such as `route[2].path`; of a member that is missing, the line of
/// its table.
pub fn line_of(text: &str, place: &str) -> Option<usize> {
    let before = text.get(..self::place(text, place)?.start)?;
    Some(1 + before.matches('\n').count())
}

fn excerpt(
    shown: &mut String,
    file: &str,
    text: &str,
    fault: &ConfigError,
    range: Range<usize>,
    secrets: &[Range<usize>],
) -> std::fmt::Result {
    let before = text.get(..range.start).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let number = 1 + before.matches('\n').count();
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let end = start + line.len();
    // A mark ends with its line, and is one character at least.
    let marked = range.start.min(end)..range.end.min(end);
    let line = show(text, start..end, secrets);
    let indent = show(text, start..marked.start, secrets)
        .chars()
        .count();
    let marks = show(text, marked, secrets).chars().count().max(1);
    let gutter = " ".repeat(number.to_string().len());
    let (place, message) = (fault.place(), fault.message());
    writeln!(shown, "{file}:{number}: {place}: {message}")?;
    writeln!(shown, "  {gutter} |")?;
    writeln!(shown, "  {number} | {line}")?;
    let (indent, marks) = (" ".repeat(indent), "^".repeat(marks));
    writeln!(shown, "  {gutter} | {indent}{marks}")
}

/// A part of a line as it is written, but for the secrets in it.
fn show(text: &str, part: Range<usize>, secrets: &[Range<usize>]) -> String {
    let mut shown = String::new();
    let mut at = part.start;
    for secret in secrets {
        if secret.end <= at || secret.start >= part.end {
            continue;
        }
        shown.push_str(text.get(at..secret.start.max(at)).unwrap_or_default());
        shown.push_str("\"***\"");
        at = secret.end.min(part.end);
    }
    shown.push_str(text.get(at..part.end).unwrap_or_default());
    without_password(&shown)
}

/// Where the values of secrets are, in the order of the text.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    match DeTable::parse(text) {
        Ok(document) => secrets_of(document.get_ref(), &mut found),
        // Without a document there are only lines: whatever is behind `=` may belong to the name.
        Err(_) => {
            let mut start = 0;
            for line in text.split_inclusive('\n') {
                if let Some((name, _)) = line.split_once('=')
                    && is_secret(name.trim())
                {
                    let end = start + line.trim_end().len();
                    found.push(start + name.len() + 1..end);
                }
                start += line.len();
            }
        }
    }
    found.sort_by_key(|range| range.start);
    found
}

fn secrets_of(table: &DeTable<'_>, found: &mut Vec<Range<usize>>) {
    for (name, value) in table {
        match value.get_ref() {
            DeValue::Table(inner) => secrets_of(inner, found),
            DeValue::Array(list) => {
                for element in list.iter() {
                    match element.get_ref() {
                        DeValue::Table(inner) => secrets_of(inner, found),
                        _ if is_secret(name.get_ref()) => found.push(element.span()),
                        _ => {}
                    }
                }
            }
            // A private key that is pasted in place of its path is a secret under any name.
            DeValue::String(text) if is_secret(name.get_ref()) || text.contains("PRIVATE KEY") => {
                found.push(value.span());
            }
            _ => {}
        }
    }
}

/// Where in the text a place such as `route[2].path` is. Of a member that is missing: its table.
fn place(text: &str, place: &str) -> Option<Range<usize>> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut found = None;
    let mut rest = place;
    while !rest.is_empty() {
        // A name may hold dots itself, as headers do: the longest that there is.
        let named = table
            .iter()
            .filter(|(name, _)| names(rest, name.get_ref()));
        let Some((name, mut value)) = named.max_by_key(|(name, _)| name.get_ref().len()) else {
            break;
        };
        rest = rest.get(name.get_ref().len()..)?;
        while let Some((index, after)) = rest
            .strip_prefix('[')
            .and_then(|it| it.split_once(']'))
        {
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

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "realm = \"x\"\n[gateway]\nlisten = \
        \"0.0.0.0:1\"\n[gateway.identity.headers]\n\"x.y\" = \"z\"\n\
                        [[route]]\npath = \"/a\"\n[[route]]\npath = \"/a/../b\"\nmethods = \
                        [\"GET\", \"get\"]\n";

    fn shown(at: &str) -> String {
        let fault = ConfigError::expected(at, "something else").found("it");
        excerpts("p.toml", TEXT, &fault.help("write it").into())
    }

    #[test]
    fn faults_are_shown_in_their_line() {
        assert_eq!(
            shown("route[1].path"),
            "p.toml:9: route[1].path: expected something else, found \"it\"\n    |\n  9 | path = \
             \"/a/../b\"\n    |        ^^^^^^^^^\n    help: write it\n\n"
        );
        for (place, line) in [
            ("realm", 1),
            ("gateway.listen", 3),
            ("gateway.identity.headers.x.y", 5),
            ("route[1].methods[1]", 10),
        ] {
            assert!(
                shown(place).starts_with(&format!("p.toml:{line}: ")),
                "{place}: {}",
                shown(place)
            );
        }
    }

    #[test]
    fn faults_come_in_the_order_of_their_lines() {
        let mut faults = Vec::new();
        for place in ["issuer", "route[1].path", "realm"] {
            faults.push(ConfigError::wrong(place, "a").help("b"));
        }
        let errors = ConfigErrors::check(faults).unwrap_err();
        let shown = excerpts("p.toml", TEXT, &errors);
        let heads: Vec<&str> = shown
            .lines()
            .filter(|line| line.starts_with("p.toml"))
            .collect();
        let expected = [
            "p.toml:1: realm: a",
            "p.toml:9: route[1].path: a",
            "p.toml: issuer: a",
        ];
        assert_eq!(heads, expected);
    }

    #[test]
    fn a_line_shows_no_secret() {
        for (text, place, line) in [
            (
                "a = { client_secret = \"hunter2\", b = 1 }\n",
                "a.b",
                "a = { client_secret = \"***\", b = 1 }",
            ),
            (
                "store = \"redis://:hunter2@x\"\n",
                "store",
                "store = \"***\"",
            ),
            (
                "url = \"https://u:hunter2@x\"\n",
                "url",
                "url = \"https://***@x\"",
            ),
            (
                "key = \"-----BEGIN PRIVATE KEY-----hunter2\"\n",
                "key",
                "key = \"***\"",
            ),
        ] {
            let fault = ConfigError::wrong(place, "a").help("b");
            let shown = excerpts("p.toml", text, &fault.into());
            assert!(
                shown.contains(line) && !shown.contains("hunter2"),
                "{shown}"
            );
        }
        // The mark stays under its value.
        let text = "a = { client_secret = \"hunter2\", b = 1 }\n";
        let fault = ConfigError::wrong("a.b", "a").help("b");
        let shown = excerpts("p.toml", text, &fault.into());
        let at = "  1 | a = { client_secret = \"***\", b = ".len();
        let mark = shown.lines().find(|line| line.contains('^'));
        assert_eq!(mark.and_then(|line| line.find('^')), Some(at));
    }

    #[test]
    fn a_line_that_is_no_toml_shows_no_secret() {
        let text = "realm = \"x\"\nclient_secret = \"hunter2\n";
        let fault = ConfigError::wrong("TOML", "a").help("b");
        let fault = fault.with_span(text, 28..29);
        let shown = excerpts("p.toml", text, &fault.into());
        assert!(
            shown.contains("p.toml:2: ") && !shown.contains("hunter2"),
            "{shown}"
        );
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
        for place in ["issuer", "OAUTH2_ISSUER", "route[7].path"] {
            assert!(
                shown(place).starts_with(&format!("p.toml: {place}: ")),
                "{}",
                shown(place)
            );
        }
    }
}
