//! The crates that are in the shipped program: what cargo would compile for it, and nothing that only
//! builds or tests it.
//!
//! Cargo knows them for the features of the shipped program. A program that is given by `--binary`
//! is not looked into.

use crate::cargo::{array, cargo, root, text};
use crate::dist::program;
use crate::dist::release::Release;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A name and a version: one crate is there in several versions.
pub(crate) type Key = (String, String);

pub(crate) struct Components(pub(crate) BTreeMap<Key, Component>);

pub(crate) struct Component {
    /// The expression of SPDX.
    pub(crate) license: String,
    pub(crate) description: String,
    pub(crate) repository: String,
    /// SHA-256 of the crate's file; of our own crates there is none.
    pub(crate) checksum: Option<String>,
    pub(crate) folder: PathBuf,
    pub(crate) dependencies: BTreeSet<Key>,
}

impl Components {
    pub(crate) fn read(release: &Release) -> Result<Self, String> {
        let lock = root().join("Cargo.lock");
        let lock = std::fs::read_to_string(lock).map_err(|error| format!("Cargo.lock: {error}"))?;
        Ok(Self::gather(
            &shipped(&release.target)?,
            &metadata()?,
            &checksums(&lock),
        ))
    }

    /// Joins what cargo says of all packages with which of them are shipped.
    pub(crate) fn gather(
        shipped: &BTreeSet<Key>,
        metadata: &Value,
        checksums: &BTreeMap<Key, String>,
    ) -> Self {
        let mut keys = BTreeMap::new();
        let mut components = BTreeMap::new();
        for package in array(metadata, "packages") {
            let key = (
                text(package, "name").to_owned(),
                text(package, "version").to_owned(),
            );
            if shipped.contains(&key) {
                keys.insert(text(package, "id"), key.clone());
                let checksum = checksums.get(&key).cloned();
                components.insert(key, Component::of_package(package, checksum));
            }
        }
        let nodes = metadata.get("resolve").unwrap_or(&Value::Null);
        for node in array(nodes, "nodes") {
            let component = keys
                .get(text(node, "id"))
                .and_then(|key| components.get_mut(key));
            if let Some(component) = component {
                let normal = array(node, "deps").iter().filter(|it| is_normal(it));
                let needed = normal.filter_map(|it| keys.get(text(it, "pkg")));
                component.dependencies = needed.cloned().collect();
            }
        }
        Self(components)
    }
}

impl Component {
    fn of_package(package: &Value, checksum: Option<String>) -> Self {
        let manifest = Path::new(text(package, "manifest_path"));
        Self {
            // The old form of `OR`.
            license: text(package, "license").replace('/', " OR "),
            description: text(package, "description").trim().to_owned(),
            repository: text(package, "repository").to_owned(),
            checksum,
            folder: manifest.parent().unwrap_or(manifest).to_owned(),
            dependencies: BTreeSet::new(),
        }
    }
}

/// Whether a dependency is one of the program, and not only of its build or its tests.
fn is_normal(dependency: &Value) -> bool {
    let mut kinds = array(dependency, "dep_kinds").iter();
    kinds.any(|it| it.get("kind").is_none_or(Value::is_null))
}

/// What cargo knows of all packages, with what any feature needs: the shipped program has most.
fn metadata() -> Result<Value, String> {
    let mut command = cargo(&["metadata", "--format-version", "1", "--locked"]);
    let told = program::output(command.arg("--all-features"))?;
    serde_json::from_slice(&told).map_err(|error| error.to_string())
}

/// What is compiled into the program, with its features and on its machine alone.
fn shipped(target: &str) -> Result<BTreeSet<Key>, String> {
    let mut command = cargo(&["tree", "--locked", "--package", "portcullis-cli"]);
    command.args([
        "--features",
        "full",
        "--edges",
        "normal",
        "--target",
        target,
    ]);
    let tree = program::text(command.args(["--prefix", "none", "--format", "{p}"]))?;
    let mut shipped = BTreeSet::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            let version = version.trim_start_matches('v');
            shipped.insert((name.to_owned(), version.to_owned()));
        }
    }
    Ok(shipped)
}

/// The checksums of a lock file.
pub(crate) fn checksums(lock: &str) -> BTreeMap<Key, String> {
    let mut checksums = BTreeMap::new();
    for package in lock.split("[[package]]") {
        let value = |member: &str| {
            let start = format!("{member} = \"");
            let mut lines = package.lines();
            let rest = lines.find_map(|line| line.strip_prefix(&start))?;
            rest.strip_suffix('"').map(str::to_owned)
        };
        if let (Some(name), Some(version), Some(sum)) =
            (value("name"), value("version"), value("checksum"))
        {
            checksums.insert((name, version), sum);
        }
    }
    checksums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_gives_checksums() {
        let lock = "version = 4\n\n[[package]]\nname = \"aes\"\nversion = \"0.9.4\"\nsource = \"registry\"\n\
                    checksum = \"fc0f\"\ndependencies = [\n \"cipher\",\n]\n\n[[package]]\n\
                    name = \"own\"\nversion = \"0.1.0\"\n";
        let key = ("aes".to_owned(), "0.9.4".to_owned());
        assert_eq!(checksums(lock), BTreeMap::from([(key, "fc0f".to_owned())]));
    }
}
