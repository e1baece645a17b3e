//! The bytes of a document, as a tree.
//!
//! A document may come from anywhere, so all of it is bounded before it is a tree: its size, its
//! depth, and what the aliases of YAML make of it.

use super::node::Node;
use super::yaml;
use portcullis_core::ConfigError;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The largest document, in bytes. The largest public ones have about 12 MB.
const LARGEST: u64 = 16 * 1024 * 1024;
/// How deep a document may be nested: its readers call themselves for each level. The reader of
/// JSON has a bound of its own, 128.
pub(super) const DEEPEST: usize = 64;

/// Reads a document, YAML or JSON.
///
/// # Errors
///
/// A file that cannot be read, is too large or too deep, or is neither.
pub(super) fn read(path: &Path) -> Result<Node, ConfigError> {
    let place = path.display().to_string();
    let text = match read_bounded(path) {
        Ok(bytes) if bytes.len() as u64 > LARGEST => {
            return Err(ConfigError::expected(place, "at most 16 MiB")
                .found_as("more")
                .help("name the document of one API, without examples"));
        }
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| not_utf8(&place))?,
        Err(error) => {
            return Err(ConfigError::wrong(place, error.to_string())
                .help("name a file with an OpenAPI document"));
        }
    };
    parse(&text).map_err(|fault| fault.with_place(place))
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than is permitted tells a file that is too large, whatever its size claims.
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn not_utf8(place: &str) -> ConfigError {
    ConfigError::expected(place, "a text in UTF-8")
        .found_as("other bytes")
        .help("name a file with an OpenAPI document, as YAML or JSON")
}

/// Reads the text of a document.
pub(super) fn parse(text: &str) -> Result<Node, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| explain("JSON", &error.to_string()));
    }
    yaml::parse(text)
}

/// A fault of the text in our words. Readers of YAML say more than one line; the first has the
/// place.
pub(super) fn explain(language: &str, error: &str) -> ConfigError {
    let first = error.lines().next().unwrap_or_default();
    // What each reader says of a document that is nested too deep; its own words are no help.
    if ["recursion limit", "Depth {"]
        .iter()
        .any(|it| first.contains(it))
    {
        return ConfigError::expected("", format!("at most {DEEPEST} levels of nesting"))
            .found_as("more")
            .help("give inner schemas a name under `components`");
    }
    if ["budget", "alias replay"]
        .iter()
        .any(|it| first.contains(it))
    {
        return ConfigError::expected("", "a document without millions of values")
            .found_as(format!("more ({first})"))
            .help("write values out where aliases multiply them");
    }
    ConfigError::expected("", format!("a document in {language}"))
        .found_as(format!("a fault: {first}"))
        .help("check the file by the tool that wrote it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        parse(text).unwrap_err().message()
    }

    #[test]
    fn yaml_and_json_make_the_same_tree() {
        let yaml = parse("a: [x, 1, null, yes]\n200: {b: 1.5}\n").unwrap();
        let json = parse("\u{feff} {\"a\": [\"x\", 1, null, \"yes\"], \"200\": {\"b\": 1.5}}");
        assert_eq!(yaml, json.unwrap());
        assert_eq!(yaml.member("200").unwrap().members().unwrap().len(), 1);
    }

    #[test]
    fn numbers_of_any_size_are_no_fault() {
        let text = "a: 99999999999999999999999999999999999999999999\nb: .inf\nc: 1e999\nd: 0o17\n";
        assert_eq!(parse(text).unwrap().members().unwrap().len(), 4);
    }

    #[test]
    fn aliases_and_merges_are_followed() {
        let text = "a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\n";
        let node = parse(text).unwrap();
        assert_eq!(node.member("b"), node.member("a"));
        let merged = node.member("c").unwrap();
        assert_eq!(merged.member("y"), Some(&Node::Plain("3".to_owned())));
        assert_eq!(merged.member("x"), Some(&Node::Plain("1".to_owned())));
    }

    #[test]
    fn a_name_that_stands_twice_is_a_fault() {
        for text in [
            "{\"a\": 1, \"a\": 2}",
            "a: 1\nb: 2\na: 3\n",
            "x: {\"a\": 1, a: 2}",
        ] {
            let said = fault(text);
            assert!(
                said.contains("twice") || said.contains("duplicate"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_text_that_is_neither_is_a_fault() {
        for (text, language) in [
            ("{\"a\": ", "JSON"),
            ("a: [1\nb: }", "YAML"),
            ("a: 1\n---\nb: 2\n", "YAML"),
            ("a: *nowhere\n", "YAML"),
        ] {
            let said = fault(text);
            let expected = format!("expected a document in {language}, found a fault: ");
            assert!(said.starts_with(&expected), "{said}");
            assert!(!said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn depth_is_bounded_in_both_languages() {
        let block: String = (0..1_000)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect();
        let nested =
            |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        for text in [
            block,
            nested("[", "]"),
            nested("{\"a\":", "}"),
            nested("- ", ""),
            nested("? ", ""),
        ] {
            assert_eq!(
                fault(&text),
                "expected at most 64 levels of nesting, found more"
            );
        }
    }

    #[test]
    fn aliases_cannot_multiply() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..20 {
            let list = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        let said = fault(&text);
        assert!(
            said.starts_with("expected a document without millions of values"),
            "{said}"
        );
    }
}
