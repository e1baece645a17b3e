//! The public API of the libraries, as a list of names: a change of it shows in the diff of
//! `docs/api`.
//!
//! The list is read from the documentation that rustdoc has made, so it needs no other toolchain.
//! It holds names, not signatures.

use crate::cargo::root;
use std::collections::BTreeSet;
use std::path::Path;

const LIBRARIES: &[&str] = &[
    "portcullis",
    "portcullis-core",
    "portcullis-provider",
    "portcullis-resource-server",
    "portcullis-gateway",
    "portcullis-client",
    "portcullis-audit",
    "portcullis-idp",
];

/// Compares the lists with the committed ones; with `write`, writes them.
pub(crate) fn check(write: bool) -> Result<String, String> {
    let (mut names, mut faults) = (0, Vec::new());
    for library in LIBRARIES {
        let folder = root()
            .join("target/doc")
            .join(library.replace('-', "_"));
        let mut found = BTreeSet::new();
        read_folder(&folder, "", &mut found);
        if found.is_empty() {
            return Err(format!(
                "`{library}` has no documentation yet: run `cargo doc --workspace --no-deps`"
            ));
        }
        names += found.len();
        let text = found.into_iter().collect::<Vec<_>>().join("\n") + "\n";
        let path = root().join("docs/api").join(format!("{library}.txt"));
        if write {
            std::fs::create_dir_all(root().join("docs/api")).map_err(|error| error.to_string())?;
            std::fs::write(&path, &text).map_err(|error| error.to_string())?;
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != text {
            faults.push(format!(
                "docs/api/{library}.txt is not the public API: run `cargo xtask api`, and look at the diff"
            ));
        }
    }
    if faults.is_empty() {
        Ok(format!("{names} public names"))
    } else {
        Err(faults.join("\n"))
    }
}

/// The items of a folder of pages, and of the folders in it.
fn read_folder(folder: &Path, module: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
    {
        let (path, name) = (
            entry.path(),
            entry.file_name().to_string_lossy().into_owned(),
        );
        if path.is_dir() {
            read_folder(&path, &format!("{module}{name}::"), found);
        } else if let Some((kind, item)) = item_of(&name) {
            let page = std::fs::read_to_string(&path).unwrap_or_default();
            // A page that only leads to another one is no item.
            if page.contains("http-equiv=\"refresh\"") {
                continue;
            }
            found.insert(format!("{kind} {module}{item}"));
            found.extend(
                members(&page)
                    .into_iter()
                    .map(|member| format!("{kind} {module}{item}.{member}")),
            );
        }
    }
}

/// The kind and the name that a page's file name holds: `struct.Jwks.html`.
fn item_of(file: &str) -> Option<(&str, &str)> {
    let (kind, rest) = file.split_once('.')?;
    let item = rest.strip_suffix(".html")?;
    [
        "struct", "enum", "trait", "fn", "type", "constant", "static", "macro",
    ]
    .contains(&kind)
    .then_some((kind, item))
}

/// The item's own members: what it gets from traits is left out.
fn members(page: &str) -> BTreeSet<String> {
    let ends = [
        "id=\"deref-methods",
        "id=\"trait-implementations",
        "id=\"synthetic-implementations",
        "id=\"blanket-implementations",
        "id=\"implementors",
    ];
    let end = ends
        .iter()
        .filter_map(|end| page.find(end))
        .min()
        .unwrap_or(page.len());
    let own = page.get(..end).unwrap_or(page);
    own.split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|id| {
            [
                "method.",
                "tymethod.",
                "variant.",
                "structfield.",
                "associatedconstant.",
                "associatedtype.",
            ]
            .iter()
            .any(|kind| id.starts_with(kind))
        })
        .filter(|id| !id.contains(".field."))
        .filter_map(|id| id.split_once('.').map(|(_, name)| name.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_items_and_members() {
        assert_eq!(item_of("struct.Jwks.html"), Some(("struct", "Jwks")));
        assert_eq!(item_of("index.html"), None);
        let page = r#"<section id="method.keys"> <h2 id="trait-implementations"> <section id="method.fmt">"#;
        assert_eq!(members(page).into_iter().collect::<Vec<_>>(), ["keys"]);
    }
}
