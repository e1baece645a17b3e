//! Names: a type is a noun, a function a verb, and a name means one thing within a crate.

use crate::cargo::root;
use crate::source::{Source, sources};
use std::collections::BTreeMap;

/// Participles that no regular ending gives away.
const IRREGULAR: [&str; 15] = [
    "told", "made", "meant", "shown", "known", "held", "kept", "taken", "bound", "written", "said",
    "heard", "seen", "chosen", "built",
];

/// The words of a fault, which is built as it reads (`expected X, found Y, given Z`), and the
/// standard library's word for a duration since an instant.
const WORDS: [&str; 3] = ["expected", "given", "elapsed"];

/// The most words that the glossary of ARCHITECTURE.md may have: more, and nobody learns it.
const MOST_WORDS: usize = 40;

pub(crate) fn check() -> Result<String, String> {
    let sources = sources()?;
    let mut types: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    let (mut faults, mut functions) = (Vec::new(), 0);
    for source in &sources {
        // The stand-in for a feature that is off has the names of what it stands in for.
        if source.path.ends_with("absent.rs") {
            continue;
        }
        for (number, line) in source.bare.lines().enumerate() {
            let place = format!("{}:{}", source.path, number + 1);
            if let Some(name) = defined(line, &["struct", "enum", "trait", "union", "type"]) {
                if is_participle(&name) {
                    faults.push(format!("{place}: expected a noun, found `{name}`"));
                }
                types
                    .entry((&source.crate_, name))
                    .or_default()
                    .push(place);
            } else if let Some(name) = defined(line, &["fn"]) {
                functions += 1;
                if is_participle(&name) && !is_foreign(source, &name) {
                    faults.push(format!("{place}: expected a verb, found `{name}`"));
                }
            }
        }
    }
    for ((_, name), places) in &types {
        if let [first, others @ ..] = places.as_slice()
            && !others.is_empty()
        {
            let others = others.join(", ");
            faults.push(format!("{first}: `{name}` is also the type at {others}"));
        }
    }
    let words = match glossary() {
        Ok(words) => words,
        Err(fault) => {
            faults.push(fault);
            0
        }
    };
    if words > MOST_WORDS {
        faults.push(format!(
            "ARCHITECTURE.md: the glossary has {words} words, more than {MOST_WORDS}"
        ));
    }
    if faults.is_empty() {
        let types = types.len();
        Ok(format!(
            "{types} types, {functions} functions, {words} words in the glossary"
        ))
    } else {
        Err(faults.join("\n"))
    }
}

/// The name that a line defines by one of these keywords.
fn defined(line: &str, keywords: &[&str]) -> Option<String> {
    // A type inside a trait or an `impl` is the trait's name for it.
    if line.starts_with(' ') && keywords.contains(&"type") && line.trim().starts_with("type ") {
        return None;
    }
    let mut words = line.split_whitespace();
    loop {
        let word = words.next()?;
        if keywords.contains(&word) {
            let name = words.next()?;
            let name: String = name
                .chars()
                .take_while(|it| it.is_alphanumeric() || *it == '_')
                .collect();
            return (!name.is_empty()).then_some(name);
        }
        let is_prefix = ["pub", "const", "async"].contains(&word) || word.starts_with("pub(");
        if !is_prefix {
            return None;
        }
    }
}

/// Whether a name is a bare participle: one word, regular or not.
fn is_participle(name: &str) -> bool {
    let is_one_word = !name.contains('_') && !name.chars().skip(1).any(char::is_uppercase);
    let lower = name.to_ascii_lowercase();
    let is_regular = lower.ends_with("ed") && !lower.ends_with("eed");
    let is_word = WORDS.contains(&lower.as_str());
    is_one_word
        && !is_word
        && lower.len() > 3
        && (is_regular || IRREGULAR.contains(&lower.as_str()))
}

/// Whether the name is given by a trait of others.
fn is_foreign(source: &Source, name: &str) -> bool {
    let line = format!("fn {name}(");
    let before = source.code.split(&line).next().unwrap_or_default();
    before
        .lines()
        .rev()
        .find(|it| it.starts_with("impl"))
        .is_some_and(|it| it.contains(" for "))
}

/// The words of the glossary: the rows of its table, without the head.
fn glossary() -> Result<usize, String> {
    let path = root().join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let Some((_, glossary)) = text.split_once("\n## Glossary\n") else {
        return Err("ARCHITECTURE.md: expected a section `## Glossary`".to_owned());
    };
    let section = glossary.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    Ok(rows.count().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn participles_are_told_from_nouns_and_verbs() {
        for name in ["Asked", "told", "Refused", "escaped", "Known"] {
            assert!(is_participle(name), "{name}");
        }
        for name in [
            "need",
            "Feed",
            "SignedToken",
            "is_kept",
            "read",
            "Bed",
            "Permit",
            "ask",
        ] {
            assert!(!is_participle(name), "{name}");
        }
    }

    #[test]
    fn a_definition_gives_its_name() {
        assert_eq!(
            defined("pub(crate) struct Key {", &["struct"]).as_deref(),
            Some("Key")
        );
        assert_eq!(
            defined("    pub async fn find(", &["fn"]).as_deref(),
            Some("find")
        );
        assert_eq!(defined("    type Error = Fault;", &["type"]), None);
        assert_eq!(defined("let fn_name = 1;", &["fn"]), None);
    }
}
