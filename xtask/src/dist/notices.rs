//! `NOTICES.txt`: the licences of the crates in the program, as their authors ship them. Most of them
//! allow copies only together with this text.
//!
//! A crate without such a file is named with its licence alone.

use crate::dist::components::{Components, Key};
use std::collections::BTreeMap;
use std::path::Path;

/// How the names of files with licences begin.
const BEGINNINGS: [&str; 6] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "UNLICENSE",
];

/// What they never end with.
const CODE: [&str; 4] = [".rs", ".py", ".toml", ".json"];

/// How deep a crate is looked into: one carries the C code of others, with their licences.
const DEPTH: usize = 2;

const LINE: &str =
    "================================================================================";

pub(crate) fn of(components: &Components) -> Result<String, String> {
    let mut texts: BTreeMap<String, Vec<&Key>> = BTreeMap::new();
    let mut list = String::new();
    for (key, component) in &components.0 {
        // Ours is in LICENSE.
        if component.checksum.is_none() {
            continue;
        }
        list.push_str(&format!("{} {}: {}\n", key.0, key.1, component.license));
        let mut found = Vec::new();
        collect(&component.folder, DEPTH, &mut found)?;
        for text in found {
            let crates = texts.entry(text).or_default();
            if !crates.contains(&key) {
                crates.push(key);
            }
        }
    }
    Ok(compose(&list, texts))
}

fn compose(list: &str, texts: BTreeMap<String, Vec<&Key>>) -> String {
    let mut notices = format!(
        "The program `portcullis` contains these crates, under these licences. Their texts follow.\n\n{list}"
    );
    // By the first crate that has it, so that a new version of one moves little.
    let mut texts: Vec<(String, Vec<&Key>)> = texts.into_iter().collect();
    texts.sort_by(|one, other| one.1.cmp(&other.1).then_with(|| one.0.cmp(&other.0)));
    for (text, crates) in texts {
        let names: Vec<String> = crates
            .iter()
            .map(|it| format!("{} {}", it.0, it.1))
            .collect();
        notices.push_str(&format!(
            "\n{LINE}\n{}\n{LINE}\n\n{text}\n",
            names.join(", ")
        ));
    }
    notices
}

/// The texts of a folder's licences, and of the folders in it.
fn collect(folder: &Path, depth: usize, found: &mut Vec<String>) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault)?.flatten() {
        paths.push(entry.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && depth > 0 && !path.is_symlink() {
            collect(&path, depth - 1, found)?;
        } else if path.is_file() && is_license(&name) {
            let bytes = std::fs::read(&path).map_err(fault)?;
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
            found.push(text.trim().to_owned());
        }
    }
    Ok(())
}

fn is_license(name: &str) -> bool {
    let upper = name.to_uppercase();
    let begins = BEGINNINGS.iter().any(|it| upper.starts_with(it));
    begins && !CODE.iter().any(|it| name.ends_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licenses_are_told_by_their_names() {
        for name in [
            "LICENSE",
            "LICENSE-MIT",
            "license-apache.txt",
            "COPYING",
            "NOTICE.md",
        ] {
            assert!(is_license(name), "{name}");
        }
        for name in ["README.md", "license.rs", "Cargo.toml"] {
            assert!(!is_license(name), "{name}");
        }
    }

    #[test]
    fn a_text_of_several_crates_stands_once() {
        let (one, other) = (
            ("aes".to_owned(), "1.0.0".to_owned()),
            ("url".to_owned(), "2.0.0".to_owned()),
        );
        let texts = BTreeMap::from([("Permission".to_owned(), vec![&one, &other])]);
        let notices = compose("aes 1.0.0: MIT\nurl 2.0.0: MIT\n", texts);
        assert_eq!(notices.matches("Permission").count(), 1);
        assert!(notices.contains("aes 1.0.0, url 2.0.0"), "{notices}");
    }
}
