//! The file `.env`, which other software reads as well.
//!
//! What is fit for `dotenvy` is read by it. Any other entry is read as python-dotenv and Docker
//! Compose do: a value without quotes is the text up to the end of its line or a comment. A line
//! that means nothing is a fault if it is about a variable of Portcullis, and else not looked at.

use super::names::is_ours;
use portcullis_core::{ConfigError, ConfigErrors};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The variables of a `.env` file; none if there is no file.
///
/// # Errors
///
/// A file that is there but cannot be read, and each line about a variable of Portcullis that has
/// no meaning. Values are never shown.
pub fn dotenv(path: &Path) -> Result<BTreeMap<String, String>, ConfigErrors> {
    match fs::read(path) {
        Ok(bytes) => parse(&bytes, &path.display().to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(_) => Err(
            ConfigError::wrong(path.display().to_string(), "the file cannot be read")
                .help("make it a readable file, or remove it")
                .into(),
        ),
    }
}

fn parse(bytes: &[u8], file: &str) -> Result<BTreeMap<String, String>, ConfigErrors> {
    // UTF-16 would pass for a file without any variable, and a restriction would be lost with it.
    if bytes.contains(&0) {
        return Err(ConfigError::wrong(file, "the file is not UTF-8")
            .help("save it as UTF-8")
            .into());
    }
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.trim_start_matches('\u{feff}');
    let (mut number, mut readable, mut faults) = (1, String::new(), Vec::new());
    while !rest.is_empty() {
        let entry = first_entry(rest);
        match readable_entry(entry) {
            Some(entry) => readable.push_str(&entry),
            None if is_ours(written_name(entry)) => {
                faults.push(fault(entry, format!("{file}:{number}")));
            }
            None => {}
        }
        // An entry in quotes takes several lines, and the next fault is to be found in an editor.
        number += entry.matches('\n').count();
        rest = rest.get(entry.len()..).unwrap_or_default();
    }
    // All of them at once, as everywhere in settings.
    ConfigErrors::check(faults)?;
    let entries = dotenvy::from_read_iter(readable.as_bytes());
    Ok(entries.filter_map(Result::ok).collect())
}

/// The first line, or the lines of a value in quotes that goes on.
fn first_entry(rest: &str) -> &str {
    let line = first_line(rest);
    // The value is the end of its line, so the lengths say where it begins.
    let start = line.len() - value_in(line).map_or(0, str::len);
    // Quotes that nothing closes end with their line: else the rest of the file would be lost.
    let Some(end) = end_of_quotes(rest, start) else {
        return line;
    };
    let behind = rest.get(end..).unwrap_or_default();
    let length = end + first_line(behind).len();
    rest.get(..length).unwrap_or(line)
}

fn first_line(text: &str) -> &str {
    text.split_inclusive('\n').next().unwrap_or_default()
}

/// Where the value that begins here ends, if it is in quotes. Nothing but a comment may stand
/// behind them: an apostrophe further down is no closing quote.
fn end_of_quotes(text: &str, start: usize) -> Option<usize> {
    let value = text.get(start..)?;
    let quote = value.chars().next().filter(is_quote)?;
    let mut is_escaped = false;
    for (index, found) in value.char_indices().skip(1) {
        if found == quote && !is_escaped {
            let end = start + index + 1;
            return is_end(first_line(text.get(end..)?)).then_some(end);
        }
        // Only in double quotes is a backslash more than itself.
        is_escaped = found == '\\' && quote == '"' && !is_escaped;
    }
    None
}

fn is_quote(letter: &char) -> bool {
    matches!(letter, '"' | '\'')
}

fn is_end(behind: &str) -> bool {
    let behind = behind.trim();
    behind.is_empty() || behind.starts_with('#')
}

/// The entry in the words of `dotenvy`; none if it has no meaning.
fn readable_entry(entry: &str) -> Option<String> {
    // Bytes that are not UTF-8: half a value would be worse than none.
    if entry.contains(char::REPLACEMENT_CHARACTER) {
        return None;
    }
    // `dotenvy` takes a space at the end of a file for the beginning of something.
    let written = format!("{}\n", entry.trim_end_matches(['\r', '\n']));
    if is_readable(&written) {
        return Some(written);
    }
    let value = value_in(entry)?;
    if value.starts_with(|letter| is_quote(&letter)) {
        // `dotenvy` finds quotes in some comments.
        let end = end_of_quotes(entry, entry.len() - value.len())?;
        let bare = format!("{}\n", entry.get(..end)?);
        return is_readable(&bare).then_some(bare);
    }
    // Text without quotes is literal but for its comment; in quotes `dotenvy` accepts all of it.
    let value = without_comment(value);
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    let name = written_name(entry);
    let quoted = format!("{name}=\"{value}\"\n");
    if is_readable(&quoted) {
        return Some(quoted);
    }
    // A `${` without its end is plain text.
    let plain = format!("{name}=\"{}\"\n", value.replace('$', "\\$"));
    is_readable(&plain).then_some(plain)
}

fn is_readable(entry: &str) -> bool {
    let mut entries = dotenvy::from_read_iter(entry.as_bytes());
    entries.all(|entry| entry.is_ok())
}

/// The text behind `=`, if a name stands before it.
fn value_in(line: &str) -> Option<&str> {
    let (before, value) = line.split_once('=')?;
    let is_named = !before.trim().is_empty() && without_export(before).trim() == written_name(line);
    is_named.then(|| value.trim_start())
}

/// The text before a comment, which stands behind a space.
fn without_comment(value: &str) -> &str {
    let mut last = ' ';
    for (index, letter) in value.char_indices() {
        if letter == '#' && last.is_whitespace() {
            return value.get(..index).unwrap_or(value).trim();
        }
        last = letter;
    }
    value.trim()
}

fn without_export(line: &str) -> &str {
    let line = line.trim_start();
    match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        // `exported=1` begins like the word and is a name.
        _ => line,
    }
}

