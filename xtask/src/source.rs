//! The sources of the crates, as the checks of layout and style read them: as text, without tests.

use crate::cargo::root;
use std::path::{Path, PathBuf};

/// One file of a crate.
pub(crate) struct Source {
    /// Its path under the workspace.
    pub(crate) path: String,
    /// The folder of its crate under `crates/` or `bindings/`.
    pub(crate) crate_: String,
    /// Its module: `["decision", "routes"]` for `src/decision/routes/mod.rs`.
    pub(crate) module: Vec<String>,
    /// Its code before the inline tests, which stand at the end.
    pub(crate) code: String,
    /// The same, with comments and the contents of literals blanked; lines and columns stay.
    pub(crate) bare: String,
}

/// All files of all crates, without tests, benches and examples.
pub(crate) fn sources() -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    let folders = ["bindings", "crates"].map(|folder| rust_files(&root().join(folder)));
    for file in folders.into_iter().flatten() {
        let path = file.strip_prefix(root()).unwrap_or(&file);
        let path = path.display().to_string();
        if is_test(&path) {
            continue;
        }
        let Some((crate_, inside)) = path
            .split_once('/')
            .and_then(|(_, rest)| rest.split_once("/src/"))
        else {
            continue;
        };
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{path}: {error}"))?;
        let code = without_tests(&text).to_owned();
        sources.push(Source {
            crate_: crate_.to_owned(),
            module: module(inside),
            bare: blank(&code),
            code,
            path,
        });
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

fn module(inside: &str) -> Vec<String> {
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let mut module: Vec<String> = inside.split('/').map(str::to_owned).collect();
    let is_own_folder = module
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()));
    if is_own_folder {
        module.pop();
    }
    module
}

/// Whether a file holds tests, benches or examples, by its path.
pub(crate) fn is_test(path: &str) -> bool {
    ["/tests/", "/benches/", "/examples/"]
        .iter()
        .any(|folder| path.contains(folder))
        || path.ends_with("tests.rs")
}

/// All Rust files under a folder.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
    {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "node_modules" && name != "target" {
            found.extend(rust_files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            found.push(path);
        }
    }
    found
}

/// The code before its inline tests, which stand at the end.
pub(crate) fn without_tests(code: &str) -> &str {
    for (start, marker) in code.match_indices("\n#[cfg(test)]\nmod ") {
        // A module in a file of its own is one line, and code may follow it.
        if let (Some(before), Some(after)) = (code.get(..start), code.get(start + marker.len()..))
            && is_inline(after)
        {
            return before;
        }
    }
    code
}

fn is_inline(after: &str) -> bool {
    after
        .lines()
        .next()
        .is_some_and(|line| line.ends_with('{'))
}

/// Blanks comments and the contents of literals, so that braces and bars can be counted.
pub(crate) fn blank(code: &str) -> String {
    let characters: Vec<char> = code.chars().collect();
    let mut bare = String::with_capacity(code.len());
    let mut index = 0;
    while let Some(&character) = characters.get(index) {
        let end = match character {
            '/' => comment_end(&characters, index),
            '"' => string_end(&characters, index + 1),
            'r' | 'b' if !follows_a_word(&characters, index) => raw_end(&characters, index),
            '\'' => character_end(&characters, index),
            _ => None,
        };
        let end = end.unwrap_or(index);
        if end == index {
            bare.push(character);
            index += 1;
        }
        while index < end {
            let blanked = characters.get(index).is_some_and(|it| *it != '\n');
            bare.push(if blanked { ' ' } else { '\n' });
            index += 1;
        }
    }
    bare
}

fn follows_a_word(characters: &[char], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|at| characters.get(at));
    before.is_some_and(|it| it.is_alphanumeric() || *it == '_')
}

fn comment_end(characters: &[char], start: usize) -> Option<usize> {
    if characters.get(start + 1) != Some(&'/') {
        return None;
    }
    let rest = characters.get(start..)?;
    let length = rest.iter().position(|it| *it == '\n');
    Some(start + length.unwrap_or(rest.len()))
}

/// The end of a literal whose content begins here.
fn string_end(characters: &[char], mut index: usize) -> Option<usize> {
    loop {
        match characters.get(index)? {
            '\\' => index += 2,
            '"' => return Some(index + 1),
            _ => index += 1,
        }
    }
}

/// The end of a raw or byte literal that begins here, if one does.
fn raw_end(characters: &[char], start: usize) -> Option<usize> {
    let mut index = start;
    if characters.get(index) == Some(&'b') {
        index += 1;
        if characters.get(index) == Some(&'"') {
            return string_end(characters, index + 1);
        }
    }
    if characters.get(index) != Some(&'r') {
        return None;
    }
    index += 1;
    let mut hashes = 0;
    while characters.get(index) == Some(&'#') {
        hashes += 1;
        index += 1;
    }
    if characters.get(index) != Some(&'"') {
        return None;
    }
    index += 1;
    loop {
        let closing = characters.get(index + 1..index + 1 + hashes)?;
        if characters.get(index) == Some(&'"') && closing.iter().all(|it| *it == '#') {
            return Some(index + 1 + hashes);
        }
        index += 1;
    }
}

/// The end of a character literal; nothing for a lifetime.
fn character_end(characters: &[char], start: usize) -> Option<usize> {
    if characters.get(start + 1) == Some(&'\\') {
        let rest = characters.get(start + 3..)?;
        let length = rest.iter().position(|it| *it == '\'')?;
        return Some(start + 4 + length);
    }
    (characters.get(start + 2) == Some(&'\'')).then_some(start + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_are_blank_and_columns_stay() {
        let code = "let a = \"|x|\"; // |y|\nlet b = r#\"\"|\"#; let c: &'a str = b\"|\"; '|'";
        let bare = blank(code);
        assert!(!bare.contains('|'), "{bare}");
        assert_eq!(bare.len(), code.len());
        assert!(bare.contains("let b = ") && bare.contains("&'a str"));
    }

    #[test]
    fn a_module_is_named_by_its_path() {
        assert_eq!(module("decision/routes/mod.rs"), ["decision", "routes"]);
        assert_eq!(module("lib.rs"), Vec::<String>::new());
        assert_eq!(module("limits.rs"), ["limits"]);
    }

    #[test]
    fn only_inline_tests_end_the_code() {
        assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {\nb"), "a");
        let whole = "a\n#[cfg(test)]\nmod tests;\nb";
        assert_eq!(without_tests(whole), whole);
    }
}