/// The name that a line begins with, even if nothing else in it is right.
fn written_name(line: &str) -> &str {
    let line = without_export(line).trim_start_matches(['"', '\'']);
    let end = line.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    line.get(..end.unwrap_or(line.len()))
        .unwrap_or_default()
}

/// Why a line about a variable of ours has no meaning. The line may hold a secret.
fn fault(entry: &str, place: String) -> ConfigError {
    let name = written_name(entry);
    if entry.contains(char::REPLACEMENT_CHARACTER) {
        return ConfigError::wrong(place, format!("the line of {name} is not UTF-8"))
            .help("save the file as UTF-8");
    }
    let after = without_export(entry).trim_start_matches(name);
    if value_in(entry).is_some() {
        let problem = format!("the value of {name} is not one text in quotes");
        return ConfigError::wrong(place, problem).help(
            "put it between two `'`, with nothing behind them but a comment; between two `\"`, \
             write `\\\\` for `\\`",
        );
    }
    let expected = format!("`=` after {name}");
    let expected = ConfigError::expected(place, expected);
    let help = format!("write `{name}=` and the value, or remove the line");
    match after.trim().chars().next() {
        Some(letter) => expected.found(letter).help(help),
        None => expected.found_as("the end of the line").help(help),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> BTreeMap<String, String> {
        parse(text.as_bytes(), ".env").unwrap()
    }

    fn value(line: &str) -> Option<String> {
        let text = format!("{line}\nOAUTH2_ISSUER=https://a\n");
        let mut values = read(&text);
        assert_eq!(
            values.remove("OAUTH2_ISSUER").as_deref(),
            Some("https://a"),
            "{line}"
        );
        values.into_values().next()
    }

    #[test]
    fn lines_of_other_software_are_no_faults() {
        for (line, expected) in [
            ("APP_NAME=My Shop", Some("My Shop")),
            ("A=My Shop # the name", Some("My Shop")),
            ("A=a#b c", Some("a#b c")),
            (
                "CORS_ORIGINS=[\"http://a\", \"http://b\"]",
                Some("[\"http://a\", \"http://b\"]"),
            ),
            (
                "LOG_FORMAT=%(asctime)s %(message)s",
                Some("%(asctime)s %(message)s"),
            ),
            ("DESC=it's", Some("it's")),
            ("DIR=C:\\data\\new", Some("C:\\data\\new")),
            ("A=x ${", Some("x ${")),
            ("export A=b c", Some("b c")),
            ("A = b c", Some("b c")),
            ("A=", Some("")),
            ("A=# nothing", Some("")),
            ("A='b'   # it's", Some("b")),
            ("A=\"b\"   # it's", Some("b")),
            ("A=b   # it's", Some("b")),
            ("# it's a \"comment", None),
            ("FOO", None),
            ("export FOO", None),
            ("A-B=1", None),
            ("NAME: value", None),
            ("[section]", None),
            ("=x", None),
            ("A='open", None),
            ("A=\"open", None),
            ("A=\"a\" b", None),
            ("A=\"\\d\"", None),
            ("OAUTH2_PROXY_CLIENT_ID: x", None),
        ] {
            assert_eq!(value(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn the_example_of_the_page_means_what_it_says() {
        let page = include_str!("../../../../docs/environment.md");
        let (_, example) = page.split_once("# a comment\n").unwrap();
        let (example, _) = example.split_once("```").unwrap();
        let values = read(example);
        let values: Vec<&str> = values.values().map(String::as_str).collect();
        let expected = [
            "My Shop",
            "it's \"here\"",
            "one\ntwo My Shop",
            "api://orders",
            "pa$$ #word",
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn a_quote_swallows_no_line_below_it() {
        let values = read("A=it's\nOAUTH2_TENANT_ID=acme\nB=that's\nC=\"x\nD=\"y\"\n");
        let names: Vec<&str> = values.keys().map(String::as_str).collect();
        assert_eq!(names, ["A", "B", "D", "OAUTH2_TENANT_ID"]);
    }

    #[test]
    fn bytes_before_and_at_the_end_of_lines_do_not_count() {
        let values = read("\u{feff}A=My Shop\r\nB=b \r\nC='c'\r\n\r\nD=x \r\nE=e ");
        let values: Vec<&str> = values.values().map(String::as_str).collect();
        assert_eq!(values, ["My Shop", "b", "c", "x", "e"]);
        let values = parse(b"A=caf\xe9\nB=b\n", ".env").unwrap();
        assert_eq!(values.len(), 1);
    }

    #[test]
    fn what_was_read_before_is_read_as_before() {
        let text = "A=1\nB=\"2 $A ${A}\" # two\nC='$A'\nexport D=d#d\nE=\"a\nb\" # end\n\
                    F=a\\ b\nG=\"a\\nb\"\nH=\"x\"y'z'\nI=$A\nA=3\nJ=\"a=\\\"b\\\"\"\n\n#K=1\n\
                    L='a\n  b=\"c\"\n'\nM=n.o/p?q=r&s\nN.O=\"\"\nP =  q\n";
        let before: Result<BTreeMap<_, _>, _> = dotenvy::from_read_iter(text.as_bytes()).collect();
        assert_eq!(read(text), before.unwrap());
    }

    #[test]
    fn a_line_of_ours_without_meaning_is_a_fault_with_its_line() {
        for (line, cause) in [
            ("OAUTH2_ISSUER", "found the end of the line"),
            ("export OAUTH2_ISSUER", "found the end of the line"),
            ("OAUTH2_ISSUER: marked", "found ':'"),
            ("OAUTH2_TENANT-ID=marked", "found '-'"),
            ("'OAUTH2_ISSUER'=marked", "found '\\''"),
            ("OAUTH2_CLIENT_SECRET='marked", "not one text in quotes"),
            (
                "OAUTH2_CLIENT_SECRET=\"marked\" x",
                "not one text in quotes",
            ),
            ("PORTCULLIS_STORE marked", "found 'm'"),
        ] {
            let text = format!("A=\"b\nc\"\n# x\n{line}\nOAUTH2_AUDIENCE=a b\n");
            let errors = parse(text.as_bytes(), ".env").unwrap_err();
            let errors = errors.to_string();
            assert!(
                errors.contains(".env:4: ") && errors.contains(cause),
                "{errors}"
            );
            assert!(!errors.contains("marked"), "{errors}");
        }
        let errors = parse(b"OAUTH2_AUDIENCE=caf\xe9", ".env").unwrap_err();
        assert!(
            errors
                .to_string()
                .contains(".env:1: the line of OAUTH2_AUDIENCE is not UTF-8")
        );
        let wide: Vec<u8> = "\u{feff}OAUTH2_ISSUER=a\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(parse(&wide, ".env").is_err());
    }
}
